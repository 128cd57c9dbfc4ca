r"""PostgreSQL: stderr log with the usual prefixes, and csvlog; statements over several lines are joined.

    2026-04-16 12:48:36.677 +07 [34492] lan@hr LOG:  duration: 0.327 ms  statement: select 1;
    2026-01-04 00:17:53.742 UTC,"lan","hr",54,"192.0.2.7:42608",5ff25ea4.36,6,"SELECT",…,LOG,00000,"AUDIT: SESSION,…"

Own columns: the groups below. `statement` and `milliseconds` come out of the message, and so do the fields of
pgaudit and of connections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import clocks
from connectors.formats.fitting import Fitted, Parts

TIME: Final = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)(?: (?P<zone>[A-Z]{1,5}|[+-]\d\d(?::?\d\d)?))?"
LEVEL: Final = (
    r"(?P<level>DEBUG\d?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|STATEMENT|DETAIL|HINT|CONTEXT|QUERY|LOCATION)"
)
# 1.2.3.4(5432):lan@hr:[127]: · [147] 1.2.3.4 lan@hr · [34492] · [34492-1] lan@hr
PREFIX: Final = (
    r"(?:[: ]+(?:\[(?P<pid>\d+)(?:-(?P<line>\d+))?\]:?|(?P<user>[^\s@:\[\](),]*)@(?P<database>[^\s:@\[\]()]*)"
    r"|(?P<client>\d[\d.]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+|\[local\])(?:\((?P<port>\d+)\))?"
    # user=lan,db=hr,app=psql,client=192.0.2.7, as pgBadger asks for
    r"|(?:user=(?P<named_user>[^,\s]*),?|db=(?P<named_database>[^,\s]*),?|(?:client|host|h)=(?P<named_client>[^,\s(]*)"
    r"(?:\((?P<named_port>\d+)\))?,?|app=[^,]*,?)+|[^\s:]*?))*?"
)
STDERR: Final = (
    r"(?s)^(?:<\d+>)?(?:[A-Z][a-z]{2} +\d+ [\d:]+ \S+ postgres\[\d+\]: (?:\[[\d-]+\] )?)?\[?" + TIME + r"\]?"
    + PREFIX + r"[: ]+" + LEVEL + r":  ?(?:(?P<state>[0-9A-Z]{5}): )?(?P<message>.*)$"
)  # fmt: skip


def _text(name: str) -> str:
    return rf'(?:"(?P<{name}>(?:[^"]|"")*)")?'


def _plain(name: str) -> str:
    return rf'(?P<{name}>[^,"]*)'


CSV: Final = (
    "(?s)^" + TIME + ","
    + ",".join([
        _text("user"), _text("database"), _plain("pid"), _text("connection"), _plain("session"), _plain("line"),
        _text("command"), _plain("started"), _plain("vxid"), _plain("xid"), _plain("level"), _plain("state"),
        _text("message"), _text("detail"), _text("hint"), _text("internal"), _plain("place"), _text("context"),
        _text("query"), _plain("at"), _text("location"), _text("application"),
    ])
    + "(?:," + _text("backend") + ")?(?:,[^,]*)*$"
)  # fmt: skip
PARTS: Final[Parts] = {
    "milliseconds": r"^duration: ([\d.]+) ms",
    "statement": r"(?s)^(?:duration: [\d.]+ ms +)?(?:statement|execute [^:]*|parse [^:]*|bind [^:]*): (.*)$",
    "login": r'(?:authentication failed for user|role|Role|identity|host "[^"]*", user)[ =]"([^"]*)"',
    "authorized": r"^connection authorized: user=(\S+)",
    "host": r"(?:^connection received: host=|, host=| host=|no pg_hba.conf entry for host \")([^\s\",]+)",
    "host_port": r"(?:^connection received: host=\S+ port=| port=)(\d+)",
    "audit_type": r"^AUDIT: (SESSION|OBJECT),",
    "audit_class": r"^AUDIT: \w+,\d+,\d+,([A-Z]+),",
    "audit_command": r"^AUDIT: \w+,\d+,\d+,[A-Z]+,([^,]*),",
    "audit_object_type": r"^AUDIT: \w+,\d+,\d+,[A-Z]+,[^,]*,([^,]*),",
    "audit_object": r"^AUDIT: \w+,\d+,\d+,[A-Z]+,[^,]*,[^,]*,([^,]*),",
    "audit_statement": r'(?s)^AUDIT: \w+,\d+,\d+,[A-Z]+,[^,]*,[^,]*,[^,]*,"*(.*?)"*(?:,(?:<[^>]*>|[^,"]*|"[^"]*"))?$',
}


@dataclass(frozen=True, slots=True)
class Postgresql(Fitted):
    """Reads the logs of PostgreSQL."""

    name: ClassVar[str] = "postgresql"
    patterns: ClassVar[Sequence[str]] = (CSV, STDERR)
    within: ClassVar[Parts] = PARTS
    needs: ClassVar[Mapping[str, Sequence[str]]] = {
        "timestamp": ("time", "zone"),
        "client": ("connection", "named_client"),
        "port": ("connection", "named_port"),
        "user": ("named_user",),
        "database": ("named_database",),
    }
    key: ClassVar[str] = "level"
    reason: ClassVar[str] = "not a line of a PostgreSQL log"

    def made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns that the groups are made into."""
        return frame.with_columns(
            pl.col("message", "detail", "query").str.replace_all('""', '"', literal=True),
            pl.coalesce("client", "named_client", pl.col("connection").str.extract(r"^(.*):\d+$")).alias("client"),
            pl.coalesce("port", "named_port", pl.col("connection").str.extract(r":(\d+)$")).alias("port"),
            pl.coalesce("user", "named_user").alias("user"),
            pl.coalesce("database", "named_database").alias("database"),
            timestamp=pl.concat_str("time", clocks.offset(pl.col("zone"))),
        )
