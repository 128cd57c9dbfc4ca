r"""Patterns as Logstash, Elastic and CrowdSec write them: `%{IP:source_ip}` is a named group, `%{IP}` is none.

    ^Connection from %{IP:source_ip} port %{INT:source_port}$

What is not `%{…}` is a regular expression as it stands, so `(?P<user>\S+)` works too. A column's name may have dots.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import polars as pl

from detectors.nearest import meant

NAMED: Final = re.compile(r"%\{(?P<kind>\w+)(?::(?P<column>[^}]*))?\}")
COLUMN: Final = re.compile(r"[A-Za-z_][\w.]*")
GROUP: Final = re.compile(r"\\.|\(\?P?<([A-Za-z_][\w.\[\]]*)>")  # or an escaped character, which opens none

IPV4: Final = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
IPV6: Final = r"[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(?:%\w+)?"
VOCABULARY: Final = {
    "DATA": r".*?",
    "GREEDYDATA": r".*",
    "HOST": r"[0-9A-Za-z_](?:[\w.-]*\w)?",
    "HTTPDATE": r"\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "INT": r"[+-]?\d+",
    "IP": rf"(?:{IPV4}|{IPV6})",
    "IPORHOST": rf"(?:{IPV6}|[\w.-]+)",
    "ISO8601": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))?",
    "MAC": r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}|(?:[0-9A-Fa-f]{4}\.){2}[0-9A-Fa-f]{4}",
    "NOTSPACE": r"\S+",
    "NUMBER": r"[+-]?\d+(?:\.\d+)?",
    "PATH": r"(?:/|[A-Za-z]:\\)[^\s\"']*",
    "PORT": r"\d{1,5}",
    "QUOTED": r'[^"]*',
    "SPACE": r"\s*",
    "SYSLOGTIME": r"[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d+)?",
    "URI": r"[a-z][a-z0-9+.-]*://\S+",
    "USER": r"[\w.@\\$-]+",
    "UUID": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
    "WORD": r"\w+",
}


@lru_cache(maxsize=10_000)  # definitions share patterns
def expanded(pattern: str, *, proved: bool = False) -> str:
    """Return a pattern as the regular expression it stands for. One that is `proved` is not tried, which takes long.

    Raises:
        ValueError: when it isn't one, with what to write instead.
    """
    regex = NAMED.sub(_group, pattern)
    if not proved:
        try:
            pl.Series([""]).str.contains(regex)
        except pl.exceptions.PolarsError as error:
            why = next(
                (line for line in str(error).splitlines() if line.startswith("error: ")), "error: no reason given"
            )
            raise ValueError(f"{pattern!r} is no pattern: {why.removeprefix('error: ')}") from None
    return regex


def groups(regex: str) -> tuple[str, ...]:
    """Return the names of a regular expression's groups."""
    return tuple(filter(None, GROUP.findall(regex)))


def _group(match: re.Match[str]) -> str:
    kind, column = match["kind"], match["column"]
    if kind not in VOCABULARY:
        raise ValueError(f"%{{{kind}}} is unknown; {meant(kind, VOCABULARY) or _known()}")
    if column is None:
        return f"(?:{VOCABULARY[kind]})"
    if not COLUMN.fullmatch(column):
        raise ValueError(f"{column!r} can't be a column's name in {match[0]}; use letters, digits, `_` and `.`")
    return f"(?P<{column}>{VOCABULARY[kind]})"


def _known() -> str:
    return f"known: {', '.join(VOCABULARY)}"
