r"""Error log of MySQL and MariaDB, and their general query log.

    2026-03-24T13:44:25.484123Z 0 [System] [MY-013169] [Server] /usr/sbin/mysqld (mysqld 8.0.15) initializing …
    2026-10-16 17:24:15 0 [Note] InnoDB: Using Linux native AIO
    260315  9:46:45	    13 Query	SHOW STATUS
    2026-03-24T14:01:47.811234Z	   14 Connect	lan@192.0.2.7 on hr using TCP/IP

Own columns: the groups of the patterns. `user` and `client` are those of connects and of refused ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import Fitted, Parts

TIME: Final = r"(?P<time>\d{4}-\d\d-\d\d[T ][ \d]\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?|\d{6} +\d{1,2}:\d\d:\d\d)"
HEADER: Final = r"(?s)^(?:<\d+>)?(?:(?:[A-Z][a-z]{2} +\d+ [\d:]+|\d{4}-\S+) \S+ (?:mysqld|mariadbd)(?:\[\d+\])?: )?"
PATTERNS: Final = (
    HEADER
    + TIME
    + r"\s+(?P<thread>\d+) \[(?P<level>\w+)\] (?P<message>\[(?P<code>MY-\d+)\] \[(?P<subsystem>\w+)\].*)$",
    HEADER
    + TIME
    + r"\s+(?:(?P<thread>\d+|0x[0-9a-f]+) )?\[(?P<level>System|Note|Warning|ERROR|Error|Entry)\] (?P<message>.*)$",
    r"(?s)^" + TIME + r"\s+(?P<message>\d+ [A-Z][a-z]+(?: [A-Za-z]+)?\t.*)$",
    r"(?s)^\t\t\s*(?P<message>\d+ [A-Z][a-z]+(?: [A-Za-z]+)?\t.*)$",
    r"(?s)^"
    + TIME
    + r"\s+(?P<message>(?:mysqld(?:_safe)?|mariadbd?|InnoDB|\S*/(?:mysqld|mariadbd)|Server|Version:|Plugin)\b.*)$",
)
PARTS: Final[Parts] = {
    "thread": r"^(\d+) [A-Z][a-z]",
    "command": r"^\d+ ([A-Z][a-z]+(?: [A-Za-z]+)?)\t",
    "query": r"(?s)^\d+ (?:Query|Prepare|Execute)\t(.*)$",
    "user": (r"[Aa]ccess denied for user '([^']*)'@", r"^\d+ Connect\t([^@\s]+)@", r"^Aborted .* user: '([^']*)'"),
    "client": (
        r"[Aa]ccess denied for user '[^']*'@'([^']+)'",
        r"^\d+ Connect\t[^@\s]*@(\S+)",
        r"^Aborted .* host: '([^']+)'",
        r"^Host '([^']+)' is blocked",
    ),
    "denied": r"([Aa]ccess denied for user|Host '[^']+' is blocked)",
}


@dataclass(frozen=True, slots=True)
class MysqlError(Fitted):
    """Reads error.log and the general query log."""

    name: ClassVar[str] = "mysql_error"
    patterns: ClassVar[Sequence[str]] = PATTERNS
    within: ClassVar[Parts] = PARTS
    key: ClassVar[str] = "message"
    reason: ClassVar[str] = "not a line of a MySQL error or query log"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        return frame.with_columns(clocks.whole_year(pl.col("time")))
