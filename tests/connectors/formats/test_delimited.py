"""Delimited lines: values by their place, quoted or not, however short or damaged the line."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.delimited import Delimited, _cut
from connectors.formats.frames import ERROR
from tests.connectors.formats.bothways import both

READER = Delimited(columns=["a", "b", "c", "d"])
CELL = st.sampled_from(["", "x", "a b", '"q,r"', '"say ""hi"""', "é", "-", '""'])


def parse(*lines: str) -> list[dict[str, str | None]]:
    return READER.parse(pl.Series(lines), frozenset("abcd")).to_dicts()


def test_values_stand_in_their_columns() -> None:
    assert parse('1,"x, y",,"say ""hi""",more')[0] == {"a": "1", "b": "x, y", "c": None, "d": 'say "hi"', ERROR: None}


def test_a_line_may_be_short_or_broken() -> None:
    rows = parse("1,2", '1,"open,3,4', "nothing", '1,mid"dle,3,4', "1,2,3,4")
    assert [row["a"] for row in rows] == ["1", "1", None, "1", "1"]
    assert [row["d"] for row in rows] == [None, "4", None, "4", "4"]
    assert rows[2][ERROR] == "no line of values"


def test_layouts_go_by_a_value() -> None:
    reader = Delimited(layouts={"A|B": ["kind", "x"], "C": ["kind", "_", "y"]}, columns=["kind"])
    frame = reader.parse(pl.Series(["A,1,2", "C,1,2", "D,1,2", "B,3"]), None)
    assert frame["x"].to_list() == ["1", None, None, "3"]
    assert frame["y"].to_list() == [None, "2", None, None]
    assert frame["kind"].to_list() == ["A", "C", "D", "B"]


BITS = st.sampled_from(
    ["", "A", "B,", ",", ",,", "x", " ", '"', '""', '"q,r"', '"a""b"', "é", "ạ", "\u00a0", "\n", "<1>h p: "]
)
READERS = [
    READER,
    Delimited(columns=["a", "b"], layouts={"A|B": ["a", "_", "c"], "C": ["d", "a", "a"]}, least=1),
    Delimited(columns=["a", "b", "c"], start=r"((?:A|x),.*)$", by=1, layouts={"x": ["a", "b", "c", "d"]}),
]


@pytest.mark.usefixtures("machine_code")
@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(READERS),
    st.lists(st.lists(BITS, max_size=9).map("".join) | st.none(), min_size=1, max_size=6),
    st.sampled_from([None, frozenset("abcd") | {"syslog_hostname"}]),
)
def test_machine_code_finds_the_same(reader: Delimited, lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(reader, lines, wanted)
    assert machine == patterns


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=6), min_size=1, max_size=5))
def test_both_readers_agree(rows: list[list[str]]) -> None:
    lines = pl.Series([",".join(cells) for cells in rows])
    found = READER.parse(lines, frozenset("abcd"))
    for place, name in enumerate("abcd"):
        plain = _cut(lines, ",", [place])[0]
        assert found[name].to_list() == plain.set(plain == "", None).to_list()
