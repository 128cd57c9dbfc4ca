"""Formats agree with the expected documents at least as well as they once did."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.agreement.compare import Tally, compare, same, vocabulary
from tests.agreement.measure import formats, tallies

WHOLE, EACH = 0.97, 0.9  # what is agreed at least, over all and of each format
FLOORS = Path(__file__).with_name("floors.yml")  # python -m tests.agreement --floors > tests/agreement/floors.yml


@pytest.fixture(scope="module")
def found(reference: Path) -> dict[str, Tally]:
    return tallies(reference)


def test_no_format_agrees_less_than_it_did(found: dict[str, Tally]) -> None:
    floors = yaml.safe_load(FLOORS.read_text("utf-8"))
    assert floors.keys() <= found.keys()
    assert {folder: each.share for folder, each in found.items() if each.share < floors.get(folder, 0)} == {}


def test_enough_agrees(found: dict[str, Tally]) -> None:
    whole = Tally()
    for each in found.values():
        whole.add(each)
    assert whole.share >= WHOLE
    assert {name: each.share for name, each in formats(found).items() if each.share < EACH} == {}


def test_what_ecs_does_not_say_does_not_count(reference: Path) -> None:
    said = vocabulary(reference).said(
        {"event.type": ["info", "flow"], "event.outcome": "allow", "user.selinux.role": "r"}
    )
    assert said == {"event.type": ["info"]}


def test_a_record_may_be_written_otherwise() -> None:
    expected = {"event.original": '{ "a": 1 },'}
    assert compare(expected, {"event.original": '{"a":1}'}, {}, frozenset(), "x:1").equal == 1
    assert compare(expected, {"event.original": '{"a":2}'}, {}, frozenset(), "x:1").equal == 0
    assert compare({"event.original": ["one", "two"]}, {"event.original": "two"}, {}, frozenset(), "x:1").equal == 1


def test_a_record_may_be_without_the_header_of_its_line() -> None:
    expected = {"event.original": "%ASA-6-1: text"}
    whole = "May  5 17:51:17 dev01: %ASA-6-1: text"
    assert compare(expected, {"event.original": whole}, {}, frozenset(), "x:1").equal == 1
    assert compare(expected, {"event.original": f"May  5 {whole}"}, {}, frozenset(), "x:1").equal == 0


def test_values_are_compared_by_meaning() -> None:
    assert same("443", 443)
    assert same(["a", "b"], ["b", "a"])
    assert same("a", ["a"])
    assert same("2026-03-02T08:00:00+07:00", "2026-03-02T01:00:00.000Z")
    assert not same(None, "None")
    assert not same("a", ["a", "b"])


def test_fields_that_were_given_or_change_do_not_count() -> None:
    expected = {
        "user.name": "lan",
        "event.created": "now",
        "host.name": "h",
        "cisco.asa.x": "1",
        "source.geo.name": "x",
    }
    tally = compare(expected, {"user.name": "lan"}, {"host.name": "h"}, frozenset({"event.created"}), "x:1")
    assert (tally.fields, tally.equal) == (1, 1)
