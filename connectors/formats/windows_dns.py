r"""Debug log of the DNS server of Windows (dns.log): a packet per line.

    3/2/2026 8:15:00 AM 0E70 PACKET  01B6D4E42D40 UDP Rcv 192.0.2.7 4b2c   Q [0001   D   NOERROR] A (3)www(7)example(0)

How dates read depends on the server's region: with AM or PM the month stands first, without them the day, unless a
number beyond twelve says otherwise. Own columns: the fields below, `timestamp`, and `name`, the question in the usual
form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import Fitted

TIME: Final = (
    r"^(?P<one>\d{1,4})[./-](?P<two>\d{1,2})[./-](?P<three>\d{2,4}) (?P<hour>\d{1,2}):(?P<rest>\d\d:\d\d)"
    r"(?: (?P<half>[AP]M))? +(?P<thread>[0-9A-Fa-f]{3,6}) "
)
PACKET: Final = TIME + (
    r"PACKET +(?P<packet>[0-9A-Fa-f]{8,16}) (?P<transport>UDP|TCP) (?P<way>Rcv|Snd) (?P<peer>[0-9A-Fa-f.:]+) +"
    r"(?P<id>[0-9A-Fa-f]{4}) (?P<response>R)? *(?P<opcode>[QNU?]) \[(?P<bits>[0-9A-Fa-f]{4}) *(?P<flags>[A-Z ]*?) +"
    r"(?P<code>[A-Z]+)\] (?P<query_type>\S+) +(?P<encoded>\S+)"
)
OTHER: Final = TIME + r"(?P<context>[A-Z]+) +(?P<text>.*)$"


@dataclass(frozen=True, slots=True)
class WindowsDns(Fitted):
    """Reads dns.log; the explanations at its head are no events."""

    name: ClassVar[str] = "windows_dns"
    marks: ClassVar[tuple[str, ...]] = (" PACKET ",)
    patterns: ClassVar[Sequence[str]] = (PACKET, OTHER)
    needs: ClassVar[Mapping[str, Sequence[str]]] = {
        "timestamp": ("one", "two", "three", "hour", "rest", "half"),
        "name": ("encoded",),
    }
    key: ClassVar[str] = "thread"
    reason: ClassVar[str] = "no line of the DNS server's debug log"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        labels = pl.col("encoded").str.replace_all(r"\(\d+\)", ".").str.strip_chars(".")
        return frame.with_columns(timestamp=_timestamp(), name=labels).drop(
            "one", "two", "three", "hour", "rest", "half"
        )


def _timestamp() -> pl.Expr:
    one, two, three = (pl.col(name).cast(pl.Int64, strict=False) for name in ("one", "two", "three"))
    day_first = (one > 12) | (pl.col("half").is_null() & (two <= 12))
    year = pl.when(one > 31).then(one).when(three < 100).then(three + 2000).otherwise(three)
    month = pl.when(one > 31).then(two).when(day_first).then(two).otherwise(one)
    day = pl.when(one > 31).then(three).when(day_first).then(one).otherwise(two)
    hour = pl.col("hour").cast(pl.Int64, strict=False)
    hour = (
        pl.when(pl.col("half") == "PM")
        .then(hour % 12 + 12)
        .when(pl.col("half") == "AM")
        .then(hour % 12)
        .otherwise(hour)
    )
    parts = [part.cast(pl.String).str.zfill(width) for part, width in ((year, 4), (month, 2), (day, 2), (hour, 2))]
    return pl.concat_str(pl.concat_str(parts[:3], separator="-"), pl.lit(" "), parts[3], pl.lit(":"), pl.col("rest"))
