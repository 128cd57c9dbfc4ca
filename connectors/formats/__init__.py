"""Log formats: how one line becomes columns. Adding a format is one file here and one line in FORMATS."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final, Protocol

import polars as pl

from connectors.formats.access import Access
from connectors.formats.apache_error import ApacheError
from connectors.formats.auditd import Auditd
from connectors.formats.cef import Cef
from connectors.formats.cisco import Cisco
from connectors.formats.daemon import Daemon
from connectors.formats.delimited import Delimited
from connectors.formats.haproxy import Haproxy
from connectors.formats.json_members import JsonMembers
from connectors.formats.keyvalue import KeyValue
from connectors.formats.klog import Klog
from connectors.formats.leef import Leef
from connectors.formats.microsoft_dhcp import MicrosoftDhcp
from connectors.formats.mssql import Mssql
from connectors.formats.mysql_error import MysqlError
from connectors.formats.mysql_slow import MysqlSlow
from connectors.formats.ndjson import Ndjson
from connectors.formats.nginx_error import NginxError
from connectors.formats.oracle_audit import OracleAudit
from connectors.formats.postgresql import Postgresql
from connectors.formats.redis import Redis
from connectors.formats.syslog import Syslog
from connectors.formats.text import Text
from connectors.formats.tomcat import Tomcat
from connectors.formats.w3c import W3c
from connectors.formats.windows import Windows
from connectors.formats.windows_dns import WindowsDns
from connectors.formats.zeek_tsv import ZeekTsv


class Format(Hashable, Protocol):
    """Reads the lines of one format.

    `structured` says that a line is JSON. Options of a format are the fields of its dataclass.
    """

    @property
    def name(self) -> str: ...

    @property
    def structured(self) -> bool: ...

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return one row per line: a column (String or List(String)) per own field, and `error.message`.

        `wanted` names the only columns the caller needs (one that no line has is all null); None asks for all.
        A line with an `error.message` has no other values. Null is a missing value; an empty text is not.
        """
        ...


FORMATS: Final[dict[str, type[Format]]] = {
    "access": Access,
    "apache_error": ApacheError,
    "auditd": Auditd,
    "cef": Cef,
    "cisco": Cisco,
    "delimited": Delimited,
    "keyvalue": KeyValue,
    "leef": Leef,
    "daemon": Daemon,
    "haproxy": Haproxy,
    "json_members": JsonMembers,
    "klog": Klog,
    "microsoft_dhcp": MicrosoftDhcp,
    "mssql": Mssql,
    "mysql_error": MysqlError,
    "mysql_slow": MysqlSlow,
    "ndjson": Ndjson,
    "nginx_error": NginxError,
    "oracle_audit": OracleAudit,
    "postgresql": Postgresql,
    "redis": Redis,
    "syslog": Syslog,
    "text": Text,
    "tomcat": Tomcat,
    "w3c": W3c,
    "windows": Windows,
    "windows_dns": WindowsDns,
    "zeek_tsv": ZeekTsv,
}
