"""Attacks on what the province knows of people and places: dossiers, personnel, marks, patients, addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random

from connectors.simulator.acts import code, dossier_code, hashed
from connectors.simulator.applications import session
from connectors.simulator.attacks.accounts import acting, machine, outside, user
from connectors.simulator.stream import Line, later
from connectors.simulator.world import World


def scraping(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A script with an officer's password reads dossier after dossier."""
    thief = outside(world, user(world, "public_services"), 10)
    act = acting("public_services", thief, "officer", user_agent="python-requests/2.31.0")
    yield act(at, "issue_token", grant_type="password", client_id="cli")
    number, own = random.randrange(1, 200), session(random)
    for step in range(120):
        at = later(at, random, 2, 6)
        yield act(at, "view_dossier", object_id=f"H21.113-{at:%y%m%d}-{number + step:04}", session_id=own)


def tampering(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Past the login, a dossier is passed through and its signed result replaced."""
    act = acting("public_services", user(world, "public_services", 3), "officer", object_id=dossier_code(random, at))
    yield act(at, "change_state", from_state="received", to_state="completed")
    yield act(later(at, random, 30, 200), "replace_result", sign_serial="54A0")


def personnel_leak(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """A supplier's account carries the personnel database away."""
    act = acting("personnel", machine("nt-baotri", "NT.01", world.strangers[12]), "vendor")
    yield act(at, "login", auth_method="pwd")
    at = later(at, random, 60, 300)
    yield act(at, "export_records", records=random.randrange(2_000, 4_000), export_format="csv")
    yield act(later(at, random, 60, 300), "backup_database")


def changed_marks(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """At night somebody opens a locked class and mends marks."""
    who, own = user(world, "school_records", 2), session(random)
    act = acting("school_records", who, "teacher", school_code="52007", class_id="12A2", session_id=own)
    yield act(at, "unlock_class")
    for step in range(9):
        at = later(at, random, 20, 90)
        mark = {"subject": "toan", "lock_state": "locked" if step > 5 else "open", "grade_old": 5, "grade_new": 9}
        yield act(at, "update_mark", pupil_id=code(random, "P", 20_000), **mark)


def curious_nurse(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """Somebody of a hospital reads the records of people who aren't its patients."""
    who, own = user(world, "medical_records", 3), session(random)
    act = acting("medical_records", who, "nurse", facility_code="52101", signed=True, session_id=own)
    for _ in range(16):
        yield act(at, "view_record", patient_hash=hashed(random))
        at = later(at, random, 60, 400)


def sold_lookups(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """An officer looks up citizens for money, late in the evening, without dossiers."""
    who, own = user(world, "population_queries", 1), session(random)
    act = acting("population_queries", who, "officer", consumer_app="onestop", session_id=own)
    for _ in range(55):
        yield act(at, "query_citizen", citizen_hash=hashed(random))
        at = later(at, random, 15, 60)


def address_sabotage(world: World, random: Random, at: datetime) -> Iterator[Line]:
    """The addresses of a commune are carried away, moved and deleted."""
    who, own = user(world, "address_map", 1), session(random)
    act = acting("address_map", who, "officer", commune_code="23851", session_id=own)
    for action, records in (("export_households", 5_200), ("move_addresses", 1_400), ("delete_addresses", 900)):
        yield act(at, action, records=records)
        at = later(at, random, 200, 900)
