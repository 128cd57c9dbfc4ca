"""The stream of lines: repeatable anywhere, in order, bounded, and shaped like the life of offices."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import islice, pairwise
from pathlib import Path

import pytest

from connectors.simulator import Line, Province, Summary, load, simulate
from connectors.simulator.attacks import ATTACKS
from detectors.errors import UsageError
from tests.connectors.simulator.conftest import START

# Of seed 1, one day. It changes whenever the simulator does; it must not change with the machine.
DIGEST = "10582370c44f675928456b4853f5d449051674bef8a357a371b374ab59850c13"
TELL = "from tests.connectors.simulator.test_simulate import *; print(digest(simulate(load(), 1, START, 1)))"
ADDRESS = re.compile(r"(?<![/\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
ALLOWED = [IPv4Network(block) for block in ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]


def digest(lines: Iterable[Line]) -> str:
    whole = hashlib.sha256()
    for line in lines:
        whole.update(f"{line.at.isoformat()}\x1f{line.source}\x1f{line.attack}\x1f{line.text}\n".encode())
    return whole.hexdigest()


@pytest.fixture(scope="module")
def day() -> list[Line]:
    return list(simulate(load(), 1, START, 1))


def test_the_same_seed_gives_the_same_bytes(day: list[Line]) -> None:
    assert digest(day) == DIGEST


def test_neither_hash_seed_nor_time_zone_nor_language_matter() -> None:
    setting = os.environ | {"PYTHONHASHSEED": "99", "TZ": "America/Bogota", "LC_ALL": "C"}
    root = Path(__file__).parents[3]
    answer = subprocess.run([sys.executable, "-c", TELL], cwd=root, env=setting, check=True, capture_output=True)
    assert answer.stdout.decode().strip() == DIGEST


def test_another_seed_gives_other_lines(day: list[Line]) -> None:
    other = islice(simulate(load(), 2, START, 1), len(day))
    assert sum(one.text == two.text for one, two in zip(day, other, strict=False)) < len(day) / 100


def test_lines_come_in_order_within_their_days(day: list[Line]) -> None:
    assert all(one.at <= two.at for one, two in pairwise(day))
    assert {line.at.date() for line in day} == {START}


def test_a_year_is_begun_at_once_and_memory_stays_small() -> None:
    tracemalloc.start()
    try:
        seen = sum(1 for _ in islice(simulate(load(), 1, START, 366), 8_000))
        assert seen == 8_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_offices_keep_their_hours(day: list[Line]) -> None:
    tickets = Counter(line.at.hour for line in day if line.source == "windows" and '"EventID":4769' in line.text)
    assert tickets[9] > 2 * tickets[12] > tickets[3]  # work, lunch, night
    assert tickets[3] > 0  # computers don't sleep


def test_a_holiday_is_quieter_than_a_working_day() -> None:
    def logons(start: date) -> int:
        return sum('"EventID":4768' in line.text for line in simulate(load(), 1, start, 1))

    assert logons(date(2026, 11, 24)) < logons(date(2026, 11, 25)) / 5


def test_every_address_is_private_or_for_documentation(day: list[Line]) -> None:
    addresses = {found for line in day for found in ADDRESS.findall(line.text)}
    assert len(addresses) > 100
    strangers = [one for one in addresses if not any(IPv4Address(one) in block for block in ALLOWED)]
    assert strangers == []


def test_no_line_says_that_it_is_an_attack(simulated: Summary) -> None:
    marks = [attack.id for attack in ATTACKS]
    for log in simulated.logs:
        text = log.read_text(encoding="utf-8")
        assert not [mark for mark in marks if mark in text]


def test_normal_work_holds_what_attacks_hold(simulated: Summary, town: Province) -> None:
    """Otherwise a rule could be right by looking for one odd word."""
    texts = {log.parent.name: log.read_text(encoding="utf-8") for log in simulated.logs}
    expected = {
        "auth": ("Failed password for", "Accepted password for", "COMMAND=/usr/bin/tail"),
        "portal": ("/.env HTTP", "POST /cong-dan-hoi/gui", "union"),
        "windows": ('"EventID":4625', '"EventID":4720', '"EventID":4728', '"EventID":7045', "wevtutil", "0x17"),
        "hotline_1022": ("export_tickets", "view_reporter", '"result":"failure"'),
    }
    truth = {line.text for line in simulate(town, 7, START, 2) if line.attack}
    for source, words in expected.items():
        normal = [line for line in texts[source].splitlines() if line not in truth]
        assert [word for word in words if not any(word in line for line in normal)] == []


def test_tet_is_quiet_and_a_saturday_worked_for_it_is_not(village: Province) -> None:
    """As the work calendar says, which knows days that no weekday tells."""

    def logons(start: date) -> int:
        return sum('"EventID":4768' in line.text for line in simulate(village, 1, start, 1))

    assert logons(date(2026, 2, 17)) < logons(date(2026, 3, 10)) / 4  # first day of the year, a Tuesday
    assert logons(date(2026, 8, 22)) > 4 * logons(date(2026, 8, 15))  # Saturdays, one of them worked


def test_seasons_make_systems_busy(village: Province) -> None:
    def marks(start: date) -> int:
        return sum(line.source == "school_records" for line in simulate(village, 1, start, 1))

    assert marks(date(2026, 5, 12)) > 1.4 * marks(date(2026, 5, 5))


def test_named_attacks_are_played_alone(village: Province) -> None:
    wanted = ("toll-fraud", "false-router")
    assert {line.attack for line in simulate(village, 1, START, 3, wanted)} == {None, *wanted}


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [("tol-fraud", 3, "did you mean `toll-fraud`?"), ("xyz", 3, "choose from"), ("false-router", 2, "--days 3")],
)
def test_an_attack_that_is_not_is_named(village: Province, name: str, days: int, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        simulate(village, 1, START, days, [name])
    assert said in str(caught.value)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_impossible_spans_are_refused(days: int) -> None:
    with pytest.raises(UsageError, match="days can't be simulated"):
        simulate(load(), 1, START, days)


def test_the_zone_is_kept(day: list[Line]) -> None:
    assert {line.at.utcoffset() for line in day} == {timedelta(hours=7)}
    assert isinstance(day[0].at, datetime)
