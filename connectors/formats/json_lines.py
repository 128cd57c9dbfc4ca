"""Reads JSON lines into text columns.

Polars reads flat lines (`flat`); those it can't vouch for, and those whose values stand deeper, are read record by
record (`records`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from connectors.formats import flat, records
from connectors.formats.exact import Pick
from connectors.formats.frames import nulls, scatter
from connectors.formats.survey import survey

ERROR: Final = "error.message"
COLUMNS: Final = records.NAMES
FEW: Final = 128  # lines read sooner record by record than all at once


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a kind of record.

    `keys` says for every name wanted under which keys a flat record has it, the best first; `inner` says of a `line`
    that values may stand deeper. `pick` returns the columns of any record.
    """

    pick: Pick
    keys: Mapping[str, Sequence[str]]
    inner: pl.Expr

    def flattened(self) -> Reading:
        """Return how to read such records rewritten flat."""
        return replace(self, keys={name: (name,) for name in self.keys}, inner=pl.lit(value=False))


@dataclass(frozen=True, slots=True)
class Lines:
    """JSON lines, and what else their source has of them: `text` is all of them, a line each.

    `flat` are the same records rewritten flat, with columns as keys; an empty one wasn't.
    """

    original: pl.Series
    text: bytes | None = None
    flat: pl.Series | None = None


def read(lines: Lines, reading: Reading) -> pl.DataFrame:
    """Return one column per name and `error.message`, a row per line; a name that no record has is all null."""
    original = lines.original
    found, left = pl.DataFrame(), pl.arange(original.len(), eager=True)
    if original.len() > FEW:
        given = (original, reading, lines.text) if lines.flat is None else (lines.flat, reading.flattened(), None)
        found, left = _flat(*given)
    if left.len() == original.len():
        found = read_records(original, reading.pick, frozenset(reading.keys))
    elif left.len():
        found = scatter(found, left, read_records(original.gather(left), reading.pick, frozenset(reading.keys)))
    columns, absent = {column.name: column for column in found}, nulls("", original.len())
    return pl.DataFrame([columns.get(name, absent).alias(name) for name in [*reading.keys, ERROR]])


def read_records(original: pl.Series, pick: Pick, wanted: Collection[str] | None) -> pl.DataFrame:
    """Return the columns that the records have, of those wanted or of all, and `error.message`."""
    columns, errors = records.read(original, pick, wanted)
    columns.pop(ERROR, None)
    return pl.DataFrame([*columns.values(), errors.alias(ERROR)])


def _flat(original: pl.Series, reading: Reading, text: bytes | None) -> tuple[pl.DataFrame, pl.Series]:
    """Read the lines whose values stand at their top; return the rows of all others."""
    inner = original.alias("line").to_frame().with_columns(inner=reading.inner)["inner"].fill_null(value=True)
    if inner.all():
        return pl.DataFrame(), inner.arg_true()
    seen = survey(original, {key: None for keys in reading.keys.values() for key in keys})
    left = seen.doubtful | inner
    lines = original.set(left, "{}") if left.any() else original
    found = flat.read(lines, seen.keys, seen.nested, text if seen.sound else None)
    columns = [nulls(ERROR, original.len())]
    for name, keys in reading.keys.items():
        if there := [found.columns[key] for key in keys if key in found.columns]:
            columns.append(_first(there).alias(name))
    return pl.DataFrame(columns), (left | found.failed).arg_true()


def _first(columns: Sequence[pl.Series]) -> pl.Series:
    """Return the first value that any of the columns has."""
    if len(columns) == 1 or not columns[0].has_nulls():
        return columns[0]
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])
    return frame.select(pl.coalesce(pl.all())).to_series()
