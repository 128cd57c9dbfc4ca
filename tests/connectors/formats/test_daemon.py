"""A program's own log: whatever form its times have, the message is what follows."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.daemon import Daemon
from connectors.formats.frames import ERROR
from connectors.times import Clock, instants

TIME = "2026-03-02T08:15:00"


@pytest.mark.parametrize(
    "head",
    [
        "2026-03-02 08:15:00",
        "2026-03-02T08:15:00Z",
        "[2026-03-02 08:15:00 UTC]",
        "Mar  2 08:15:00",
        "02-Mar-2026 08:15:00.000",
        "[02/Mar/2026 08:15:00]",
        "[20260302-08:15:00]",
        "2026.03.02 08:15:00",
        "02-03-2026 08:15:00 +0000",
        "@4000000069a5470e00000000",
        "I0302 08:15:00.000000       1 client.go:58]",
    ],
)
def test_a_time_is_read_in_every_form(head: str) -> None:
    found = Daemon("exim").parse(pl.Series([f"{head} hello: world"]), None)
    assert found.select("program", "message", ERROR).row(0) == ("exim", "hello: world", None)
    assert instants(found["timestamp"], Clock("UTC", 2026))[0].isoformat().startswith(TIME)


@pytest.mark.parametrize(
    ("line", "program", "pid"),
    [
        ("Mar  2 08:15:00 mx01 exim[42]: hello", "exim", "42"),
        ("2026-03-02T08:15:00.5+07:00 mx01 postfix/smtpd[42]: hello", "postfix/smtpd", "42"),
        ("Mar  2 08:15:00 mx01 dovecot: hello", "dovecot", None),
        ("2026-03-02 08:15:00,124 ftp01 proftpd[42] hello", "proftpd", "42"),
    ],
)
def test_a_program_may_stand_in_the_line(line: str, program: str, pid: str | None) -> None:
    found = Daemon().parse(pl.Series([line]), None)
    assert found.select("program", "pid", "message").row(0) == (program, pid, "hello")


def test_a_line_without_a_time_is_a_message_only_where_it_may_be() -> None:
    line = pl.Series(["Exit (root): Disconnect received"])
    assert Daemon("dropbear").parse(line, None)[ERROR].to_list() == ["has not the form of such a log"]
    assert Daemon("dropbear", bare=True).parse(line, None)["message"].to_list() == line.to_list()
