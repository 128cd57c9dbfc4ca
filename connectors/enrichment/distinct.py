"""Look-ups once per distinct value: what a column holds ten thousand times is worked out once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
from polars._typing import PolarsDataType


def looked_up_pairs(
    first: pl.Series, second: pl.Series, find: Callable[[Any, Any], Any], kind: PolarsDataType
) -> pl.Series:
    """Return what `find` makes of the distinct pairs of two columns; null where either is."""
    if first.null_count() == first.len():
        return nothing(first.len(), kind)
    pairs = pl.DataFrame([first.alias("first"), second.alias("second")])
    distinct = pairs.drop_nulls().unique()
    made = pl.Series("made", [find(*pair) for pair in distinct.iter_rows()], dtype=kind)
    return _joined(pairs, distinct.with_columns(made), ["first", "second"])


def nothing(height: int, kind: PolarsDataType) -> pl.Series:
    """Return a column without a value."""
    return pl.Series([None], dtype=kind).new_from_index(0, height)


def _joined(frame: pl.DataFrame, table: pl.DataFrame, keys: list[str]) -> pl.Series:
    return frame.join(table, on=keys, how="left", maintain_order="left")["made"]
