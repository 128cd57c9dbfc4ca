r"""Redis (and Valkey) server log.

    26571:M 27 Dec 2026 11:19:18.874 * Synchronization with replica 192.0.2.18:6023 succeeded
    [2932] 31 May 04:32:08 * The server is now ready to accept connections on port 6379
    5092:signal-handler (1496141844) Received SIGINT scheduling shutdown...

Own columns: the groups of the pattern; `level` is a word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import finished, first_fit, parts

PATTERNS: Final = (
    r"^(?:\[?(?P<pid>\d+)\]?(?::(?P<role>[A-Z]))? )?"
    r"(?P<time>\d{1,2} [A-Z][a-z]{2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?) "
    r"(?P<mark>[.\-*#]) (?P<message>.*)$",
    r"^(?P<pid>\d+):signal-handler \((?P<time>\d+)\) (?P<message>.*)$",
)
LEVELS: Final = {".": "debug", "-": "verbose", "*": "notice", "#": "warning"}
PEER: Final = r"(?:Accepted|Client closed connection|from|[Rr]eplica|[Ss]lave|MASTER) (?:id=\d+ addr=)?\[?"
PARTS: Final = {"client": PEER + r"([0-9A-Fa-f.:]+?)\]?:\d+", "port": PEER + r"[0-9A-Fa-f.:]+?\]?:(\d+)"}


@dataclass(frozen=True, slots=True)
class Redis:
    """Reads redis.log."""

    name: ClassVar[str] = "redis"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = first_fit(original, PATTERNS).with_columns(
            clocks.month_first(pl.col("time")),
            level=pl.col("mark").replace_strict(LEVELS, default=None, return_dtype=pl.String),
        )
        return finished(parts(frame, PARTS, wanted), wanted, "time", "not a line of a Redis log")
