"""A column of texts as bytes in one piece, for loops that are machine code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from connectors.native import Bytes, Places, Spans


class Piece(NamedTuple):
    """All texts of a column: where each begins and ends in the data; one that is missing ends before it begins."""

    data: Bytes
    starts: Places
    ends: Places


def piece(texts: pl.Series) -> Piece:
    """Return a column of texts in one piece."""
    sizes = texts.str.len_bytes()
    missing = sizes.null_count() > 0
    lengths = sizes.fill_null(0).to_numpy().astype(np.int64)
    whole = texts.fill_null("") if missing else texts
    data = np.frombuffer(whole.str.join("\n").cast(pl.Binary).item(), np.uint8)
    starts = np.cumsum(lengths + 1) - lengths - 1
    ends = starts + lengths
    if missing:
        ends[texts.is_null().to_numpy()] = -1
    return Piece(data, starts, ends)


def texts_at(texts: pl.Series, names: Sequence[str], begins: Spans, sizes: Spans) -> pl.DataFrame:
    """Return columns of what stands at places of texts; null where a size is negative."""
    whole = texts.alias("text").cast(pl.Binary).to_frame()
    nothing = pl.repeat(None, texts.len(), dtype=pl.String)
    found = [
        (_part(pl.lit(pl.Series(begin)), pl.lit(pl.Series(size))) if (size >= 0).any() else nothing).alias(name)
        for name, begin, size in zip(names, begins, sizes, strict=True)
    ]
    return whole.select(found) if found else pl.DataFrame(height=texts.len())


def _part(begin: pl.Expr, size: pl.Expr) -> pl.Expr:
    return pl.when(size >= 0).then(pl.col("text").bin.slice(begin, size.clip(0)).cast(pl.String))
