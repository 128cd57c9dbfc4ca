"""Audit records as machine code reads them are audit records as patterns read them, however they are damaged."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.auditd import Auditd
from connectors.formats.frames import ERROR
from tests.connectors.formats.bothways import both

pytestmark = pytest.mark.usefixtures("machine_code")

HEAD = "type={} msg=audit(1772414100.740:7):"
HEADS = st.sampled_from([HEAD.format("SYSCALL"), HEAD.format("EXECVE"), f"node=é {HEAD.format('USER_CMD')}"])
BITS = [
    " ", "a0", "exe", "=", '"', "'", "msg='", "6964", "C4", "?", "(null)", "(none)", "\x1d", "\t", "\n", "-", "[", "ạ",
    "\u00a0", "\u2003", "x", " a0=", ' exe="', " cmd=6964", ' name="a b"', " pid=1", ' key="?"', " é=1", "audit(1:2):",
]  # fmt: skip
WANTED = frozenset({"type", "serial", "a0", "exe", "cmd", "name", "pid", "key", "msg", "é", "args", "CommandLine"})
TAILS = st.lists(st.sampled_from(BITS), max_size=14).map("".join)
CALL, LIST = HEAD.format("SYSCALL"), HEAD.format("EXECVE")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(HEADS | st.just(""), TAILS).map("".join) | st.none(), min_size=1, max_size=6),
    st.sampled_from([None, WANTED]),
)
@example([f"{CALL} a0=6964 exe=6964", f'{LIST} a0=6964 a1="6964" a0=1 exe=696', f'{LIST} a0="x'], None)
@example([f"{CALL} x=\"y msg='exe=1\" msg='pid=2", f"{CALL} msg='exe=1 msg='pid=2", "xmsg='exe=1"], None)
@example([f"{CALL} exe=(null) exe=1", f'{CALL} exe="?" exe=1', f"{CALL} exe=(none)\x1dexe=1", "exe=1"], WANTED)
@example([f"{CALL} exạ=1 pid=2", f"{CALL} exe=a\u00a0pid=2", f"{CALL} pid=2\u2003 exe=ạ", f"{CALL} -pid=2"], None)
def test_both_ways_read_the_same(lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(Auditd(), lines, wanted)
    assert machine == patterns


def test_values_stand_under_their_keys() -> None:
    head = f"node=srv01 {HEAD.format('USER_CMD')}"
    line = f'{head} pid=7 auid=1000 a=\'x\' msg=\'cwd="/srv" cmd=6C73202F exe="/bin/su" addr=? res=ok\'\x1dAUID="lan"'
    row = Auditd().parse(pl.Series([line]), None).row(0, named=True)
    assert (row["node"], row["type"], row["timestamp"], row["serial"]) == ("srv01", "USER_CMD", "1772414100.740", "7")
    assert (row["pid"], row["cwd"], row["cmd"], row["exe"], row["addr"]) == ("7", "/srv", "ls /", "/bin/su", None)
    assert (row["res"], row["AUID"], row["a"]) == ("ok", "lan", "")
    assert "msg" not in row


def test_what_is_no_audit_record_is_told_and_not_lost() -> None:
    found = Auditd().parse(pl.Series([f"{CALL} pid=1", "type=SYSCALL pid=2", "", None]), frozenset({"type", "pid"}))
    assert found[ERROR].to_list() == [None, *["not an audit record"] * 3]
    assert found["pid"].to_list()[0] == "1"


def test_a_record_that_names_a_column_of_several_records_costs_nothing() -> None:
    lines = [f'{LIST} a0="id" args=1 Image=2', f"{CALL} CommandLine=3"]
    patterns, machine = both(Auditd(), lines, None)
    assert machine == patterns
    assert [row["CommandLine"] for row in machine if row["type"] == "SYSCALL"] == ["id"]


def test_of_a_million_keys_no_more_are_kept_than_a_batch_may_bring() -> None:
    lines = [f"{CALL} " + " ".join(f"k{row}_{key}=1" for key in range(100)) for row in range(30)]
    kept = [name for name in Auditd().parse(pl.Series(lines), None).columns if name.startswith("k")]
    assert len(kept) == 1_999  # and `msg`
