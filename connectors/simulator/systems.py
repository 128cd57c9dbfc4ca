"""What people do in each application on an ordinary day, and what their acts say.

Numbers are invented, and small: a province in miniature keeps the proportions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Literal

Fields = dict[str, object]
Maker = Callable[[Random, datetime], Fields]


def _plain(_: Random, __: datetime) -> Fields:
    return {}


@dataclass(frozen=True, slots=True)
class Act:
    """Something people do in a system, how often beside the others, and its own fields."""

    name: str
    weight: int
    fields: Maker = _plain


@dataclass(frozen=True, slots=True)
class System:
    """An application: `per_hour` sessions at its busiest, of up to `longest` acts `pace` seconds apart."""

    name: str
    host: str
    role: str
    per_hour: float
    acts: tuple[Act, ...]
    rhythm: Literal["office", "evening", "public", "always"] = "office"
    share: float = 0.3  # of the staff
    longest: int = 6
    pace: tuple[float, float] = (20, 240)
    machine: bool = False


def dossier(random: Random, at: datetime) -> str:
    """Return the code of a dossier of the last days."""
    day = at.date() - timedelta(days=random.randrange(6))
    return f"H21.{random.randrange(100, 238)}-{day:%y%m%d}-{random.randrange(1, 400):04}"


def code(random: Random, letter: str, most: int) -> str:
    """Return one of so many names of things."""
    return f"{letter}-{random.randrange(most):05}"


def hashed(random: Random, most: int = 50_000) -> str:
    """Return the hash that stands for a person."""
    return f"{random.randrange(most) * 2_654_435_761 % 2**40:010x}"


def _state(random: Random, at: datetime) -> Fields:
    steps = ("received", "processing", "checked", "signed", "completed")
    place = random.randrange(len(steps) - 1)
    return {"object_id": dossier(random, at), "from_state": steps[place], "to_state": steps[place + 1]}


def _dossier(random: Random, at: datetime) -> Fields:
    return {"object_id": dossier(random, at), "object_type": "dossier"}


def _received(random: Random, at: datetime) -> Fields:
    return _dossier(random, at) | {
        "applicant_hash": hashed(random),
        "applicant_verified": True,
        "submit_channel": "desk",
    }


def _document(random: Random, _: datetime) -> Fields:
    meeting = random.randrange(40)
    return {
        "meeting_id": f"M-{meeting:03}",
        "object_id": f"D-{meeting:03}-{random.randrange(8)}",
        "invited": True,
        "meeting_state": "open",
        "doc_class": "THƯỜNG",
    }


def _indicator(random: Random, at: datetime) -> Fields:
    return {
        "report_code": f"BC-{at:%Y%m}",
        "indicator_id": code(random, "I", 300),
        "approved": False,
        "value_old": random.randrange(500),
        "value_new": random.randrange(500),
    }


def _employee(random: Random, _: datetime) -> Fields:
    return {"object_id": code(random, "E", 4_000), "target_level": "staff"}


def _signed(random: Random, _: datetime) -> Fields:
    return {
        "verify_result": "valid",
        "batch_size": random.choice((1, 1, 1, 2, 5)),
        "tsa_skew_s": random.randrange(3),
        "sign_method": random.choice(("token", "SIM", "HSM")),
    }


def _mark(random: Random, _: datetime) -> Fields:
    return {
        "school_code": f"52{random.randrange(40):03}",
        "class_id": f"{random.randrange(6, 13)}A{random.randrange(1, 6)}",
        "pupil_id": code(random, "P", 20_000),
        "subject": random.choice(("toan", "van", "anh", "ly")),
        "lock_state": "open",
        "grade_old": random.randrange(4, 9),
        "grade_new": random.randrange(4, 11),
    }


def _patient(random: Random, _: datetime) -> Fields:
    fields: Fields = {
        "facility_code": f"521{random.randrange(12):02}",
        "patient_hash": hashed(random, 20_000),
        "signed": False,
        "break_glass": False,
    }
    if random.random() > 0.01:  # now and then somebody opens the wrong one
        fields["visit_id"] = code(random, "V", 90_000)
    return fields


def _invoice(random: Random, _: datetime) -> Fields:
    return {"invoice_no": code(random, "1C26TAA", 90_000), "amount": random.randrange(50, 4_000) * 1_000}


def _order(random: Random, _: datetime) -> Fields:
    return {"order_id": code(random, "O", 9_000), "amount": random.randrange(40, 900) * 1_000, "webhook_sig_ok": True}


def _address(random: Random, _: datetime) -> Fields:
    return {
        "address_code": code(random, "A", 90_000),
        "commune_code": str(random.randrange(23_563, 24_112)),
        "records": 1,
    }


def _citizen(random: Random, at: datetime) -> Fields:
    fields: Fields = {"citizen_hash": hashed(random), "consumer_app": "onestop", "resp_code": 200}
    if random.random() > 0.004:
        fields["dossier_id"] = dossier(random, at)
    return fields


def _notice(random: Random, _: datetime) -> Fields:
    return {
        "notice_no": code(random, "TB", 9_000),
        "notice_state": "draft",
        "amount": random.randrange(90, 9_000) * 1_000,
    }


def _dataset(random: Random, _: datetime) -> Fields:
    return {"dataset": random.choice(("reports", "health", "schools", "traffic", "dossiers")), "level": "commune"}


def _some(most: int) -> Maker:
    return lambda random, _: {"records": random.randrange(1, most)}


def _letter(random: Random, _: datetime) -> Fields:
    return {"doc_no": f"{random.randrange(1, 900)}/CV", "doc_class": "THƯỜNG"}


def _join(random: Random, _: datetime) -> Fields:
    point = f"hall-{random.randrange(100, 238)}"
    return {"meeting_id": code(random, "H", 20), "endpoint_id": point, "endpoint_known": True}


def _circuit(random: Random, _: datetime) -> Fields:
    state = random.choices(("up", "down"), (97, 3))[0]
    return {"circuit_id": f"L-{random.randrange(100, 238)}", "if_status": state, "rx_dbm": -random.randrange(8, 24)}


def _sensor(random: Random, _: datetime) -> Fields:
    return {
        "sensor_id": f"S-{random.randrange(60):02}",
        "link_state": random.choices(("up", "down"), (98, 2))[0],
        "tamper": False,
    }


def _rack(random: Random, _: datetime) -> Fields:
    return {"device": f"rack-{random.randrange(20):02}", "temp_c": random.randrange(19, 27), "ups_state": "online"}


def _skew(random: Random, _: datetime) -> Fields:
    return {"target": f"source-{random.randrange(40):02}", "skew_s": random.randrange(5)}


def _ticket(random: Random, _: datetime) -> Fields:
    return {"change_ticket": code(random, "CR", 900), "target": f"source-{random.randrange(40):02}"}


def _title(random: Random, _: datetime) -> Fields:
    titles = ("Lịch tiếp công dân", "Thông báo tuyển dụng", "Kết quả kỳ họp", "Phòng chống lụt bão", "Giá đất năm 2026")
    return {
        "site": random.choice(("www", "snv", "stc", "skhcn")),
        "title": random.choice(titles),
        "ext_links_added": random.randrange(3),
    }


SYSTEMS = (
    System(
        "public_services",
        "dvc01",
        "officer",
        60,
        (
            Act("view_dossier", 10, _dossier),
            Act("change_state", 5, _state),
            Act("update_dossier", 3, _dossier),
            Act("receive_dossier", 2, _received),
            Act("approve_dossier", 1, _dossier),
        ),
        share=0.7,
    ),
    System(
        "ecabinet",
        "ecab01",
        "member",
        8,
        (
            Act("view_document", 8, _document),
            Act("download_document", 2, _document),
            Act("annotate_document", 2, _document),
            Act("vote", 1, _document),
        ),
    ),
    System(
        "reporting",
        "lris01",
        "officer",
        8,
        (Act("update_indicator", 6, _indicator), Act("view_report", 5, _indicator), Act("submit_report", 1)),
    ),
    System(
        "personnel",
        "hrm01",
        "hr",
        8,
        (
            Act("view_record", 9, _employee),
            Act("update_record", 2, _employee),
            Act("list_records", 2, _some(200)),
            Act("export_records", 1, _some(60)),
        ),
        share=0.1,
    ),
    System(
        "portal_cms",
        "cms01",
        "editor",
        4,
        (
            Act("update_article", 4, _title),
            Act("publish_article", 2, _title),
            Act("upload_file", 2, lambda random, _: {"file_name": f"anh-{random.randrange(900)}.jpg"}),
        ),
        share=0.1,
    ),
    System(
        "digital_signature", "sign01", "officer", 25, (Act("sign", 8, _signed), Act("verify", 3, _signed)), longest=3
    ),
    System(
        "school_records",
        "edu01",
        "teacher",
        20,
        (Act("view_class", 5, _mark), Act("update_mark", 4, _mark), Act("view_mark", 4, _mark)),
        rhythm="evening",
        share=0.4,
    ),
    System(
        "medical_records",
        "his01",
        "doctor",
        25,
        (Act("view_record", 8, _patient), Act("edit_record", 3, _patient), Act("search_records", 2, _some(30))),
        rhythm="public",
        share=0.3,
    ),
    System(
        "payments",
        "pay01",
        "accountant",
        8,
        (
            Act("issue_invoice", 8, _invoice),
            Act("view_invoice", 4, _invoice),
            Act(
                "payout",
                1,
                lambda random, _: {"amount": random.randrange(1, 90) * 900_000, "contract_id": code(random, "C", 900)},
            ),
            Act("cancel_invoice", 1, _invoice),
        ),
        share=0.1,
        longest=4,
    ),
    System(
        "ecommerce",
        "shop01",
        "gateway",
        15,
        (Act("payment_confirmed", 5, _order), Act("create_order", 6, _order), Act("ship_order", 4, _order)),
        rhythm="public",
        machine=True,
    ),
    System(
        "address_map",
        "map01",
        "officer",
        8,
        (Act("update_addresses", 5, _address), Act("view_map", 6, _address), Act("move_addresses", 1, _address)),
        share=0.3,
    ),
    System("population_queries", "bus01", "officer", 25, (Act("query_citizen", 1, _citizen),), share=0.5, longest=4),
    System(
        "tax_notices",
        "tax01",
        "officer",
        4,
        (Act("issue_notice", 4, _notice), Act("update_notice", 2, _notice), Act("view_notice", 5, _notice)),
        share=0.1,
    ),
    System(
        "ioc",
        "ioc01",
        "operator",
        6,
        (Act("view_dashboard", 8, _dataset), Act("export_dataset", 1, _some(900)), Act("set_wall", 1, _dataset)),
        rhythm="public",
        share=0.05,
    ),
    System(
        "documents",
        "office01",
        "officer",
        60,
        (Act("read_document", 9, _letter), Act("send_document", 2, _letter), Act("read_mail", 6)),
        share=0.9,
    ),
    System(
        "video_conference",
        "mcu01",
        "endpoint",
        6,
        (Act("join", 5, _join), Act("leave", 5, _join)),
        share=0.3,
        longest=2,
    ),
    System(
        "access_network",
        "noc01",
        "service",
        30,
        (
            Act("circuit_state", 9, _circuit),
            Act(
                "attach",
                1,
                lambda random, _: {"imsi_hash": hashed(random, 400), "apn": "m-gialai", "imei_changed": False},
            ),
        ),
        rhythm="always",
        machine=True,
    ),
    System(
        "border_stations", "bord01", "sensor", 20, (Act("sensor_state", 9, _sensor),), rhythm="always", machine=True
    ),
    System(
        "datacentre",
        "dcim01",
        "service",
        20,
        (Act("rack_state", 9, _rack), Act("create_snapshot", 2, _rack), Act("delete_snapshot", 2, _rack)),
        rhythm="always",
        machine=True,
    ),
    System(
        "soc_platform",
        "soc01",
        "analyst",
        8,
        (
            Act("search", 9, _some(5_000)),
            Act("view_case", 6),
            Act("clock_check", 4, _skew),
            Act("edit_rule", 1, _ticket),
        ),
        rhythm="public",
        share=0.05,
    ),
)
