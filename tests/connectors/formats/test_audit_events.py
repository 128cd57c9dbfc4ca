"""The records of one audit event tell each other what a rule for processes or files needs."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.auditd import Auditd

EVENT = "msg=audit(1772414100.740:{}):"
RECORDS = (
    f'type=SYSCALL {EVENT.format(7)} arch=c000003e syscall=59 success=yes pid=42 exe="/usr/bin/curl"',
    f'type=SYSCALL {EVENT.format(8)} arch=c000003e syscall=59 success=yes pid=43 exe="/usr/bin/id"',
    f'type=EXECVE {EVENT.format(7)} argc=3 a0="curl" a1=2F7372762F612062 a2="http://example.com/"',
    f'type=CWD {EVENT.format(7)} cwd="/srv"',
    f'type=PATH {EVENT.format(7)} item=0 name="x" nametype=CREATE',
    f"type=PROCTITLE {EVENT.format(8)} proctitle=6964002D75",
)
NAMES = frozenset({"CommandLine", "CurrentDirectory", "Image", "TargetFilename", "args"})


def parsed(*lines: str, wanted: frozenset[str] | None = NAMES) -> list[dict[str, object]]:
    return Auditd().parse(pl.Series(lines), wanted).to_dicts()


def test_a_system_call_gets_what_stands_beside_it() -> None:
    rows = parsed(*RECORDS)
    assert rows[0]["CommandLine"] == "curl /srv/a b http://example.com/"
    assert (rows[0]["CurrentDirectory"], rows[0]["Image"]) == ("/srv", "/usr/bin/curl")
    assert (rows[1]["CommandLine"], rows[1]["CurrentDirectory"]) == ("id -u", None)
    assert rows[4]["TargetFilename"] == "/srv/x"
    assert rows[2]["args"] == ["curl", "/srv/a b", "http://example.com/"]
    assert rows[5]["CommandLine"] is None


def test_the_order_of_records_changes_nothing() -> None:
    forwards, backwards = parsed(*RECORDS), parsed(*reversed(RECORDS))
    assert forwards == backwards[::-1]


def test_events_of_two_machines_are_kept_apart() -> None:
    there = [f"node=srv02 {line}" for line in RECORDS[2:4]]
    row = parsed(f"node=srv01 {RECORDS[0]}", *there)[0]
    assert (row["CommandLine"], row["CurrentDirectory"]) == (None, None)


@pytest.mark.parametrize("wanted", [None, frozenset({"CommandLine"}), frozenset({"type", "CommandLine", "exe"})])
def test_wanting_less_gives_the_same(wanted: frozenset[str] | None) -> None:
    assert [row["CommandLine"] for row in parsed(*RECORDS, wanted=wanted)] == [
        row["CommandLine"] for row in parsed(*RECORDS)
    ]
    if wanted is not None:
        assert set(parsed(*RECORDS, wanted=wanted)[0]) == {*wanted, "error.message"}
