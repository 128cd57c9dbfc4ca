r"""JSON objects that are members of an array that is never finished: one per line, a comma behind each.

    { "timestamp": "2026-03-02 08:15:00", "class": "connection", "event": "connect" },

MySQL's audit plugins write so. Own columns: those of `ndjson`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from connectors.formats.ndjson import Ndjson


@dataclass(frozen=True, slots=True)
class JsonMembers:
    """Reads such lines; plain JSON lines as well."""

    name: ClassVar[str] = "json_members"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return Ndjson().parse(original.str.replace(r"^\s*\[?\s*(\{.*\})\s*[,\]]?\s*$", "$1"), wanted)
