r"""Logs that a program writes itself, without syslog: a time of some form, perhaps its own name, and a message.

    2026-06-29 16:04:19 login authenticator failed for (pc) [192.0.2.7]:55379: 535 Incorrect authentication data
    19-Oct-2026 05:34:02.425 client @0x7f 192.0.2.7#3076 (example.com): query (cache) 'example.com/ANY/IN' denied
    [20260407-12:11:06] [INFO ] AUTHFAIL: user=lan ip=::ffff:192.0.2.7 time=1649351466

`program` says who writes it, as catalogues name it. The same messages after a syslog header are read too.
Own columns: `timestamp`, `hostname`, `program`, `pid`, `message`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import finished, groups

OWNER: Final = r"(?:(?P<hostname>[\w.-]+) )?(?P<program>[A-Za-z][\w/.-]*)\[(?P<pid>\d+)\]:? "
ISO: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z| ?[+-]\d\d(?::?\d\d)?| UTC)?"
NAMED: Final = r"[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d(?:\.\d+)?"
TIMES: Final = (
    rf"(?P<iso>{ISO})",
    rf"\[(?P<within>{ISO})\]",
    rf"(?P<named>{NAMED})",
    r"[A-Z][a-z]{2} (?P<yearly>[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4})",
    r"\[?(?P<day_first>\d{1,2}[-/][A-Z][a-z]{2}[-/]\d{4}[ :]\d\d:\d\d:\d\d(?:\.\d+)?)\]?",
    r"\[?(?P<date>\d{8})-(?P<clock>\d\d:\d\d:\d\d)\]?",
    r"(?P<dotted>\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d)",
    r"(?P<dashed>\d\d-\d\d-\d{4} \d\d:\d\d:\d\d(?: [+-]\d{4})?)",
    r"@(?P<tai>[0-9a-f]{16})[0-9a-f]{8}",
    r"[IWEF](?P<month>\d\d)(?P<day>\d\d) (?P<ticks>\d\d:\d\d:\d\d(?:\.\d+)?) +\d+ \S+\]",
)
HEAD: Final = r"(?s)^(?:<\d{1,3}>)?(?:[\w.-]+ [\w/.-]+\[\d+\]: )?"  # mx01 exim[42]: before a time of its own
LINE: Final = HEAD + rf"(?:{'|'.join(TIMES)}) +(?:{OWNER})?(?P<message>.*)$"
SYSLOG: Final = (
    r"^(?P<hostname>[\w.:-]+) (?P<program>[A-Za-z][\w/.-]*(?:\([^)]*\))?)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)$"
)
TAI: Final = 0x4000000000000000 + 10  # TAI64 counts from 1970, ten seconds ahead


@dataclass(frozen=True, slots=True)
class Daemon:
    """Reads the lines of one program; those without a time are its messages as well where `bare`."""

    name: ClassVar[str] = "daemon"
    structured: ClassVar[bool] = False
    program: str = ""
    bare: bool = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = _after_syslog(_timed(groups(original, LINE)))
        if self.bare:
            frame = frame.with_columns(pl.coalesce("message", original).alias("message"))
        frame = frame.select(
            "timestamp",
            "hostname",
            pl.lit(self.program) if self.program else pl.col("program"),
            "pid",
            pl.when(pl.coalesce("message", pl.lit("")) != "").then("message").alias("message"),
        ).rename({"literal": "program"} if self.program else {})
        return finished(frame, wanted, "message", "has not the form of such a log")


def _timed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the time, of whatever form."""
    part = pl.col
    compact = part("date").str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3")
    dashed = part("dashed").str.replace(r"^(\d\d)-(\d\d)-(\d{4})", "$3-$2-$1")
    month = part("month").replace_strict(clocks.MONTHS, default=None, return_dtype=pl.String)
    tai = part("tai").str.to_integer(base=16, strict=False) - TAI
    time = pl.coalesce(
        "iso",
        "within",
        pl.coalesce("named", "yearly").str.replace("  ", " ", literal=True),
        clocks.month_first(part("day_first")),
        pl.concat_str(compact, "clock", separator=" "),
        part("dotted").str.replace_all(".", "-", literal=True),
        dashed,
        pl.when(part("tai").is_not_null()).then(tai.cast(pl.String)),
        pl.concat_str(month, "day", "ticks", separator=" "),
    )
    return frame.with_columns(time.alias("timestamp"))


def _after_syslog(frame: pl.DataFrame) -> pl.DataFrame:
    """Take the host and the program off messages whose time was that of a syslog header."""
    headed = pl.coalesce("named", "yearly").is_not_null() | pl.coalesce("iso", "within").str.contains("^.{10}T")
    open_ = frame.select(pl.col("program").is_null() & headed.fill_null(value=False)).to_series()
    if not open_.any():
        return frame
    found = groups(frame["message"].set(~open_, None), SYSLOG)
    there = found["message"].is_not_null()
    return frame.with_columns(
        pl.when(there).then(found[name]).otherwise(frame[name]).alias(name) for name in found.columns
    )
