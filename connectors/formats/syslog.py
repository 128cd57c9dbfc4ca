r"""Syslog lines: RFC 3164 as daemons write it, RFC 5424, and rsyslog's lines with ISO times.

    <38>Jun 14 15:16:01 srv01 sshd[19939]: Failed password for invalid user lan from 192.0.2.7 port 5022 ssh2
    <165>1 2025-06-14T15:16:01.003Z srv01.example.com app 4711 ID47 [origin ip="192.0.2.1"] started
    2025-06-14T15:16:01.003+07:00 srv01 sudo:      lan : TTY=pts/0 ; PWD=/home/lan ; USER=root ; COMMAND=/bin/sh

Own columns: those of the header, and `structured_data.<id>.<name>`. What programs say in `message` is read by the
catalogues of a source definition.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import first_fit
from connectors.formats.json_lines import ERROR

PRIORITY: Final = r"(?s)^\s*(?:(?:\d{1,7} )?<(?P<priority>\d{1,3})>)?"  # "123 <38>": the octet count of RFC 6587
CLASSIC: Final = PRIORITY + (
    r"(?P<timestamp>(?:[A-Z][a-z]{2} {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4}\b)?)"  # Jun 14 15:16:01
    r"|(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?))"
    r":? (?:(?P<hostname>[^\s:\[\]]+) )?\s*"
    r"(?:(?P<program>[^\s:\[\]()]+)(?:\([^)\s]*\))?(?:\[(?P<pid>\d+)\])?"  # sshd(pam_unix)[19939]
    r"(?: \([^)]*\)(?:\[\d+\])?| <[^>]*>)?:\s*"
    r"|(?P<spaced>[^\s:\[\]()]+(?: [^\s:\[\]()]+){1,3})\[(?P<spaced_pid>\d+)\]:\s*)?"  # Mail Helper[7]:
    r"(?:\[ID \d+ \w+\.\w+\] )?(?P<message>.*)$"  # of Solaris: [ID 800047 auth.info]
)
MODERN: Final = (
    r"(?s)^\s*(?:\d{1,7} )?<(?P<priority>\d{1,3})>1 (?P<timestamp>\S+) (?P<hostname>\S+) "
    r"(?P<program>\S+) (?P<pid>\S+) (?P<msgid>\S+) "
    r'(?P<structured_data>-|(?:\[[^\s\]="]+(?: [^\s\]="]+="(?:[^"\\\]]|\\.)*")*\])+)(?: \x{FEFF}?(?P<message>.*))?$'
)

MADE: Final = {
    "program": ("spaced",),
    "pid": ("spaced_pid",),
    "facility": ("priority",),
    "severity": ("priority",),
}  # columns: what else they are made of
HEADER: Final = ("timestamp", "hostname", "program", "pid", "message", "msgid", "structured_data")
DATA: Final = "structured_data."
ELEMENT: Final = re.compile(r'\[([^\s\]="]+)((?: [^\s\]="]+="(?:[^"\\\]]|\\.)*")*)\]')
PARAMETER: Final = re.compile(r' ([^\s\]="]+)="((?:[^"\\\]]|\\.)*)"')

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
        data = _data(frame["structured_data"], wanted)
        own = [*HEADER, "facility", "severity"]
        names = [*own, *data.columns] if wanted is None else sorted(wanted)
        known = {*frame.columns, *data.columns}
        both = frame.with_columns(data.get_columns())
        empty = [pl.lit(None, pl.String).alias(name) for name in names if name not in known]
        return both.select(*[name for name in names if name in known], *empty, ERROR)


def _header(original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    frame = first_fit(original, (MODERN, CLASSIC), _groups(wanted))
    frame = frame.with_columns(  # a program whose name has blanks only the number behind tells from a message
        pl.coalesce("program", "spaced").alias("program"), pl.coalesce("pid", "spaced_pid").alias("pid")
    )
    number = pl.col("priority").cast(pl.Int64, strict=False)
    said = [name for name in HEADER if name != "message"]
    return frame.with_columns(
        *[pl.when(pl.col(name) != "-").then(pl.col(name)) for name in said],
        _named(number // 8, FACILITIES).alias("facility"),
        _named(number % 8, SEVERITIES).alias("severity"),
        pl.when(pl.coalesce("timestamp", pl.lit("-")) == "-").then(pl.lit("not a syslog line")).alias(ERROR),
    )


def _groups(wanted: frozenset[str] | None) -> frozenset[str] | None:
    """Return the groups that the wanted columns are made of."""
    if wanted is None:
        return None
    data = {"structured_data"} if any(name.startswith(DATA) for name in wanted) else set()
    return wanted.union({"timestamp"}, data, *(MADE.get(name, ()) for name in wanted))


def _named(number: pl.Expr, names: list[str]) -> pl.Expr:
    return number.replace_strict(dict(enumerate(names)), default=None, return_dtype=pl.String)


def _data(text: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    """Return the parameters of structured data; lines repeat them, so each distinct text is read once."""
    if text.null_count() == text.len() or (wanted is not None and not any(name.startswith(DATA) for name in wanted)):
        return pl.DataFrame(height=text.len())
    distinct = text.drop_nulls().unique()
    found = [_parameters(cell) for cell in distinct]
    names = list(dict.fromkeys(name for row in found for name in row if wanted is None or name in wanted))[:2000]
    columns = [
        text.replace_strict(
            distinct, pl.Series([row.get(name) for row in found], dtype=pl.String), default=None, return_dtype=pl.String
        ).alias(name)
        for name in names
    ]
    return pl.DataFrame(columns) if columns else pl.DataFrame(height=text.len())


def _parameters(text: str) -> dict[str, str]:
    elements = ELEMENT.findall(text)
    return {
        f"{DATA}{element}.{name}": re.sub(r'\\(["\\\]])', r"\1", value)
        for element, parameters in elements
        for name, value in PARAMETER.findall(parameters)
    }
