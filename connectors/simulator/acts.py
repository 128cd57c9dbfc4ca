"""What the audit log says of each kind of act in an application: makers of the fields that an act brings along.

Numbers are invented, and small: a province in miniature keeps the proportions.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

Fields = dict[str, object]
Maker = Callable[[Random, datetime], Fields]


def nothing(_: Random, __: datetime) -> Fields:
    """Say nothing beyond the act itself."""
    return {}


def dossier_code(random: Random, at: datetime) -> str:
    """Return the code of a dossier of the last days."""
    day = at.date() - timedelta(days=random.randrange(6))
    return f"H21.{random.randrange(100, 238)}-{day:%y%m%d}-{random.randrange(1, 400):04}"


def code(random: Random, letter: str, most: int) -> str:
    """Return one of so many names of things."""
    return f"{letter}-{random.randrange(most):05}"


def hashed(random: Random, most: int = 50_000) -> str:
    """Return the hash that stands for a person."""
    return f"{random.randrange(most) * 2_654_435_761 % 2**40:010x}"


def state(random: Random, at: datetime) -> Fields:
    """Move a dossier one step on."""
    steps = ("received", "processing", "checked", "signed", "completed")
    place = random.randrange(len(steps) - 1)
    return {"object_id": dossier_code(random, at), "from_state": steps[place], "to_state": steps[place + 1]}


def dossier(random: Random, at: datetime) -> Fields:
    """Name a dossier."""
    return {"object_id": dossier_code(random, at), "object_type": "dossier"}


def received(random: Random, at: datetime) -> Fields:
    """Name a dossier and its applicant, at a desk."""
    return dossier(random, at) | {
        "applicant_hash": hashed(random),
        "applicant_verified": True,
        "submit_channel": "desk",
    }


def document(random: Random, _: datetime) -> Fields:
    """Name a document of a meeting that the reader is invited to."""
    meeting = random.randrange(40)
    return {
        "meeting_id": f"M-{meeting:03}",
        "object_id": f"D-{meeting:03}-{random.randrange(8)}",
        "invited": True,
        "meeting_state": "open",
        "doc_class": "THƯỜNG",
    }


def indicator(random: Random, at: datetime) -> Fields:
    """Name an indicator of this month's report, not approved yet."""
    return {
        "report_code": f"BC-{at:%Y%m}",
        "indicator_id": code(random, "I", 300),
        "approved": False,
        "value_old": random.randrange(500),
        "value_new": random.randrange(500),
    }


def employee(random: Random, _: datetime) -> Fields:
    """Name somebody of the staff."""
    return {"object_id": code(random, "E", 4_000), "target_level": "staff"}


def signed(random: Random, _: datetime) -> Fields:
    """Tell how a signature was made and that it holds."""
    return {
        "verify_result": "valid",
        "batch_size": random.choice((1, 1, 1, 2, 5)),
        "tsa_skew_s": random.randrange(3),
        "sign_method": random.choice(("token", "SIM", "HSM")),
    }


def mark(random: Random, _: datetime) -> Fields:
    """Tell of a mark in an open class."""
    return {
        "school_code": f"52{random.randrange(40):03}",
        "class_id": f"{random.randrange(6, 13)}A{random.randrange(1, 6)}",
        "pupil_id": code(random, "P", 20_000),
        "subject": random.choice(("toan", "van", "anh", "ly")),
        "lock_state": "open",
        "grade_old": random.randrange(4, 9),
        "grade_new": random.randrange(4, 11),
    }


def patient(random: Random, _: datetime) -> Fields:
    """Name a patient and, nearly always, the visit."""
    fields: Fields = {
        "facility_code": f"521{random.randrange(12):02}",
        "patient_hash": hashed(random, 20_000),
        "signed": False,
        "break_glass": False,
    }
    if random.random() > 0.01:  # now and then somebody opens the wrong one
        fields["visit_id"] = code(random, "V", 90_000)
    return fields


def invoice(random: Random, _: datetime) -> Fields:
    """Name an invoice and its amount."""
    return {"invoice_no": code(random, "1C26TAA", 90_000), "amount": random.randrange(50, 4_000) * 1_000}


def order(random: Random, _: datetime) -> Fields:
    """Name an order of the trading floor and its amount."""
    return {"order_id": code(random, "O", 9_000), "amount": random.randrange(40, 900) * 1_000, "webhook_sig_ok": True}


def address(random: Random, _: datetime) -> Fields:
    """Name an address and its commune."""
    return {
        "address_code": code(random, "A", 90_000),
        "commune_code": str(random.randrange(23_563, 24_112)),
        "records": 1,
    }


def citizen(random: Random, at: datetime) -> Fields:
    """Tell who was asked about and, nearly always, for which dossier."""
    fields: Fields = {"citizen_hash": hashed(random), "consumer_app": "onestop", "resp_code": 200}
    if random.random() > 0.004:
        fields["dossier_id"] = dossier_code(random, at)
    return fields


def notice(random: Random, _: datetime) -> Fields:
    """Name a draft of a tax notice and its amount."""
    return {
        "notice_no": code(random, "TB", 9_000),
        "notice_state": "draft",
        "amount": random.randrange(90, 9_000) * 1_000,
    }


def dataset(random: Random, _: datetime) -> Fields:
    """Name what a screen of the operations centre shows."""
    return {"dataset": random.choice(("reports", "health", "schools", "traffic", "dossiers")), "level": "commune"}


def some(most: int) -> Maker:
    """Return what tells of fewer than `most` records."""
    return lambda random, _: {"records": random.randrange(1, most)}


def letter(random: Random, _: datetime) -> Fields:
    """Name an ordinary letter."""
    return {"doc_no": f"{random.randrange(1, 900)}/CV", "doc_class": "THƯỜNG"}


def join(random: Random, _: datetime) -> Fields:
    """Name a meeting and the known endpoint of a hall."""
    point = f"hall-{random.randrange(100, 238)}"
    return {"meeting_id": code(random, "H", 20), "endpoint_id": point, "endpoint_known": True}


def circuit(random: Random, _: datetime) -> Fields:
    """Tell the state of a commune's line."""
    state = random.choices(("up", "down"), (97, 3))[0]
    return {"circuit_id": f"L-{random.randrange(100, 238)}", "if_status": state, "rx_dbm": -random.randrange(8, 24)}


def sensor(random: Random, _: datetime) -> Fields:
    """Tell the state of a border sensor."""
    return {
        "sensor_id": f"S-{random.randrange(60):02}",
        "link_state": random.choices(("up", "down"), (98, 2))[0],
        "tamper": False,
    }


def rack(random: Random, _: datetime) -> Fields:
    """Tell temperature and power of a rack."""
    return {"device": f"rack-{random.randrange(20):02}", "temp_c": random.randrange(19, 27), "ups_state": "online"}


def skew(random: Random, _: datetime) -> Fields:
    """Tell how far a source's clock is off."""
    return {"target": f"source-{random.randrange(40):02}", "skew_s": random.randrange(5)}


def ticket(random: Random, _: datetime) -> Fields:
    """Name a change that was asked for."""
    return {"change_ticket": code(random, "CR", 900), "target": f"source-{random.randrange(40):02}"}


def title(random: Random, _: datetime) -> Fields:
    """Tell what page of a site was written."""
    titles = ("Lịch tiếp công dân", "Thông báo tuyển dụng", "Kết quả kỳ họp", "Phòng chống lụt bão", "Giá đất năm 2026")
    return {
        "site": random.choice(("www", "snv", "stc", "skhcn")),
        "title": random.choice(titles),
        "ext_links_added": random.randrange(3),
    }


def picture(random: Random, _: datetime) -> Fields:
    """Name a picture."""
    return {"file_name": f"anh-{random.randrange(900)}.jpg"}


def payout(random: Random, _: datetime) -> Fields:
    """Tell an amount paid under a contract."""
    return {"amount": random.randrange(1, 90) * 900_000, "contract_id": code(random, "C", 900)}


def attachment(random: Random, _: datetime) -> Fields:
    """Tell which card came into the network, in the device that it belongs to."""
    return {"imsi_hash": hashed(random, 400), "apn": "m-gialai", "imei_changed": False}
