r"""JSON objects that are members of an array that is never finished: one per line, a comma behind each.

    { "timestamp": "2026-03-02 08:15:00", "class": "connection", "event": "connect" },

MySQL's audit plugins write so. Own columns: those of `ndjson`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from connectors.formats.json_lines import Lines, Read, framed
from connectors.formats.ndjson import Ndjson


@dataclass(frozen=True, slots=True)
class JsonMembers:
    """Reads such lines; plain JSON lines as well."""

    name: ClassVar[str] = "json_members"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return framed(self.read(Lines(original), wanted), wanted)

    def read(self, lines: Lines, wanted: frozenset[str] | None) -> Read:
        """Do the same with lines that their source may have in one piece; columns are made when they are asked for."""
        return Ndjson().read(lines if _plain(lines.original) else Lines(_freed(lines.original)), wanted)


def _plain(original: pl.Series) -> bool:
    return bool((original.str.starts_with("{") & original.str.ends_with("}")).all())


def _freed(original: pl.Series) -> pl.Series:
    """Take what is around objects off: `[` before the first, a comma behind each, `]` behind the last."""
    bare = original.str.strip_chars_start(" \t[").str.strip_chars_end(" \t\r,]")
    whole = bare.str.starts_with("{") & bare.str.ends_with("}")
    return pl.select(pl.when(whole).then(bare).otherwise(original)).to_series().alias(original.name)
