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


def test_paths_and_arguments_tell_who_did_it_and_under_which_key() -> None:
    call = f'type=SYSCALL {EVENT.format(9)} syscall=257 success=no exe="/bin/cat" auid=1000 key="passwd_access" a0=ff'
    other = f'type=SYSCALL {EVENT.format(10)} syscall=59 success=yes exe="/bin/id" auid=0'
    path = f'type=PATH {EVENT.format(9)} item=0 name="/etc/shadow" nametype=NORMAL'
    execve = f'type=EXECVE {EVENT.format(10)} argc=1 a0="id" exe="own"'
    alone = f'type=PATH {EVENT.format(11)} item=0 name="/x"'
    names = frozenset({"exe", "key", "auid", "success", "name", "a0"})
    for lines in ([call, other, path, execve, alone], [path, execve, alone, other, call]):
        rows = dict(zip(lines, parsed(*lines, wanted=names), strict=True))
        assert rows[path] == {**rows[path], "exe": "/bin/cat", "key": "passwd_access", "auid": "1000", "success": "no"}
        assert (rows[path]["a0"], rows[execve]["a0"]) == (None, "id")  # numbers of a call aren't arguments
        assert (rows[execve]["exe"], rows[execve]["auid"], rows[execve]["key"]) == ("own", "0", None)
        assert (rows[alone]["exe"], rows[call]["name"]) == (None, None)
        whole = dict(zip(lines, parsed(*lines, wanted=None), strict=True))
        assert all(whole[line] == {**whole[line], **rows[line]} for line in lines)


def test_long_arguments_and_long_lists_are_put_together() -> None:
    call = f'type=SYSCALL {EVENT.format(7)} syscall=59 exe="/bin/sh"'
    first = f'type=EXECVE {EVENT.format(7)} argc=4 a0="sh" a1_len=12 a1[0]="ab" a1[1]=20C491 a2[0]=C4 a2[1]=91'
    more = f'type=EXECVE {EVENT.format(7)} a3=4E677579E1BB856E a4="x"'
    rows = parsed(call, first, more)
    assert rows[1]["args"] == ["sh", "ab đ", "đ"]
    assert rows[0]["CommandLine"] == "sh ab đ đ Nguyễn x"
