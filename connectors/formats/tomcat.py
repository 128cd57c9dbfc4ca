r"""Tomcat's own log (catalina.out, catalina.….log); stack traces are joined to the line before them.

    06-Mar-2026 18:34:17.383 SEVERE [main] org.apache.catalina.util.LifecycleBase.handleSubClassException Failed to …
        org.apache.catalina.LifecycleException: Protocol handler initialization failed
            at org.apache.catalina.connector.Connector.initInternal(Connector.java:1058)

Own columns: the groups of the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import Fitted

OLDER: Final = (  # up to version 7, and wherever Java's own formatter writes: Mar 06, 2026 6:34:17 PM org.apache… start
    r"(?s)^(?P<time>[A-Z][a-z]{2} \d{1,2}, \d{4} \d{1,2}:\d\d:\d\d [AP]M) (?P<logger>[\w.$<>]+)[^\n]*\n"
    r"(?P<level>[A-Z]+): (?P<message>[^\n]*)(?P<trace>\n.*)?$"
)
LINE: Final = (
    r"(?s)^(?P<time>\d{1,2}-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?) (?P<level>[A-Z]+) \[(?P<thread>.*?)\] "
    r"(?P<message>(?P<logger>[\w.$<>]+)[^\n]*)(?P<trace>\n.*)?$"
)


@dataclass(frozen=True, slots=True)
class Tomcat(Fitted):
    """Reads catalina.out."""

    name: ClassVar[str] = "tomcat"
    patterns: ClassVar[Sequence[str]] = (LINE, OLDER)
    key: ClassVar[str] = "time"
    reason: ClassVar[str] = "not a line of a Tomcat log"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        older = pl.col("time").str.to_datetime("%b %d, %Y %I:%M:%S %p", strict=False).dt.strftime("%Y-%m-%d %H:%M:%S")
        locked = pl.col("message").str.extract(r"authenticate the locked user \[(.*)\]").alias("locked")
        return frame.with_columns(pl.coalesce(older, clocks.month_first(pl.col("time"))).alias("time"), locked)
