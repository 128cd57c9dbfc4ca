"""Records of several lines: a stack trace belongs to the line before it, a query to the comments above it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    number = None if lines.is_empty() else _numbers(lines, beginning, reader)
    if number is None:
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


def carried(batches: Iterable[Batch], means: Callable[[str], tuple[str | None, object]]) -> Iterator[Batch]:
    """Yield batches whose last record is whole: its lines wait for what the next batch of the same origin begins with.

    `means` tells a source's beginning of a record and its format. At most `LONGEST` lines wait, and none at the end: so
    this is for sources that are read to their end, not for those that commit what they handed over.
    """
    held: Batch | None = None
    for batch in batches:
        given = batch
        if held is not None and (held.origin, held.source) == (batch.origin, batch.source):
            given = replace(batch, records=pl.concat([held.records, batch.records], how="diagonal"), text=None)
        elif held is not None:
            yield held
        whole, held = _parted(given, *means(given.source))
        if whole.records.height:
            yield whole
    if held is not None:
        yield held


def _parted(batch: Batch, beginning: str | None, reader: object) -> tuple[Batch, Batch | None]:
    """Part a batch from the lines of its last record, which may go on."""
    lines = batch.records["event.original"]
    number = None if lines.is_empty() else _numbers(lines, beginning, reader)
    if number is None or number[-1] is None:
        return batch, None
    first = int((number == number[-1]).arg_true()[0])
    if lines.len() - first > LONGEST:
        return batch, None
    whole, rest = batch.records[:first], batch.records[first:]
    return replace(batch, records=whole, text=None), replace(batch, records=rest, text=None)


def _numbers(lines: pl.Series, beginning: str | None, reader: object) -> pl.Series | None:
    """Number the record of each line, where lines are joined at all; null where a line is alone."""
    if beginning is not None:
        return _from(lines.str.contains(beginning).fill_null(value=False))
    return reader.record(lines) if isinstance(reader, Joining) else None


def _from(first: pl.Series) -> pl.Series:
    number = first.cast(pl.Int64).cum_sum()
    return number.set(number == 0, None)
