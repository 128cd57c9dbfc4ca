"""Puts frames together row by row: what one way of reading couldn't read, another one did."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def scatter(frame: pl.DataFrame, rows: pl.Series, others: pl.DataFrame) -> pl.DataFrame:
    """Replace the rows of a frame; a column that holds lists in either frame holds lists afterwards."""
    return gather_parts([(pl.arange(frame.height, eager=True), frame), (rows.cast(pl.Int64), others)], frame.height)


def gather_parts(parts: Sequence[tuple[pl.Series, pl.DataFrame]], height: int) -> pl.DataFrame:
    """Build one frame of frames whose rows belong at the places given; a later part wins."""
    lists = {name for _, part in parts for name, kind in part.schema.items() if kind == pl.List}
    aligned = [part.with_columns(_listed(name, part) for name in lists) for _, part in parts]
    stacked = pl.concat(aligned, how="diagonal")
    places = pl.concat(place.cast(pl.Int64).alias("place") for place, _ in parts)
    last = pl.DataFrame([places]).with_row_index("row").group_by("place").agg(pl.col("row").max()).sort("place")
    if last.height != height:
        raise ValueError(f"the parts name {last.height} of {height} rows")
    return stacked[last["row"]]


def _listed(name: str, part: pl.DataFrame) -> pl.Expr:
    kind = part.schema.get(name)
    if kind is None:
        return pl.lit(None, pl.List(pl.String)).alias(name)
    if kind == pl.List:
        return pl.col(name)
    return pl.when(pl.col(name).is_not_null()).then(pl.concat_list(name)).alias(name)
