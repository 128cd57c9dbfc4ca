r"""What stands before the message of a device: syslog headers in all the ways that devices write them.

    <134>Jan  1 02:21:38 fw.example filterlog[97530]: …        RFC 3164
    <134>1 2022-07-06T15:53:08Z gw.example CheckPoint 2700 - …   RFC 5424
    <187>10.0.0.32: 2023 Apr 27 09:36:56 UTC: …                  NX-OS
    <165>7433: ASR920: 007439: 2y10w: …                          IOS
    Apr 29 10:04:36 192.0.2.1 …                                  a file of rsyslog

Every part may be missing, so a head is never wrong.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import polars as pl

from connectors.bytewise import Piece
from connectors.patterns.fit import fit

PARTS: Final = ("priority", "timestamp", "hostname", "program", "pid", "sequence")
SOURCES: Final = {"hostname": ("hostname", "first"), "sequence": ("sequence", "count")}  # groups of a part
TIME: Final = (
    r"[*.]?(?:(?:[A-Z][a-z]{2}, )?[A-Z][a-z]{2} {1,2}\d{1,2},?(?: \d{4})?,? "  # Jan  1 02:21:38
    r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?: \d{4}\b)?"
    r"(?: [+-]\d\d(?::?\d\d)?\b| [A-Z]{3,4}\b(?:[+-]\d+(?::\d\d)?)?)?"
    r"|\d{4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d(?:[.,]\d+)?(?: [A-Z]{3,4}\b)?"  # 2023 Apr 27 09:36:56 UTC
    r"|\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d"  # 27 Apr 2023 09:36:56
    r"|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d(?::?\d\d)?))?"  # 2022-07-06T15:53:08Z
    r"|\d{10}(?:\.\d+)?)"  # 1647479604.334549372
)
HEAD: Final = (
    r"(?s)^\s*(?:\d{1,7} )?(?:<(?P<priority>\d{1,3})>)?\s*(?:(?P<sequence>\d*): )?(?:1 )?"
    rf"(?:(?P<first>[A-Za-z0-9][^\s:\[\]<>=]*(?::[0-9A-Fa-f:]+)?):(?: +|$))?"
    rf"(?:(?P<count>\d+): )?(?:(?P<timestamp>{TIME}):?(?:\s+|$))?"
    r"(?:(?:(?P<hostname>[^\s\[\],=:\"]+(?::[0-9A-Fa-f:]+)?),?(?:\s+:?\s*|:\s+|$))?"
    r"(?:(?P<program>[^\s:\[\]=,\"]+)(?:\[(?P<pid>\d+)\])?(?::\s*|\s|$))?)?"
)


def split(head: pl.Series, wanted: Collection[str] | None = None, whole: Piece | None = None) -> pl.DataFrame:
    """Return the parts of heads, all or those wanted; a part that isn't there is null. `whole` is their piece."""
    names = [name for name in PARTS if wanted is None or name in wanted]
    sources = {source for name in names for source in SOURCES.get(name, (name,))}
    parts = fit(head, (HEAD,), sources, whole).columns
    made = {
        "timestamp": pl.col("timestamp").str.strip_chars_start("*."),
        "hostname": pl.coalesce("hostname", "first"),
        "sequence": pl.coalesce(pl.when(pl.col("sequence") != "").then("sequence"), "count").alias("sequence"),
    }
    chosen = parts.select(made.get(name, pl.col(name)) for name in names)
    return chosen.with_columns(pl.when(pl.col(pl.String) != "-").then(pl.col(pl.String)))
