"""Records of several lines: a stack trace belongs to the line before it, a query to the comments above it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol, runtime_checkable

import polars as pl

from detectors.contracts import Batch

LONGEST: Final = 10_000  # lines of one record; beyond, the rest begins another


@runtime_checkable
class Joining(Protocol):
    """A format that tells by itself which lines are one record."""

    def record(self, lines: pl.Series) -> pl.Series:
        """Number the record that each line belongs to; null where a line is alone."""
        ...


def joined(batch: Batch, beginning: str | None, reader: object = None) -> Batch:
    """Join the lines of each record, at the position of its first one.

    Lines that don't have the beginning of a record belong to the one before, those before the first beginning to none;
    without a beginning the format may tell.
    """
    lines = batch.records["event.original"]
    if lines.is_empty():
        return batch
    if beginning is not None:
        number = _from(lines.str.contains(beginning).fill_null(value=False))
    elif isinstance(reader, Joining):
        number = reader.record(lines)
    else:
        return batch
    alone = number.is_null()
    if alone.all() or number.filter(~alone).n_unique() == lines.len():
        return batch
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = batch.records.with_columns(record=number.cast(pl.Int64)).with_columns(
        record=pl.coalesce("record", -place - 1)
    )
    frame = frame.with_columns(part=place.over("record") // LONGEST)
    others = [name for name in batch.records.columns if name != "event.original"]
    whole = frame.group_by("record", "part", maintain_order=True).agg(
        pl.col("event.original").str.join("\n"), pl.col(others).first()
    )
    return replace(batch, records=whole.select(batch.records.columns), text=None)


def _from(first: pl.Series) -> pl.Series:
    number = first.cast(pl.Int64).cum_sum()
    return number.set(number == 0, None)
