"""Lines read once by patterns and once by machine code, which must come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import polars as pl

from connectors import warm


class Reader(Protocol):
    """A format."""

    def parse(self, lines: pl.Series, wanted: frozenset[str] | None, /) -> pl.DataFrame: ...


def both(reader: Reader, lines: Sequence[str | None], wanted: frozenset[str] | None) -> list[list[dict[str, str]]]:
    """Return what patterns read of each line, and what machine code does; the fixture `machine_code` sets it back."""
    told = []
    for few in (1 << 30, 0):
        warm.WARMTH.few = few
        rows = reader.parse(pl.Series(lines, dtype=pl.String), wanted).to_dicts()
        told.append([{name: value for name, value in sorted(row.items()) if value is not None} for row in rows])
    return told
