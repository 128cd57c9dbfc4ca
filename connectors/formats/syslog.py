r"""Syslog lines: RFC 3164 as daemons write it, RFC 5424, and rsyslog's lines with ISO times.

    <38>Jun 14 15:16:01 srv01 sshd[19939]: Failed password for invalid user lan from 192.0.2.7 port 5022 ssh2
    <165>1 2025-06-14T15:16:01.003Z srv01.example.com app 4711 ID47 [origin ip="192.0.2.1"] started
    2025-06-14 15:16:01 srv01 sshd[19939]: Connection closed by 192.0.2.7 port 5022 [preauth]
    2025-06-14T15:16:01.003+07:00 srv01 sudo:      lan : TTY=pts/0 ; PWD=/home/lan ; USER=root ; COMMAND=/bin/sh

Own columns: those of the header, and `structured_data.<id>.<name>`. What programs say in `message` is read by the
catalogues of a source definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import modern
from connectors.formats.fitting import first_fit
from connectors.formats.frames import ERROR, nulls

PRIORITY: Final = r"(?s)^\s*(?:(?:\d{1,7} )?<(?P<priority>\d{1,3})>)?"  # "123 <38>": the octet count of RFC 6587
PROGRAM: Final = (
    r"(?P<program>[^\s:\[\]()]+)(?:\([^)\s]*\))?(?:\[(?P<pid>\d+)\])?"  # sshd(pam_unix)[19939]
    r"(?: \([^)]*\)(?:\[\d+\])?| <[^>]*>)?:\s*"
)
CLASSIC: Final = PRIORITY + (
    r"(?P<timestamp>(?:[A-Z][a-z]{2} {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4}\b)?)"  # Jun 14 15:16:01
    r"|(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?))"
    r":? (?:(?P<hostname>[^\s:\[\]]+) )?\s*"
    rf"(?:{PROGRAM}"
    r"|(?P<spaced>[^\s:\[\]()]+(?: [^\s:\[\]()]+){1,3})\[(?P<spaced_pid>\d+)\]:\s*)?"  # Mail Helper[7]:
    r"(?:\[ID \d+ \w+\.\w+\] )?(?P<message>.*)$"  # of Solaris: [ID 800047 auth.info]
)
# Programs that log by themselves write such times as well, and then what looks like a host is a level (`INFO`): so here
# a host and a program must be there, and the host has more than capital letters.
SPACED: Final = PRIORITY + (
    r"(?P<timestamp>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?)"
    rf" (?P<hostname>[A-Za-z0-9._-]*[a-z0-9][A-Za-z0-9._:-]*) {PROGRAM}(?P<message>.*)$"
)
HEADS: Final = (CLASSIC, SPACED)
MADE: Final = {
    "program": ("spaced",),
    "pid": ("spaced_pid",),
    "facility": ("priority",),
    "severity": ("priority",),
}  # columns: what else they are made of
HEADER: Final = ("timestamp", "hostname", "program", "pid", "message", "msgid", "structured_data")
SEVERITIES: Final = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
# fmt: off
FACILITIES: Final = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
]
# fmt: on


@dataclass(frozen=True, slots=True)
class Syslog:
    """Reads the header of a syslog line."""

    name: ClassVar[str] = "syslog"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = _header(original, wanted)
        data = [name for name in frame.columns if name.startswith(modern.DATA)]
        names = [*HEADER, "facility", "severity", *data] if wanted is None else sorted(wanted)
        empty = [pl.lit(None, pl.String).alias(name) for name in names if name not in frame.columns]
        return frame.select(*[name for name in names if name in frame.columns], *empty, ERROR)


def _header(original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    frame = _parts(original, wanted).with_columns(
        # a program whose name has blanks only the number behind tells from a message
        pl.coalesce("program", "spaced").alias("program"),
        pl.coalesce("pid", "spaced_pid").alias("pid"),
    )
    number = pl.col("priority").cast(pl.Int64, strict=False)
    said = [name for name in HEADER if name != "message"]
    return frame.with_columns(
        *[pl.when(pl.col(name) != "-").then(pl.col(name)) for name in said],
        _named(number // 8, FACILITIES).alias("facility"),
        _named(number % 8, SEVERITIES).alias("severity"),
        pl.when(pl.coalesce("timestamp", pl.lit("-")) == "-").then(pl.lit("not a syslog line")).alias(ERROR),
    )


def _parts(original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    """Return what either form of header tells, and parameters of structured data; nulls for what a line lacks."""
    asked = None if wanted is None else wanted.union({"timestamp"}, *(MADE.get(name, ()) for name in wanted))
    newer = original.str.contains(modern.START).fill_null(value=False)
    if newer.any():
        older = first_fit(original.filter(~newer), HEADS, asked)
        told = modern.read(original.filter(newer), asked, wanted)
        order = pl.concat([(~newer).arg_true(), newer.arg_true()]).arg_sort()
        frame = pl.concat([older, told], how="diagonal")[order]
    else:
        frame = first_fit(original, HEADS, asked)
    return frame.with_columns(nulls(name, frame.height) for name in HEADER if name not in frame.columns)


def _named(number: pl.Expr, names: list[str]) -> pl.Expr:
    return number.replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)
