r"""HAProxy: HTTP and TCP logs, connects and connection errors, after a syslog header or without one.

    Jul 30 09:03:52 lb haproxy[32450]: 192.0.2.7:38862 [30/Jul/2026:09:03:52.726] in~ docs/srv1
    0/0/1/0/2 304 168 - - ---- 6/6/0/0/0 0/0 {docs.example.com||} {|||} "GET /a?b=1 HTTP/1.1"
    Jul 30 09:03:52 lb haproxy[32450]: 192.0.2.7:38862 [30/Jul/2026:09:03:52.726] in db/srv1
    0/0/5007 212 -- 0/0/0/0/3 0/0
    Dec  3 18:27:14 lb haproxy[6103]: 192.0.2.7:56059 [03/Dec/2026:17:35:10.380] frt/f1: Connection error during SSL …
    Sep 20 15:42:59 lb haproxy[24551]: Connect from 192.0.2.7:40780 to 192.0.2.80:5000 (main/HTTP)

Own columns: the groups of the patterns, and `timestamp`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import Fitted

HEADER: Final = (
    r"^(?:<\d{1,3}>)?(?:(?P<logged>[A-Z][a-z]{2} +\d{1,2} [\d:]{8}|\d{4}-\S+) (?:(?P<hostname>[^\s\[]+) )?)?"
    r"(?:(?P<program>[\w.-]+)(?:\[(?P<pid>\d+)\])?: )?(?:\[\w+\] )?"
)
PEER: Final = r"(?:::ffff:)?(?P<client>[^\s\"]+):(?P<port>\d+) "
ACCEPTED: Final = PEER + r"\[(?P<time>[^\]]+)\] (?P<frontend>[^\s/]+) "
HTTP: Final = ACCEPTED + (
    r"(?P<backend>[^\s/]+)/(?P<server>\S+) (?:(?P<host>\S+) )?"
    r"[\d-]+/[\d-]+/[\d-]+/[\d-]+/\+?(?P<taken>\d+) (?P<status>\d{3}|-1) \+?(?P<bytes>\d+) \S+ \S+ (?P<state>\S{4}) "
    r'[\d/+]+ [\d/]+ (?:\{(?P<captured>[^}]*)\} )?(?:\{[^}]*\} )?"(?P<request>(?:(?P<method>[A-Z]+) )?(?P<uri>[^"]*?)'
    r'(?: HTTP/(?P<version>[\d.]+))?)(?:"|$)'
)
TCP: Final = ACCEPTED + (
    r"(?P<backend>[^\s/]+)/(?P<server>\S+) [\d-]+/[\d-]+/\+?(?P<taken>\d+) \+?(?P<bytes>\d+) "
    r"(?P<state>\S{2}) [\d/+]+ [\d/]+"
)
ERROR: Final = PEER + r"\[(?P<time>[^\]]+)\] (?P<frontend>[^\s/]+)/(?P<bind>\S+): (?P<message>.+)$"
CONNECT: Final = (
    r"Connect from (?P<client>\S+):(?P<port>\d+) to (?P<target>\S+):(?P<target_port>\d+) "
    r"\((?P<frontend>[^/)]+)/(?P<mode>\w+)\)"
)
OTHER: Final = (
    r"(?:<\d{1,3}>)?(?P<logged>[A-Z][a-z]{2} +\d{1,2} [\d:]{8}|\d{4}-\S+) (?P<hostname>[^\s\[]+) "
    r"(?P<program>haproxy)(?:\[(?P<pid>\d+)\])?: (?P<message>.+)$"
)


@dataclass(frozen=True, slots=True)
class Haproxy(Fitted):
    """Reads the log of HAProxy."""

    name: ClassVar[str] = "haproxy"
    patterns: ClassVar[Sequence[str]] = (*(HEADER + part for part in (HTTP, TCP, ERROR, CONNECT)), OTHER)
    needs: ClassVar[Mapping[str, Sequence[str]]] = {"timestamp": ("time", "logged"), "told": ("frontend", "message")}
    key: ClassVar[str] = "told"
    reason: ClassVar[str] = "not a line of HAProxy"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        return frame.with_columns(
            timestamp=pl.coalesce(clocks.month_first(pl.col("time")), "logged"),
            told=pl.coalesce("frontend", "message"),
        )
