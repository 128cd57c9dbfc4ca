"""Puts columns together row by row: what one way of reading couldn't read, another one did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

ERROR: Final = "error.message"  # of a reader: what is wrong with a line


def scatter(frame: pl.DataFrame, rows: pl.Series, others: pl.DataFrame) -> pl.DataFrame:
    """Replace the rows of a frame; a column that holds lists in either frame holds lists afterwards."""
    columns = [
        _scattered(name, _column(frame, name), rows, _column(others, name))
        for name in dict.fromkeys([*frame.columns, *others.columns])
    ]
    return pl.DataFrame(columns)


def placed(column: pl.Series, rows: pl.Series, height: int) -> pl.Series:
    """Return a column so high that has the values at these rows, and null at all others."""
    if column.dtype != pl.List:
        return nulls(column.name, height).scatter(rows, column)
    places = pl.Series([None], dtype=pl.UInt32).new_from_index(0, height)
    return column.gather(places.scatter(rows, range(rows.len())))


def listed(cells: Sequence[Sequence[str | None] | None]) -> pl.Series:
    """Return a column of lists of texts. Polars would call back for each list; so they are put together from texts."""
    filled = [cell for cell in cells if cell]
    texts = pl.Series("texts", [text for cell in filled for text in cell], dtype=pl.String).to_frame()
    owners = pl.Series("owner", [at for at, cell in enumerate(filled) for _ in cell], dtype=pl.UInt32)
    lists = texts.with_columns(owners).group_by("owner", maintain_order=True).agg("texts")["texts"]
    known = pl.concat([lists, pl.Series([[]], dtype=pl.List(pl.String))])
    numbers = iter(range(len(filled)))
    places = [None if cell is None else next(numbers) if cell else len(filled) for cell in cells]
    return known.gather(pl.Series(places, dtype=pl.UInt32)).alias("")


def nulls(name: str, height: int) -> pl.Series:
    """Return a text column that has no value."""
    return pl.Series(name, [None], pl.String).new_from_index(0, height)


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name in frame.columns:
        return frame[name]
    return nulls(name, frame.height)


def _scattered(name: str, column: pl.Series, rows: pl.Series, others: pl.Series) -> pl.Series:
    if pl.List not in (column.dtype, others.dtype):
        return column.scatter(rows, others)
    places = pl.arange(column.len(), eager=True).scatter(rows, range(column.len(), column.len() + rows.len()))
    return pl.concat([_listed(column), _listed(others)]).gather(places).alias(name)


def _listed(column: pl.Series) -> pl.Series:
    if column.dtype == pl.List:
        return column
    alone = pl.when(pl.col("text").is_not_null()).then(pl.concat_list("text"))
    return column.alias("text").to_frame().select(alone).to_series()
