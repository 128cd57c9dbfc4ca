"""Pairs that machine code finds are those that patterns find, whatever stands around keys and values."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.keyvalue import KeyValue
from tests.connectors.formats.bothways import both

pytestmark = pytest.mark.usefixtures("machine_code")

PIECES = st.sampled_from(
    [*"ab==\"'  \\[5:é-.<,;()\n", "ab", "a=1", ' b="x y"', ' a=""', '\\"', "<189>", "b: c", "\u00a0", "ạ"],
)
KEYS = frozenset({"a", "b"})
READERS = [
    KeyValue(),
    KeyValue(quotes="'\""),
    KeyValue(equals=":=", start=r"\[?a"),
    KeyValue(separator=",;", sparse=True),
    KeyValue(quotes="", separator=","),
    KeyValue(quotes=""),
    KeyValue(equals=":", separator=",", quotes="", blanks=True),
    KeyValue(equals=":", separator=",", quotes="", blanks=True, start="a"),
]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(READERS),
    st.lists(st.lists(PIECES, max_size=14).map("".join) | st.none(), min_size=1, max_size=6),
    st.sampled_from([None, KEYS]),
)
@example(READERS[0], ['<189>a=1 b="x a=2 y"', "b=http://x/?a=1 a=2", 'x:a=1 [b=2 a="3"', 'b="1"a=2', "5a=1"], KEYS)
@example(READERS[0], ["a= b=1", 'a="', 'a="x', 'a=x" b=1', "a=1 a=2", "=a=1", '"=a=1', 'a=" x "', "a=\t1", '"'], None)
def test_both_ways_find_the_same(reader: KeyValue, lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(reader, lines, wanted)
    assert machine == patterns


def test_of_a_million_keys_no_more_are_kept_than_a_batch_may_bring() -> None:
    lines = [" ".join(f"k{row}_{key}=1" for key in range(100)) for row in range(30)]
    made = KeyValue().parse(pl.Series(lines), None).columns
    assert sum(name.startswith("k") for name in made) == 2_000
