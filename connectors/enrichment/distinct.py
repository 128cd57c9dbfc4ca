"""Look-ups once per distinct value: what a column holds ten thousand times is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
from polars._typing import PolarsDataType


def looked_up(column: pl.Series, find: Callable[[list[Any]], Sequence[Any]], kind: PolarsDataType) -> pl.Series:
    """Return what `find` makes of the distinct values, where they stand; null where the column is or it found None."""
    distinct = column.unique().drop_nulls()
    if distinct.is_empty():
        return pl.Series(column.name, [None], dtype=kind).new_from_index(0, column.len())
    made = pl.Series("made", find(distinct.to_list()), dtype=kind)
    table = pl.DataFrame([distinct.alias("key"), made])
    return _joined(column.alias("key").to_frame(), table, ["key"])


def looked_up_pairs(
    first: pl.Series, second: pl.Series, find: Callable[[Any, Any], Any], kind: PolarsDataType
) -> pl.Series:
    """Return what `find` makes of the distinct pairs of two columns; null where either is."""
    pairs = pl.DataFrame([first.alias("first"), second.alias("second")])
    distinct = pairs.drop_nulls().unique()
    made = pl.Series("made", [find(*pair) for pair in distinct.iter_rows()], dtype=kind)
    return _joined(pairs, distinct.with_columns(made), ["first", "second"])


def _joined(frame: pl.DataFrame, table: pl.DataFrame, keys: list[str]) -> pl.Series:
    return frame.join(table, on=keys, how="left", maintain_order="left")["made"]
