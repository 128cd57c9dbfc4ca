r"""Oracle database audit files (.aud); the lines of one record are joined.

    Wed Oct 21 11:58:08 2026 -04:00
    LENGTH : '267'
    ACTION :[7] 'CONNECT'
    DATABASE USER:[3] 'SYS'
    PRIVILEGE :[6] 'SYSDBA'
    CLIENT USER:[6] 'oracle'
    STATUS:[1] '0'
    LENGTH: "385" SESSIONID:[5] "12354" USERID:[3] "LAN" ACTION:[3] "103" RETURNCODE:[1] "0" OBJ$NAME:[10] "ATTRIBUTES"

Own columns: the keys as below. The process id stands once, at the head of the file, and counts for what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.fitting import finished

HEAD: Final = r"^([A-Z][a-z]{2} [A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \d{4}(?: [+-]\d\d:\d\d)?)\s*(?:\n|$)"
KEYS: Final = {
    "action": "ACTION",
    "user": "(?:DATABASE USER|USERID)",
    "privilege": "PRIVILEGE",
    "client_user": r"(?:CLIENT USER|OS\$USERID)",
    "terminal": "(?:CLIENT TERMINAL|TERMINAL)",
    "status": "(?:STATUS|RETURNCODE)",
    "dbid": "DBID",
    "session": "SESSIONID",
    "host": "USERHOST",
    "client": "CLIENT ADDRESS",
    "action_number": "ACTION NUMBER",
    "object": r"OBJ\$NAME",
    "object_owner": r"OBJ\$CREATOR",
}


@dataclass(frozen=True, slots=True)
class OracleAudit:
    """Reads audit files of Oracle."""

    name: ClassVar[str] = "oracle_audit"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        line = pl.col("line")
        keys = [name for name in KEYS if wanted is None or name in wanted]
        frame = original.alias("line").to_frame().with_columns(line.str.extract(HEAD).alias("head"))
        made = {
            "zone": pl.col("head").str.extract(r" ([+-]\d\d:\d\d)$"),
            "pid": line.str.extract(r"(?m)^Unix process pid: (\d+)").forward_fill(),
        }
        frame = frame.select(
            pl.col("head").alias("time"),
            *[made[name].alias(name) for name in made if wanted is None or name in wanted],
            *[_value(line, KEYS[name]).alias(name) for name in keys],
        )
        if "client" in keys:
            host = pl.col("client").str.extract(r"HOST=([^)\s]+)")
            frame = frame.with_columns(pl.coalesce(host, "client").alias("client"))
        return finished(frame, wanted, "time", "belongs to no audit record")


def _value(line: pl.Expr, key: str) -> pl.Expr:
    """Return what stands in single quotes on a line of its own (it may hold some itself), else in double ones."""
    alone = line.str.extract(rf"(?sm)^{key} ?:\[?\d*\]? ?'(.*?)'\s*$")
    return pl.coalesce(alone, line.str.extract(rf'(?m)(?:^| ){key}:\[?\d*\]? ?"([^"]*)"'))
