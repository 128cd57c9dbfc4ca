"""A column's values count once, and every row keeps its own."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contracts import Dialect, LogSource
from detectors.sigma.engine import Engine
from tests.detectors.sigma.asking import DIALECT, Event, compiled, frame, matching, which

CELLS = st.one_of(
    st.none(), st.sampled_from(["", "x", "X", "xy", "5"]), st.lists(st.sampled_from([None, "", "x", "5"]), max_size=3)
)
ITEMS = [
    "f: x",
    "f|contains: x",
    "f: ''",
    "f: null",
    "f|exists: true",
    "f: 5",
    "f|neq: x",
    "f|fieldref: f",
    "f|re: '^x'",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(CELLS, min_size=1, max_size=12), st.integers(1, 300))
def test_a_value_matches_alike_alone_among_others_and_repeated(
    cells: list[str | list[str | None] | None], times: int
) -> None:
    engine = Engine([compiled(item) for item in ITEMS])
    alone = [set(engine.detect(DIALECT, frame([{"f": cell}])).rule.tolist()) for cell in cells]
    hits = engine.detect(DIALECT, frame([{"f": cell} for cell in cells * times]))
    for row in {0, len(cells) - 1, len(cells) * times - 1}:
        assert set(hits.rule[hits.row == row].tolist()) == alone[row % len(cells)]
    assert hits.row.size == times * sum(map(len, alone))


@given(st.lists(st.tuples(*[st.sampled_from([None, "", "x", "y"])] * 3), min_size=1, max_size=8))
def test_the_first_name_with_a_value_gives_it(rows: list[tuple[str | None, ...]]) -> None:
    dialect = Dialect("named", LogSource(category="test"), {"Field": ("b", "c")}, structured=True)
    events: list[Event] = [dict(zip(("Field", "b", "c"), row, strict=True)) for row in rows]
    held = [next((value for value in row if value is not None), None) for row in rows]
    for value in ("x", "", None):
        rule = compiled(yaml.safe_dump({"Field": value}))
        assert which(rule, events, dialect) == [row for row, mine in enumerate(held) if mine == value]


@pytest.mark.parametrize("height", [1, 1_999, 2_000, 2_001, 70_000])
def test_rows_are_told_apart_at_every_height(height: int) -> None:
    events: list[Event] = [{"f": "x" if row in (0, height - 1) else None if row % 3 else "y"} for row in range(height)]
    assert matching("f: x", *events) == sorted({0, height - 1})
    assert len(matching("f: null", *events)) == sum(event["f"] is None for event in events)
