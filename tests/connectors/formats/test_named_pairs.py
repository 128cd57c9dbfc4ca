"""A search for keys finds what cutting all pairs finds."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.keyvalue import KeyValue
from connectors.formats.named_pairs import odd

PIECES = st.sampled_from(
    [*'ab==""  \\[5:é-.<', "ab", "a=1", ' b="x y"', ' a=""', '\\"', "<189>"],
)
KEYS = frozenset({"a", "b"})


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=6))
@example(['<189>a=1 b="x a=2 y"', "b=http://x/?a=1 a=2", 'x:a=1 [b=2 a="3"', 'b="1"a=2', "5a=1", 'a="x\\"y" b=1'])
@example(["a= b=1", 'a="', 'a="x', 'a=x" b=1', "a=1 a=2", "=a=1", '"=a=1', 'a=" x "', "a=\t1"])
def test_both_ways_find_the_same(lines: list[str]) -> None:
    text, reader = pl.Series(lines, dtype=pl.String), KeyValue()
    every = reader.parse(text, None)
    found = reader.parse(text, KEYS)
    for key in sorted(KEYS):
        whole = every[key].to_list() if key in every.columns else [None] * len(lines)
        assert found[key].to_list() == whole


def test_usual_lines_are_searched() -> None:
    line = '<189>date=2026-03-02 time=08:15:00 devname="FG-01" srcip=192.0.2.7 msg="File is infected" url="/a b"'
    assert not odd(
        pl.Series([line.removeprefix("<189>"), 'Jan  3 13:45:36 fw id=firewall sn=1 time="2007-01-03 14:48"'])
    ).any()
