"""Reads JSON lines into text columns.

The scanner (`scanner`) reads all lines at once; those it can't vouch for are read record by record (`records`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import polars as pl

from connectors import objects
from connectors.formats import records
from connectors.formats.exact import Pick
from connectors.formats.frames import ERROR, nulls
from connectors.formats.layout import Layout
from connectors.lines import begins
from connectors.native import Places
from detectors.contracts import Encoded

COLUMNS: Final = records.NAMES
FEW: Final = 128  # lines read sooner record by record than all at once
COLD: Final = 2_000  # lines read one by one in the time that machine code takes to load


class _Start:
    """How many lines were read one by one before machine code was loaded."""

    lines = 0

    def worth(self, lines: int) -> bool:
        """Say whether so many lines are read all at once."""
        if lines <= FEW:
            return False
        if not objects.loaded():
            self.lines += lines
        return objects.loaded() or self.lines > COLD


_START = _Start()


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a kind of record: where the wanted columns stand, and what returns those of any record."""

    layout: Callable[[frozenset[str]], Layout]
    pick: Pick


@dataclass(frozen=True, slots=True)
class Lines:
    """JSON lines; `text` is all of them, a line each, where their source has them so."""

    original: pl.Series
    text: memoryview | None = None


class Read(Protocol):
    """What lines hold, a row per line, made when it is asked for."""

    def names(self) -> Collection[str]:
        """Name the columns that any line has."""
        ...

    def times(self, name: str) -> pl.Series | None:
        """Return a column as instants, if all of it is in the usual form."""
        ...

    def frame(self, names: Collection[str]) -> pl.DataFrame:
        """Return columns as texts or lists of texts, null where no record has any, and `error.message`."""
        ...

    def encoded(self, names: Collection[str]) -> dict[str, Encoded]:
        """Return those columns that are there as numbers."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """What was read record by record, or by a reader of another format."""

    columns: pl.DataFrame

    def names(self) -> Collection[str]:
        """Name the columns that any line has."""
        return frozenset(self.columns.columns)

    def times(self, name: str) -> None:
        """Leave it to others."""

    def frame(self, names: Collection[str]) -> pl.DataFrame:
        """Return these columns and `error.message`."""
        absent, there = nulls("", self.columns.height), frozenset(self.columns.columns)
        return pl.DataFrame(
            [self.columns[name] if name in there else absent.alias(name) for name in dict.fromkeys([*names, ERROR])]
        )

    def encoded(self, names: Collection[str]) -> dict[str, Encoded]:  # noqa: ARG002
        """Return none."""
        return {}


def read(lines: Lines, reading: Reading, names: frozenset[str] | None) -> Read:
    """Read these columns, or all."""
    if names is None or not _START.worth(lines.original.len()):
        columns, errors = records.read(lines.original, reading.pick, names)
        columns.pop(ERROR, None)
        return Whole(pl.DataFrame([*columns.values(), errors.alias(ERROR)]))
    return _scanned(lines, reading, names)


def framed(found: Read, wanted: Collection[str] | None) -> pl.DataFrame:
    """Return the wanted columns and `error.message`, or all that there are."""
    if wanted is None and isinstance(found, Whole):
        return found.columns
    return found.frame(sorted(wanted or ()))


def _scanned(lines: Lines, reading: Reading, names: frozenset[str]) -> Read:
    from connectors.formats.cells import Scanned, scanned  # noqa: PLC0415 - few lines do without
    from connectors.formats.trees import mapped  # noqa: PLC0415

    known = mapped(reading.layout, names)
    data, starts, ends = _placed(lines)
    found = Scanned(data, scanned(data, starts, ends, known), known)
    if found.odd.size:
        found.put(*records.cells(lines.original.gather(found.odd), reading.pick, names))
    return found


def _placed(lines: Lines) -> tuple[memoryview, Places, Places]:
    """Return the lines in one piece, and where each begins and ends there."""
    sizes = lines.original.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
    if lines.text is None:
        text = memoryview(lines.original.fill_null("").str.join("\n").cast(pl.Binary).item())
        starts = np.cumsum(sizes + 1) - sizes - 1
    else:
        text, starts = lines.text, begins(lines.text, sizes)
    return text, starts, starts + sizes
