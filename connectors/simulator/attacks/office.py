"""Attacks on the work of offices: meetings, signatures, pages, mail and reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

from connectors.simulator.applications import session
from connectors.simulator.attacks.accounts import acting, machine, outside, user
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World


def meeting_documents(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A member's account, guessed from outside, takes all documents of the week."""
    thief = outside(world, user(world, "ecabinet", 1), 11)
    guess = acting("ecabinet", thief, "member", result="failure", reason="wrong_password")
    for _ in range(7):
        yield guess(at, "login")
        at = later(at, random, 6, 30)
    act = acting("ecabinet", thief, "member", session_id=session(random))
    yield act(at, "login")
    yield act(later(at, random, 4, 9), "register_device", device_id="tab-new")
    for step in range(36):
        at = later(at, random, 9, 20)
        name = {"meeting_id": f"M-{step // 8:03}", "object_id": f"D-{step // 8:03}-{step % 8}"}
        yield act(at, "download_document", invited=step < 8, **name)


def stolen_signature(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A signer's key is used elsewhere after guesses of the PIN, while the signer works; also once it is revoked."""
    who, key = user(world, "digital_signature"), {"cert_serial": "54AB77", "sign_method": "HSM"}
    thief = replace(who, ip=user(world, "documents", 7).ip)
    guess = acting("digital_signature", thief, "officer", result="denied", reason="wrong_pin", **key)
    for _ in range(5):
        yield guess(at, "sign")
        at = later(at, random, 5, 40)
    signer = acting("digital_signature", who, "officer", signer_site="site-a", batch_size=1, **key)
    other = acting("digital_signature", thief, "officer", signer_site="site-b", batch_size=1, **key)
    for sign in (signer, other) * 3:
        yield sign(at, "sign", verify_result="valid")
        at = later(at, random, 60, 150)
    yield other(at, "sign", verify_result="revoked")


def gambling_pages(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An editor's account, bought, uploads a script and publishes pages for search engines."""
    thief, own = outside(world, user(world, "portal_cms"), 14), session(random)
    act = acting("portal_cms", thief, "editor", session_id=own)
    yield act(at, "login")
    at = later(at, random, 60, 200)
    yield act(at, "upload_file", site="snv", file_name="thumb.php")
    for title in ("Nổ hũ đổi thưởng uy tín", "Tài xỉu online 2026", "Soi cầu bạch thủ hôm nay"):
        at = later(at, random, 60, 400)
        yield act(at, "publish_article", site="snv", title=title, ext_links_added=random.randrange(11, 40))
    yield act(later(at, random, 60, 400), "edit_template", site="snv", template_id="footer")


def spray(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A list of leaked passwords is tried on accounts of all organisations."""
    everyone = [*world.staff, *world.administrators, *world.agents]
    random.shuffle(everyone)
    for who in everyone[:40]:
        guess = acting("documents", outside(world, who, 15), "officer", result="failure", reason="wrong_password")
        yield guess(at, "login")
        at = later(at, random, 5, 25)


def mailbox(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A mailbox is opened from outside over IMAP, and its mail sent on."""
    thief = outside(world, user(world, "documents", 5), 16)
    act = acting("documents", thief, "officer")
    yield act(at, "login", auth_proto="imap", mailbox=f"{thief.user}@gialai.example")
    yield act(later(at, random, 60, 900), "create_forward_rule", forward_to="office77@mail.example")


def moved_figures(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Approved figures are made better, by who then approves them as well."""
    who, own = user(world, "reporting"), session(random)
    act = acting("reporting", who, "officer", report_code=f"BC-{at:%Y%m}", session_id=own)
    yield act(at, "update_indicator", indicator_id="I-00012", approved=True, value_old=61, value_new=97)
    yield act(later(at, random, 60, 600), "approve_report", submitter=who.user, approver=who.user)


def listening(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A meeting room's endpoint is administered from outside, and told to answer by itself."""
    who = machine("admin", "H21.09", world.strangers[17])
    hall = acting("video_conference", who, "admin", endpoint_id="hall-113")
    yield hall(at, "admin_login", auth_method="pwd")
    at = later(at, random, 30, 200)
    yield hall(at, "change_config", setting="auto_answer", value_new="on")
    ear = acting("video_conference", who, "endpoint", endpoint_id="x-1", endpoint_known=False)
    yield ear(later(at, random, 2_000, 9_000), "join", meeting_id="H-00003")
