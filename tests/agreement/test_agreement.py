"""Formats agree with the expected documents at least as well as they once did."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.agreement.compare import compare, same
from tests.agreement.measure import shares

FLOORS = Path(__file__).with_name("floors.yml")  # python -m tests.agreement --floors > tests/agreement/floors.yml


def test_no_format_agrees_less_than_it_did(reference: Path) -> None:
    floors = yaml.safe_load(FLOORS.read_text("utf-8"))
    found = shares(reference)
    assert floors.keys() <= found.keys()
    assert {folder: share for folder, share in found.items() if share < floors.get(folder, 0)} == {}


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
