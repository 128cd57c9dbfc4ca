r"""Error log of Apache httpd 2.2 and 2.4, and what mod_security writes there.

    [Wed Oct 20 19:20:59.121211 2021] [core:error] [pid 1591:tid 14] (13)Permission denied: [client 192.0.2.7:38350] …
    [Mon Dec 26 16:22:00 2016] [error] [client 192.0.2.7] File does not exist: /var/www/x, referer: http://example.com/

Own columns: the groups of the patterns; `message` is what follows the brackets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import Fitted, Parts, groups
from connectors.patterns.fit import named

CLIENT: Final = (  # 2001:db8::7:38350 as well; after eight groups of an address a port is no part of it
    r"\[(?:client|remote) \[?(?P<client>(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|[^\s\]\[]+?)\]?"
    r"(?::(?P<port>0|\d{4,5}))?\]"
)
LINE: Final = (
    r"^(?:(?:<\d{1,3}>)?(?P<syslog>[A-Z][a-z]{2} +\d{1,2} [\d:]+) \S+ [\w./-]+(?:\[\d+\])?: )?"
    r"(?:\[(?P<time>\w{3} \w{3} +\d{1,2} [\d:.]+ \d{4}|\d{4}-\d\d-\d\d [\d:.]+(?: [+-]\d{4})?)\] )?"
    r"\[(?:(?P<module>[\w-]*):)?(?P<level>emerg|alert|crit|error|warn|notice|info|debug|trace[1-8])\] "
    r"(?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?(?:" + CLIENT + r" )?(?P<message>.*)$"
)
STARTING: Final = r"^(?P<message>AH\d{5}: .*)$"  # before the log's form is known
PARTS: Final[Parts] = {
    "code": r"\b(AH\d{5})\b",
    "file": r"(?:File does not exist|script not found or unable to stat|client denied by server configuration): "
    r"(.*?)(?:, referer: .*)?$",  # /var/www/x
    "referer": r", referer: (\S+)$",
    "user": r"\buser [`']?([^`':]+?)'?:? (?:not found|in realm|to access "
    r"|authentication failure|authentication failed|authorization failure|password mismatch)",
    "rule_id": r'\[id "([^"]*)"\]',
    "rule_message": r'\[msg "((?:[^"\\]|\\.)*)"\]',
    "rule_severity": r'\[severity "([^"]*)"\]',
    "host": r'\[hostname "([^"]*)"\]',
    "uri": r'\[uri "([^"]*)"\]',
    "unique_id": r'\[unique_id "([^"]*)"\]',
}


@dataclass(frozen=True, slots=True)
class ApacheError(Fitted):
    """Reads error.log of Apache."""

    name: ClassVar[str] = "apache_error"
    patterns: ClassVar[Sequence[str]] = (LINE, STARTING)
    within: ClassVar[Parts] = PARTS
    needs: ClassVar[Mapping[str, Sequence[str]]] = {
        "time": ("syslog",),
        **dict.fromkeys(named((CLIENT,)), ("message",)),
    }
    key: ClassVar[str] = "message"
    reason: ClassVar[str] = "not a line of an Apache error log"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        inner = groups(frame["message"], CLIENT)
        frame = frame.with_columns(pl.coalesce("time", "syslog").alias("time")).drop("syslog")
        return frame.with_columns(pl.coalesce(name, inner[name]).alias(name) for name in inner.columns)
