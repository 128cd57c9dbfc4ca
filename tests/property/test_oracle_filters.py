"""Filters mean what pySigma makes of them: its SQLite backend, given rule and filters, finds what is left here."""

from __future__ import annotations

import sqlite3
from itertools import product
from typing import Any

import numpy as np
import pytest
import yaml
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

from detectors.content import contents
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from tests.detectors.sigma.asking import DIALECT, Event, frame
from tests.property.oracle import search

RULE: dict[str, Any] = {
    "title": "r",
    "name": "odd_thing",
    "id": "00000000-0000-4000-8000-000000000001",
    "logsource": {"category": "test"},
    "detection": {"sel": {"f": ["x", "y"]}, "condition": "sel"},
}
EVENTS: list[Event] = [
    dict(zip(("f", "by", "host"), values, strict=True))
    for values in product(("x", "z", None), ("lan", "LAN", "adm-1", "", None), ("192.0.2.7", "web", None))
]
MINE = [RULE["id"]]


def section(condition: str, rules: Any = MINE, **parts: Any) -> dict[str, Any]:
    return {"rules": rules, **(parts or {"sel": {"by": "lan"}}), "condition": condition}


CASES = {
    "as people mean it": [section("not sel")],
    "the example of the specification": [section("sel")],
    "any rule": [section("not sel", "any")],
    "by name": [section("not sel", ["odd_thing"])],
    "several parts": [section("not (sel or host)", sel={"by|startswith": "adm"}, host={"host|cidr": "192.0.2.0/24"})],
    "a pattern": [section("not 1 of sel_*", sel_1={"by": "lan"}, sel_2={"host": "web"})],
    "all of them": [section("not all of them", one={"by|contains": "a"}, two={"host|re": "^w"})],
    "and not": [section("other and not sel", sel={"by": "lan"}, other={"host|endswith": "b"})],
    "null": [section("not sel", sel={"by": None})],
    "empty": [section("not sel", sel={"by": ""})],
    "neq": [section("sel", sel={"by|neq": "lan"})],
    "a list of maps": [section("not sel", sel=[{"by": "lan"}, {"host": "web"}])],
    "two filters": [section("not sel"), section("not sel", "any", sel={"host": "web"})],
    "two that leave nothing": [section("not sel"), section("sel")],
}


@pytest.mark.parametrize("filters", CASES.values(), ids=CASES)
@pytest.mark.parametrize("logsource", [{"category": "test"}, {"category": "other"}], ids=["covered", "elsewhere"])
def test_what_is_left_is_what_pysigma_finds(filters: list[dict[str, Any]], logsource: dict[str, str]) -> None:
    if logsource != RULE["logsource"]:
        filters = [each | {"rules": "any"} for each in filters]  # naming a rule elsewhere is a fault here
    written = [{"title": "e", "logsource": logsource, "filter": each} for each in filters]
    assert left(written) == found(written)


def left(written: list[dict[str, Any]]) -> list[int]:
    """Return the events that match here in spite of the filters."""
    (rule,) = contents(yaml.safe_dump(RULE), "r.yml")
    assert isinstance(rule, Rule)
    made = [each for text in map(yaml.safe_dump, written) for each in contents(text, "f.yml")]
    events, filters = frame(EVENTS), [each for each in made if isinstance(each, Filter)]
    assert len(filters) == len(written)
    hits = Engine([rule]).detect(DIALECT, events)
    taken = Exceptions(filters, [rule]).take(DIALECT, events, hits)
    rows: list[int] = np.delete(hits.row, np.unique(taken.hit)).tolist()
    return rows


def found(written: list[dict[str, Any]]) -> list[int]:
    """Return the events that pySigma's query finds."""
    backend = sqliteBackend()  # type: ignore[no-untyped-call]  # as it ships
    (query,) = backend.convert(SigmaCollection.from_dicts([RULE, *written]))
    with sqlite3.connect(":memory:") as connection:
        connection.create_function("regexp", 2, search, deterministic=True)
        connection.execute(
            "CREATE TABLE logs (f TEXT COLLATE NOCASE, by TEXT COLLATE NOCASE, host TEXT COLLATE NOCASE)"
        )
        rows = [tuple(event.values()) for event in EVENTS]
        connection.executemany("INSERT INTO logs VALUES (?, ?, ?)", rows)
        answer = connection.execute(str(query).replace("SELECT *", "SELECT rowid", 1)).fetchall()
    return sorted(row - 1 for (row,) in answer)
