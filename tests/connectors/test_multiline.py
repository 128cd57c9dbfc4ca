"""Lines that are one record are joined where their first one stood; nothing else moves."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import multiline
from connectors.formats.mysql_slow import MysqlSlow
from connectors.multiline import carried, joined
from detectors.contracts import Batch
from detectors.schema import RECORD

SLOW = (
    "# Time: 260302 8:15:00",
    "# User@Host: lan[lan] @ localhost []",
    "# Query_time: 2.5  Lock_time: 0",
    "SELECT 1;",
    "# User@Host: minh[minh] @ localhost []",
    "# Query_time: 0.5  Lock_time: 0",
    "SELECT 2;",
)


def batch(*lines: str) -> Batch:
    rows = [(line, 100 + place, place) for place, line in enumerate(lines)]
    return Batch("x", "file:x", "x", pl.DataFrame(rows, schema=RECORD, orient="row"))


@given(st.lists(st.sampled_from(["A", "b", "c"]), max_size=12))
def test_lines_are_joined_as_a_plain_loop_joins_them(lines: list[str]) -> None:
    expected: list[list[str]] = []
    for line in lines:
        if line != "A" and expected and expected[-1][0] == "A":
            expected[-1].append(line)
        else:
            expected.append([line])
    records = joined(batch(*lines), "^A").records
    assert records["event.original"].to_list() == ["\n".join(record) for record in expected]


def test_a_record_has_the_place_of_its_first_line() -> None:
    records = joined(batch("x", "A1", "b", "A2"), "^A").records
    assert records.rows() == [("x", 100, 0), ("A1\nb", 101, 1), ("A2", 103, 3)]


def test_a_record_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiline, "LONGEST", 2)
    assert joined(batch("A", "b", "c", "d"), "^A").records["event.original"].to_list() == ["A\nb", "c", "d"]


def test_a_format_may_tell_what_belongs_together() -> None:
    records = joined(batch("Tcp port: 3306", *SLOW), None, MysqlSlow()).records["event.original"]
    assert records.to_list() == ["Tcp port: 3306", "\n".join(SLOW[:4]), "\n".join(SLOW[4:])]


@given(st.lists(st.sampled_from(["A", "b", "c"]), max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_records_are_the_same_however_their_lines_are_cut_into_batches(lines: list[str], cuts: list[int]) -> None:
    rows = batch(*lines).records
    places = [0, *sorted(min(cut, rows.height) for cut in cuts), rows.height]
    parts = [replace(batch(), records=rows[first:last]) for first, last in pairwise(places)]
    read = [part.records for part in carried(parts, lambda _: ("^A", None))]
    whole = joined(batch(*lines), "^A").records
    assert pl.concat(read or [whole.clear()]).rows() == whole.rows()


def test_lines_of_another_file_never_belong_to_the_record_before() -> None:
    one, other = batch("A", "b"), replace(batch("c"), origin="file:y")
    read = [part.records["event.original"].to_list() for part in carried([one, other], lambda _: ("^A", None))]
    assert read == [["A\nb"], ["c"]]


def test_a_record_without_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiline, "LONGEST", 3)
    read = carried(iter([batch("A", "b"), batch("b", "c"), batch("d")]), lambda _: ("^A", None))
    assert next(read).records["event.original"].to_list() == ["A\nb\nb", "c"]
