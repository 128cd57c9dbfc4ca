"""Small files joined into one batch mean what they mean alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import orjson
import polars as pl
import pytest

from connectors.archive import Archive
from connectors.content import Limits
from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.gathered import gathered, together
from connectors.growing import FIRST, NEARLY
from connectors.lines import records
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.findings import event_ids


@pytest.fixture(scope="module")
def definitions() -> Mapping[str, Definition]:
    return load_definitions()


def small(name: str, lines: int, source: str = "windows", *, text: bool = True) -> Batch:
    event = {"EventID": 4624, "Channel": "Security", "TimeCreated": "2026-03-09T12:00:00Z", "Hostname": name}
    rows = [orjson.dumps({**event, "Number": number}).decode() for number in range(lines)]
    joined = "\n".join(rows).encode() + b"\n" * (lines % 2)
    return Batch(
        source,
        f"file:{name}",
        f"{name}.json",
        records(rows, list(range(lines))),
        text=memoryview(joined) if text else None,
    )


def ids(batches: Iterator[Batch], definition: Definition) -> list[list[str]]:
    parser = DefinedParser(definition)
    return [event_ids(batch, parser.parse(batch, None).events) for batch in batches]


def test_events_keep_their_ids_origins_and_labels(definitions: Mapping[str, Definition]) -> None:
    batches = [small("a", 3), small("b", 200), small("c", 1)]
    alone = ids(iter(batches), definitions["windows"])
    (whole,) = gathered(batches, together(definitions))
    assert ids(iter([whole]), definitions["windows"]) == [[name for part in alone for name in part]]
    assert whole.text is not None
    assert bytes(whole.text).split() == "\n".join(whole.records["event.original"]).encode().split()
    events = DefinedParser(definitions["windows"]).parse(whole, frozenset({"Hostname"})).frame()
    assert whole.labels(events).to_list() == [f"{name}.json" for name in events["Hostname"]]


def test_a_line_that_is_no_event_names_its_own_file(definitions: Mapping[str, Definition]) -> None:
    bad = replace(small("b", 1), records=records(["{broken"], [7]), text=memoryview(b"{broken\n"))
    (whole,) = gathered([small("a", 2), bad], together(definitions))
    dead = DefinedParser(definitions["windows"]).parse(whole, None).dead
    assert dead.select("soc.origin", "log.offset").rows() == [("file:b", 7)]


def test_the_first_batches_are_small(definitions: Mapping[str, Definition]) -> None:
    batch = small("a", 2_000)
    taken = 0

    def given() -> Iterator[Batch]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield batch

    found = gathered(given(), together(definitions), Limits(records=1_000_000))
    first = len(next(found).text or b"")
    assert FIRST * NEARLY <= first <= FIRST
    assert taken * len(batch.text or b"") <= first  # it waited for no more
    assert len(next(found).text or b"") > 4 * FIRST


def test_batches_stay_bounded_and_in_order(definitions: Mapping[str, Definition]) -> None:
    batches = [small(f"f{number}", 10) for number in range(20)]
    limits = Limits(batch=5_000, records=60, line=2_000, kept=1_000)
    found = list(gathered(batches, together(definitions), limits))
    assert 1 < len(found) < 20
    assert all(len(batch.text or b"") <= 5_000 and batch.records.height <= 60 for batch in found)
    assert pl.concat(batch.records["event.original"] for batch in found).equals(
        pl.concat(batch.records["event.original"] for batch in batches)
    )


def test_what_would_mean_something_else_stays_apart(definitions: Mapping[str, Definition]) -> None:
    may = together(definitions)
    assert may(small("a", 1), small("b", 1))
    assert may(small("a", 1), replace(small("b", 1), received=date(2026, 1, 1)))  # Windows writes the year
    assert not may(small("a", 1), small("b", 1, "github"))
    assert not may(small("a", 1), small("b", 1, text=False))
    assert not may(small("a", 1, "github"), replace(small("b", 1, "github"), received=date(2026, 1, 1)))
    for source in ("iis", "zeek_conn", "postgresql"):  # a heading, or a record of several lines
        if source in definitions:
            assert not may(small("a", 1, source), small("b", 1, source))


def test_the_archive_keeps_each_file_by_its_own_name(definitions: Mapping[str, Definition], tmp_path: Path) -> None:
    batches = [small("a", 3), small("b", 2)]
    (whole,) = gathered(batches, together(definitions))
    archive, parser = Archive(tmp_path), DefinedParser(definitions["windows"])
    archive.write(whole, parser.parse(whole, None).events)
    read = {(batch.origin, batch.label): batch.records.height for batch in archive.read("windows")}
    assert read == {("file:a", "a.json"): 3, ("file:b", "b.json"): 2}
    kept = {path.name for path in tmp_path.rglob("*.parquet")}
    for batch in batches:  # alone they are the same files
        archive.write(batch, parser.parse(batch, None).events)
    assert {path.name for path in tmp_path.rglob("*.parquet")} == kept
