"""A real Windows event matches the same rules and has the same columns, whatever shipper brought it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.connectors import shapes
from tests.connectors.reading import scan
from tests.connectors.shapes import RENDERED, SHAPES, Record, carries, event
from tests.property import real

pytestmark = pytest.mark.reference
BEATS = ("Winlogbeat 7 and 8", "Winlogbeat 5 and 6")


def fired(folder: Path, lines: list[str]) -> list[set[str]]:
    """Return the ids of the rules that each record matches."""
    engine, dialect = real.engine(folder), real.windows().dialect
    hits = engine.detect(dialect, real.parsed(lines, engine.wanted(dialect)))
    assert engine.failures == {}
    found: list[set[str]] = [set() for _ in lines]
    for number, row in zip(hits.rule.tolist(), hits.row.tolist(), strict=True):
        found[row].add(engine.rules[number].meta.id)
    return found


def columns(lines: list[str]) -> list[Record]:
    """Return the values that each record's event has."""
    own = ("event.original", "log.offset", "soc.index")
    rows = real.parsed(lines, None).to_dicts()
    return [{name: value for name, value in row.items() if value is not None and name not in own} for row in rows]


@pytest.fixture(scope="module")
def records(reference: Path) -> list[str]:
    return [line for lines in real.evtx(reference).values() for line in lines]


@pytest.fixture(scope="module")
def expected_rules(reference: Path, records: list[str]) -> list[set[str]]:
    found = fired(reference, records)
    assert sum(map(len, found)) > 250
    return found


@pytest.fixture(scope="module")
def expected_columns(records: list[str]) -> list[Record]:
    return columns(records)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_matches_the_same_rules(
    shape: str, reference: Path, records: list[str], expected_rules: list[set[str]]
) -> None:
    chosen, lines = converted(shape, records)
    wrong = {
        number: found ^ expected_rules[number] for number, found in zip(chosen, fired(reference, lines), strict=True)
    }
    assert {number: rules for number, rules in wrong.items() if rules} == {}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_the_same_columns(shape: str, records: list[str], expected_columns: list[Record]) -> None:
    chosen, lines = converted(shape, records)
    wrong: Counter[tuple[str, Any, Any]] = Counter()
    for number, found in zip(chosen, columns(lines), strict=True):
        expected = expected_columns[number]
        # NXLog's own fields stand side by side with the event's
        names = expected.keys() if shape == "NXLog" else expected.keys() | found.keys()
        wrong.update(
            (name, expected.get(name), found.get(name))
            for name in names
            if expected.get(name) != found.get(name) and not (shape in BEATS and written_otherwise(name))
        )
    assert not wrong


def written_otherwise(name: str) -> bool:
    """Say whether Winlogbeat gives a column another content: it numbers data without names as some events do theirs."""
    return name in {*RENDERED, "Data", "xml_name"} or name.startswith("param")


def converted(shape: str, records: list[str]) -> tuple[list[int], list[str]]:
    """Return which records the shape holds whole, and what they are in it."""
    events = [event(line) for line in records]
    chosen = [number for number, given in enumerate(events) if carries(shape, given)]
    assert len(chosen) > 600
    return chosen, [json.dumps(SHAPES[shape](events[number])) for number in chosen]


def test_recorded_json_matches_as_its_log_does(reference: Path) -> None:
    """SigmaHQ's regression sets hold each event twice."""
    sets = sorted((reference / "evtx/sigma-regression").rglob("*.json"))
    assert len(sets) == 40
    logs = [line for path in sets for line in scan(path.with_suffix(".evtx"), source="windows").texts]
    texts = [line for path in sets for line in scan(path, source="windows").texts]
    found = fired(reference, texts)
    assert all(found)
    assert found == fired(reference, logs)


def test_what_winlogbeat_made_of_a_log_matches_as_the_log_does(reference: Path) -> None:
    """Winlogbeat's modules move data to other fields and leave some out; no rule that fires here asks for those."""
    logs: list[str] = []
    beats: list[str] = []
    for path in sorted((reference / "evtx/winlogbeat-golden").rglob("*.golden.json")):
        log = scan(path.with_name(path.name.removesuffix(".golden.json")), source="windows").texts
        numbered = {shapes.event(line).system["EventRecordID"]: line for line in log}
        for document in json.loads(path.read_text("utf-8")):
            logs.append(numbered[int(document["winlog"]["record_id"])])
            beats.append(json.dumps(document))
    assert len(beats) == 226
    found = fired(reference, beats)
    assert found == fired(reference, logs)
    assert sum(map(len, found)) == 10
