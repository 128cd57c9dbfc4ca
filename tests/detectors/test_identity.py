"""Names that hold for ever."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from detectors.identity import SEPARATOR, digest, event_id, event_ids, finding_id, match_id, match_ids
from detectors.schema import RECORD


def test_names_are_what_they_were() -> None:
    # a change here orphans every finding ever written
    assert event_id("auth", "file:0011", 42, 0, "line") == "8bd1faf394be1c6ebc6ddf298455d70b"
    assert match_id("r", "s", ["e2", "e1"]) == match_id("r", "s", ["e1", "e2"]) == "c988a21e5d374c1f3e3a27ea61326453"
    assert finding_id("r", "g", datetime(2026, 3, 9, 12, tzinfo=UTC)) == "55fdae21ada39d81762f5e18666d7548"


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_different_parts_have_different_digests(one: list[str], other: list[str]) -> None:
    assert (digest(one) == digest(other)) == (one == other)


def test_a_position_tells_equal_lines_apart() -> None:
    assert event_id("auth", "o", 1, 0, "x") != event_id("auth", "o", 2, 0, "x")
    assert event_id("auth", "o", 1, 0, "x") != event_id("auth", "o", 1, 1, "x")


def test_a_finding_is_named_by_rule_group_and_window() -> None:
    noon = datetime(2026, 3, 9, 12, tzinfo=UTC)
    names = {
        finding_id("r", "g", noon),
        finding_id("r2", "g", noon),
        finding_id("r", "g2", noon),
        finding_id("r", "g", noon.replace(hour=13)),
    }
    assert len(names) == 4
    assert finding_id("r", "g", noon) == finding_id("r", "g", noon)


TEXT = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.tuples(TEXT, TEXT) | st.tuples(*2 * (st.text(f"{SEPARATOR}\\ua"),)), max_size=5))
def test_many_matches_are_named_like_each(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema={"one": pl.String, "other": pl.String}, orient="row")
    assert match_ids("r", "s", frame) == [match_id("r", "s", pair) for pair in pairs]


ODD = TEXT | st.text(f"{SEPARATOR}\\ua")


@given(ODD, st.lists(st.tuples(ODD, st.integers(0, 2**40), st.integers(0, 9), ODD), max_size=5), st.booleans())
def test_many_events_are_named_like_each(source: str, rows: list[tuple[str, int, int, str]], alike: bool) -> None:
    origins = ["kafka:a:0"] * len(rows) if alike else [origin for origin, *_ in rows]
    frame = pl.DataFrame([(text, offset, index) for _, offset, index, text in rows], schema=RECORD, orient="row")
    each = [event_id(source, origin, *row[1:]) for origin, row in zip(origins, rows, strict=True)]
    assert event_ids(source, origins, frame) == each
