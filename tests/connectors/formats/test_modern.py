"""RFC 5424 as machine code reads it is RFC 5424 as patterns read it, however it is damaged."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.frames import ERROR
from connectors.formats.syslog import Syslog
from tests.connectors.formats.bothways import both

pytestmark = pytest.mark.usefixtures("machine_code")

HEAD = "<165>1 2026-03-02T08:15:00Z srv01 app 4711 ID47 "
BITS = [
    '[a@1 b="',
    '"',
    '"]',
    "]",
    "[",
    "\\",
    '\\"',
    "\\]",
    " b=",
    ' c.d="1"',
    "-",
    " ",
    "\u00a0",
    "ạ",
    "\ufeff",
    "\n",
    "x",
    "=",
]
NAMES = frozenset({"structured_data.a@1.b", "structured_data.a@1.c.d", "message", "hostname", "severity", "timestamp"})
TAILS = st.lists(st.sampled_from(BITS), max_size=12).map("".join)
LINES = st.one_of(
    TAILS.map(lambda tail: f"{HEAD}{tail}"),
    TAILS.map(lambda tail: f'{HEAD}[a@1 b="1" b="2"]{tail}'),
    st.tuples(st.integers(0, len(HEAD)), TAILS).map(lambda part: HEAD[: part[0]] + part[1]),
    st.none(),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=5), st.sampled_from([None, NAMES]))
@example([f'{HEAD}[a@1 b="x \\"y\\" \\\\ \\] \\z" c.d=""][b] \ufeffdone', f"{HEAD}- ", f"{HEAD}-"], None)
@example(
    ["12 " + HEAD + "[a@1]", "12345678 " + HEAD + "-", HEAD.replace("165", "1650") + "-", " \t" + HEAD + "-"], None
)
def test_both_ways_read_the_same(lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(Syslog(), lines, wanted)
    assert machine == patterns


def test_parameters_stand_under_element_and_name() -> None:
    found = Syslog().parse(pl.Series([f'{HEAD}[a@1 b="C:\\\\x" b="2"][c d="\\""] hi', HEAD]), None)
    row = found.row(0, named=True)
    assert (row["structured_data.a@1.b"], row["structured_data.c.d"], row["message"]) == ("C:\\x", '"', "hi")
    assert found[ERROR].to_list() == [None, "not a syslog line"]


def test_of_a_million_parameters_no_more_are_kept_than_a_batch_may_bring() -> None:
    lines = [HEAD + "[e " + " ".join(f'k{row}_{key}="1"' for key in range(100)) + "]" for row in range(30)]
    names = Syslog().parse(pl.Series(lines), None).columns
    assert sum(name.startswith("structured_data.e.") for name in names) == 2_000
