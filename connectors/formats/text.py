"""Lines as they stand: whatever a definition's patterns find in them.

    2026-03-02 08:15:00 [auth] lan signed in from 192.0.2.7

Own column: `message`, the whole line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from connectors.formats.frames import ERROR, nulls


@dataclass(frozen=True, slots=True)
class Text:
    """Reads any line."""

    name: ClassVar[str] = "text"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        names = ["message"] if wanted is None else sorted(wanted)
        columns = [original.alias(name) if name == "message" else nulls(name, original.len()) for name in names]
        return pl.DataFrame([*columns, nulls(ERROR, original.len())])
