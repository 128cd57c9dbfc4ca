"""CEF as machine code reads it is CEF as patterns read it, however it is damaged."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.cef import Cef
from connectors.formats.frames import ERROR
from tests.connectors.formats.bothways import both

pytestmark = pytest.mark.usefixtures("machine_code")

HEAD = "<13>Mar  2 08:15:00 fw CEF:0|V|P\\|x|1|100|Port \\\\ scan|5|"
BITS = [
    "a",
    "src",
    "=",
    " ",
    "\t",
    "\\",
    "\\=",
    "\\n",
    "|",
    "CEF:0|",
    "\u00a0",
    "\u2003",
    "ạ",
    "é ",
    "msg=a b",
    " b.c[0]=",
]
NAMES = frozenset({"a", "src", "msg", "vendor", "name", "severity", "syslog_hostname", "syslog_timestamp"})
TAILS = st.lists(st.sampled_from(BITS), max_size=14).map("".join)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        TAILS.map(lambda tail: HEAD + tail)
        | st.tuples(st.integers(0, len(HEAD)), TAILS).map(lambda part: HEAD[: part[0]] + part[1])
        | st.none(),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([None, NAMES]),
)
@example([f"{HEAD}garbage first src=1  msg= a\\=b \\n c a=1 a=2 ", "CEF: 1|V|P|1|2|N|9", "CEF:0|V|P|1|2|N|\\"], None)
@example(["CEF:x CEF:0|V|P|1|2|N|9|a=\u00a0b src=1", "CEF:\u0661|a|b|c|d|e|f|a=1", f"{HEAD}ạ=1 bạ=2 a=ạ"], NAMES)
def test_both_ways_read_the_same(lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(Cef(), lines, wanted)
    assert machine == patterns


def test_values_stand_under_their_keys() -> None:
    row = Cef().parse(pl.Series([f"{HEAD}what src=192.0.2.7 msg=a\\=b and\\nmore cs1="]), None).row(0, named=True)
    assert (row["src"], row["msg"], row["cs1"]) == ("192.0.2.7", "a=b and\nmore", "")
    assert (row["vendor"], row["product"], row["name"], row["severity"]) == ("V", "P|x", "Port \\ scan", "5")
    assert (row["syslog_hostname"], row["syslog_timestamp"]) == ("fw", "Mar  2 08:15:00")
    assert "what" not in row


def test_what_is_not_cef_is_told_and_not_lost() -> None:
    found = Cef().parse(pl.Series(["CEF:0|V|P", "", None, f"{HEAD}a=1"]), frozenset({"a"}))
    assert found[ERROR].to_list() == ["not CEF", "not CEF", "not CEF", None]
    assert found["a"].to_list() == [None, None, None, "1"]


def test_of_a_million_keys_no_more_are_kept_than_a_batch_may_bring() -> None:
    lines = [HEAD + " ".join(f"k{row}_{key}=1" for key in range(100)) for row in range(30)]
    assert sum(name.startswith("k") for name in Cef().parse(pl.Series(lines), None).columns) == 2_000
