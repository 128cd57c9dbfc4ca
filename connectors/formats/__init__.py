"""Log formats: how one line becomes columns. Adding a format is one file here and one line in FORMATS."""

from __future__ import annotations

from typing import Final, Protocol

import polars as pl

from connectors.formats.access import Access
from connectors.formats.auditd import Auditd
from connectors.formats.cef import Cef
from connectors.formats.cisco import Cisco
from connectors.formats.delimited import Delimited
from connectors.formats.keyvalue import KeyValue
from connectors.formats.leef import Leef
from connectors.formats.ndjson import Ndjson
from connectors.formats.syslog import Syslog
from connectors.formats.text import Text
from connectors.formats.windows import Windows
from connectors.formats.zeek_tsv import ZeekTsv


class Format(Protocol):
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
    "auditd": Auditd,
    "cef": Cef,
    "cisco": Cisco,
    "delimited": Delimited,
    "keyvalue": KeyValue,
    "leef": Leef,
    "ndjson": Ndjson,
    "syslog": Syslog,
    "text": Text,
    "windows": Windows,
    "zeek_tsv": ZeekTsv,
}
