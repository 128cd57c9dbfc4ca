r"""SQL Server ERRORLOG; messages over several lines are joined.

    2026-07-08 05:42:10.35 Server      Microsoft SQL Server 2019 (RTM-CU16-GDR) (KB5014353) - 15.0.4236.7 (X64)
        May 29 2022 15:55:47
    2026-07-08 05:44:02.11 Logon       Login failed for user 'sa'. Reason: Password did not match. [CLIENT: 192.0.2.7]

Own columns: the groups below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from connectors.formats.fitting import Fitted, Parts

LINE: Final = (
    r"(?s)^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?) "
    r"(?P<origin>Server|Logon|Backup|spid\d+s?|[A-Za-z]\w*) +(?P<message>.*?)\s*$"
)
PARTS: Final[Parts] = {
    "user": r"Login (?:failed|succeeded) for user '(.*?)'(?:\.|$)",
    "login": r"Login (failed|succeeded) for user",
    "client": r"\[CLIENT: ([^\]\s]+)\]",
    "option": r"^Configuration option '([^']+)' changed",
    "reason": r"Reason: (.*?)(?: \[CLIENT: .*)?$",
    "error": r"^Error: (\d+), Severity",
    "severity": r"^Error: \d+, Severity: (\d+)",
    "state": r"^Error: \d+, Severity: \d+, State: (\d+)",
    "database": r"(?:Starting up database|database) '([^']+)'",
}


@dataclass(frozen=True, slots=True)
class Mssql(Fitted):
    """Reads ERRORLOG."""

    name: ClassVar[str] = "mssql"
    patterns: ClassVar[Sequence[str]] = (LINE,)
    within: ClassVar[Parts] = PARTS
    key: ClassVar[str] = "time"
    reason: ClassVar[str] = "not a line of a SQL Server error log"
