"""Log formats: how one line becomes columns. Adding a format is one file here and one line in FORMATS."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from importlib import import_module
from typing import Final, Protocol

import polars as pl


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


class _Formats(Mapping[str, type[Format]]):
    """Formats by name, each in the module of its name; imported when it is asked for, since a log needs but one."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes

    def __getitem__(self, name: str) -> type[Format]:
        found: type[Format] = getattr(import_module(f"{__name__}.{name}"), self._classes[name])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


FORMATS: Final = _Formats(
    {
        "access": "Access",
        "apache_error": "ApacheError",
        "auditd": "Auditd",
        "cef": "Cef",
        "cisco": "Cisco",
        "delimited": "Delimited",
        "keyvalue": "KeyValue",
        "leef": "Leef",
        "daemon": "Daemon",
        "event_xml": "EventXml",
        "haproxy": "Haproxy",
        "json_members": "JsonMembers",
        "klog": "Klog",
        "microsoft_dhcp": "MicrosoftDhcp",
        "mssql": "Mssql",
        "mysql_error": "MysqlError",
        "mysql_slow": "MysqlSlow",
        "ndjson": "Ndjson",
        "nginx_error": "NginxError",
        "oracle_audit": "OracleAudit",
        "postgresql": "Postgresql",
        "redis": "Redis",
        "syslog": "Syslog",
        "text": "Text",
        "tomcat": "Tomcat",
        "w3c": "W3c",
        "windows": "Windows",
        "windows_dns": "WindowsDns",
        "zeek_tsv": "ZeekTsv",
    }
)
