"""Attacks on the applications, as their audit logs show them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

from connectors.simulator.applications import BY_NAME, line, session, users
from connectors.simulator.stream import Line, later
from connectors.simulator.systems import code, dossier, hashed
from connectors.simulator.world import Person, World


def user(world: World, system: str, place: int = 0) -> Person:
    """Return one of those who work with a system."""
    people = users(world, BY_NAME[system])
    return people[place % len(people)]


def outside(world: World, who: Person, number: int) -> Person:
    """Return somebody's account in the hands of a stranger."""
    return replace(who, ip=world.strangers[number])


def scraping(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A script with an officer's password reads dossier after dossier."""
    who = outside(world, user(world, "public_services"), 10)
    agent = "python-requests/2.31.0"
    yield line(
        at, "public_services", who, "officer", "issue_token", grant_type="password", client_id="cli", user_agent=agent
    )
    number, own = random.randrange(1, 200), session(random)
    for step in range(120):
        at = later(at, random, 2, 6)
        name = f"H21.113-{at:%y%m%d}-{number + step:04}"
        yield line(
            at, "public_services", who, "officer", "view_dossier", object_id=name, session_id=own, user_agent=agent
        )


def tampering(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Past the login, a dossier is passed through and its signed result replaced."""
    who, name = user(world, "public_services", 3), dossier(random, at)
    yield line(
        at,
        "public_services",
        who,
        "officer",
        "change_state",
        object_id=name,
        from_state="received",
        to_state="completed",
    )
    at = later(at, random, 30, 200)
    yield line(at, "public_services", who, "officer", "replace_result", object_id=name, sign_serial="54A0")


def meeting_documents(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A member's account, guessed from outside, takes all documents of the week."""
    who = outside(world, user(world, "ecabinet", 1), 11)
    for _ in range(7):
        yield line(at, "ecabinet", who, "member", "login", result="failure", reason="wrong_password")
        at = later(at, random, 6, 30)
    own = session(random)
    yield line(at, "ecabinet", who, "member", "login", session_id=own)
    yield line(
        later(at, random, 4, 9), "ecabinet", who, "member", "register_device", device_id="tab-new", session_id=own
    )
    for step in range(36):
        at = later(at, random, 9, 20)
        name = {"meeting_id": f"M-{step // 8:03}", "object_id": f"D-{step // 8:03}-{step % 8}"}
        yield line(at, "ecabinet", who, "member", "download_document", invited=step < 8, session_id=own, **name)


def stolen_signature(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A signer's key is used elsewhere after guesses of the PIN, while the signer works; also once it is revoked."""
    who, serial = user(world, "digital_signature"), "54AB77"
    thief = replace(who, ip=user(world, "documents", 7).ip)
    more = {"cert_serial": serial, "sign_method": "HSM"}
    for _ in range(5):
        yield line(at, "digital_signature", thief, "officer", "sign", result="denied", reason="wrong_pin", **more)
        at = later(at, random, 5, 40)
    for step in range(6):
        place = thief if step % 2 else who
        net = "site-b" if step % 2 else "site-a"
        yield line(
            at,
            "digital_signature",
            place,
            "officer",
            "sign",
            verify_result="valid",
            batch_size=1,
            signer_site=net,
            **more,
        )
        at = later(at, random, 60, 150)
    yield line(
        at,
        "digital_signature",
        thief,
        "officer",
        "sign",
        verify_result="revoked",
        batch_size=1,
        signer_site="site-b",
        **more,
    )


def personnel_leak(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A supplier's account carries the personnel database away."""
    who = Person("nt-baotri", 0, "NT.01", "-", world.strangers[12])
    yield line(at, "personnel", who, "vendor", "login", auth_method="pwd")
    at = later(at, random, 60, 300)
    yield line(
        at, "personnel", who, "vendor", "export_records", records=random.randrange(2_000, 4_000), export_format="csv"
    )
    yield line(later(at, random, 60, 300), "personnel", who, "vendor", "backup_database")


def changed_marks(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """At night somebody opens a locked class and mends marks."""
    who, own = user(world, "school_records", 2), session(random)
    klass = {"school_code": "52007", "class_id": "12A2", "session_id": own}
    yield line(at, "school_records", who, "teacher", "unlock_class", **klass)
    for step in range(9):
        at = later(at, random, 20, 90)
        yield line(
            at,
            "school_records",
            who,
            "teacher",
            "update_mark",
            pupil_id=code(random, "P", 20_000),
            subject="toan",
            lock_state="locked" if step > 5 else "open",
            grade_old=5,
            grade_new=9,
            **klass,
        )


def curious_nurse(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody of a hospital reads the records of people who aren't its patients."""
    who, own = user(world, "medical_records", 3), session(random)
    for _ in range(16):
        yield line(
            at,
            "medical_records",
            who,
            "nurse",
            "view_record",
            patient_hash=hashed(random),
            session_id=own,
            facility_code="52101",
            signed=True,
        )
        at = later(at, random, 60, 400)


def sold_lookups(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An officer looks up citizens for money, late in the evening, without dossiers."""
    who, own = user(world, "population_queries", 1), session(random)
    for _ in range(55):
        yield line(
            at,
            "population_queries",
            who,
            "officer",
            "query_citizen",
            citizen_hash=hashed(random),
            session_id=own,
            consumer_app="onestop",
        )
        at = later(at, random, 15, 60)


def payment_fraud(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The account of a supplier's payee is changed right before the money goes out."""
    who, own = outside(world, user(world, "payments"), 13), session(random)
    more = {"contract_id": "C-09911", "session_id": own}
    yield line(at, "payments", who, "accountant", "change_payee", payee_acct_hash=hashed(random), **more)
    yield line(later(at, random, 2_000, 6_000), "payments", who, "accountant", "payout", amount=480_000_000, **more)


def gambling_pages(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An editor's account, bought, uploads a script and publishes pages for search engines."""
    who, own = outside(world, user(world, "portal_cms"), 14), session(random)
    yield line(at, "portal_cms", who, "editor", "login", session_id=own)
    at = later(at, random, 60, 200)
    yield line(at, "portal_cms", who, "editor", "upload_file", site="snv", file_name="thumb.php", session_id=own)
    for title in ("Nổ hũ đổi thưởng uy tín", "Tài xỉu online 2026", "Soi cầu bạch thủ hôm nay"):
        at = later(at, random, 60, 400)
        yield line(
            at,
            "portal_cms",
            who,
            "editor",
            "publish_article",
            site="snv",
            title=title,
            ext_links_added=random.randrange(11, 40),
            session_id=own,
        )
    yield line(
        later(at, random, 60, 400),
        "portal_cms",
        who,
        "editor",
        "edit_template",
        site="snv",
        template_id="footer",
        session_id=own,
    )


def spray(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A list of leaked passwords is tried on accounts of all organisations."""
    everyone = [*world.staff, *world.administrators, *world.agents]
    random.shuffle(everyone)
    for who in everyone[:40]:
        yield line(
            at, "documents", outside(world, who, 15), "officer", "login", result="failure", reason="wrong_password"
        )
        at = later(at, random, 5, 25)


def mailbox(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A mailbox is opened from outside over IMAP, and its mail sent on."""
    who = outside(world, user(world, "documents", 5), 16)
    yield line(at, "documents", who, "officer", "login", auth_proto="imap", mailbox=f"{who.user}@gialai.example")
    yield line(
        later(at, random, 60, 900),
        "documents",
        who,
        "officer",
        "create_forward_rule",
        forward_to="office77@mail.example",
    )


def false_watchman(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody with an analyst's account stops what would see them, and takes the logs."""
    who, own = user(world, "soc_platform"), session(random)
    yield line(at, "soc_platform", who, "analyst", "disable_rule", rule_id="r-77", session_id=own)
    at = later(at, random, 60, 300)
    yield line(at, "soc_platform", who, "analyst", "stop_agent", target="his01", session_id=own)
    at = later(at, random, 60, 300)
    yield line(at, "soc_platform", who, "analyst", "export_logs", records=2_400_000, session_id=own)
    yield line(later(at, random, 60, 300), "medical_records", who, "admin", "disable_audit", session_id=own)


def address_sabotage(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The addresses of a commune are carried away, moved and deleted."""
    who, own = user(world, "address_map", 1), session(random)
    for action, records in (("export_households", 5_200), ("move_addresses", 1_400), ("delete_addresses", 900)):
        yield line(at, "address_map", who, "officer", action, commune_code="23851", records=records, session_id=own)
        at = later(at, random, 200, 900)


def tax_fraud(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The amount of an issued notice becomes smaller; another one is cancelled."""
    who, own = user(world, "tax_notices"), session(random)
    yield line(
        at,
        "tax_notices",
        who,
        "officer",
        "update_notice",
        notice_no="TB-00771",
        notice_state="issued",
        amount_old=91_000_000,
        amount=9_100_000,
        session_id=own,
    )
    yield line(
        later(at, random, 60, 900), "tax_notices", who, "officer", "cancel_notice", notice_no="TB-00772", session_id=own
    )


def listening(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A meeting room's endpoint is administered from outside, and told to answer by itself."""
    who = Person("admin", 0, "H21.09", "-", world.strangers[17])
    yield line(at, "video_conference", who, "admin", "admin_login", endpoint_id="hall-113", auth_method="pwd")
    at = later(at, random, 30, 200)
    yield line(
        at,
        "video_conference",
        who,
        "admin",
        "change_config",
        endpoint_id="hall-113",
        setting="auto_answer",
        value_new="on",
    )
    yield line(
        later(at, random, 2_000, 9_000),
        "video_conference",
        who,
        "endpoint",
        "join",
        meeting_id="H-00003",
        endpoint_id="x-1",
        endpoint_known=False,
    )


def border_cut(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The layer of the border is read by somebody who shouldn't, and a sensor is opened."""
    who = user(world, "ioc")
    yield line(at, "border_stations", who, "viewer", "view_layer", layer="border", session_id=session(random))
    sensor = Person("border-sync", 0, "H21.09", "-", "10.55.0.60")
    at = later(at, random, 4_000, 9_000)
    yield line(
        at, "border_stations", sensor, "sensor", "sensor_state", sensor_id="S-17", link_state="down", tamper=True
    )


def private_network(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The data card of a sensor is put into a modem, and used to reach the Internet."""
    who = Person("access-sync", 0, "H21.09", "-", "10.55.0.60")
    own = {"imsi_hash": hashed(random, 400), "apn": "m-gialai"}
    yield line(at, "access_network", who, "service", "attach", imei_changed=True, **own)
    yield line(
        later(at, random, 60, 600), "access_network", who, "service", "connect", dst_ip=world.strangers[18], **own
    )


def skimmer(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The checkout of the floor gets a script that copies cards, and a forged payment passes."""
    who = Person("shop-admin", 0, "H21.05", "-", world.strangers[19])
    yield line(
        at, "ecommerce", who, "admin", "update_template", file_name="theme/checkout.js", session_id=session(random)
    )
    gate = Person("gateway", 0, "H21.05", "-", world.strangers[19])
    yield line(
        later(at, random, 900, 4_000),
        "ecommerce",
        gate,
        "gateway",
        "payment_confirmed",
        order_id="O-00077",
        amount=8_000_000,
        webhook_sig_ok=False,
    )


def wall(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A guest's account changes what the wall of the operations centre shows, and takes data along."""
    who, own = user(world, "ioc", 2), session(random)
    yield line(at, "ioc", who, "viewer", "export_dataset", dataset="health", records=41_000, session_id=own)
    yield line(later(at, random, 60, 600), "ioc", who, "viewer", "set_wall", dataset="message", session_id=own)


def moved_figures(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Approved figures are made better, by who then approves them as well."""
    who, own = user(world, "reporting"), session(random)
    yield line(
        at,
        "reporting",
        who,
        "officer",
        "update_indicator",
        report_code=f"BC-{at:%Y%m}",
        indicator_id="I-00012",
        approved=True,
        value_old=61,
        value_new=97,
        session_id=own,
    )
    yield line(
        later(at, random, 60, 600),
        "reporting",
        who,
        "officer",
        "approve_report",
        report_code=f"BC-{at:%Y%m}",
        submitter=who.user,
        approver=who.user,
        session_id=own,
    )
