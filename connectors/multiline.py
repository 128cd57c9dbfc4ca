"""Records of several lines: a stack trace belongs to the line before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from detectors.contracts import Batch

LONGEST: Final = 10_000  # lines of one record; beyond, the rest begins another


def joined(batch: Batch, beginning: str | None) -> Batch:
    """Join lines that don't have the beginning of a record to the one before; its position is that of its first line.

    Lines before the first beginning stay as they are.
    """
    if beginning is None or batch.records.is_empty():
        return batch
    first = batch.records["event.original"].str.contains(beginning)
    if first.all():
        return batch
    place = pl.int_range(pl.len())
    record = pl.col("first").cum_sum()
    frame = batch.records.with_columns(first=first)
    frame = frame.with_columns(record=pl.when(record == 0).then(-place - 1).otherwise(record))
    frame = frame.with_columns(part=place.over("record") // LONGEST)
    others = [name for name in batch.records.columns if name != "event.original"]
    whole = frame.group_by("record", "part", maintain_order=True).agg(
        pl.col("event.original").str.join("\n"), pl.col(others).first()
    )
    return replace(batch, records=whole.select(batch.records.columns), text=None)
