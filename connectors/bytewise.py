"""A column of texts as bytes in one piece, for loops that are machine code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from connectors import borrowed, exported, memory, views
from connectors.native import Bytes, Places, Spans
from connectors.views import MISSING, Parts


class Piece(NamedTuple):
    """All texts of a column: where each begins and ends in the data; one that is missing ends before it begins."""

    data: Bytes
    starts: Places
    ends: Places


def piece(texts: pl.Series) -> Piece:
    """Return a column of texts in one piece, a newline after each."""
    held = [*exported.chunks(texts)]
    starts, ends = np.empty((2, texts.len()), np.int64)
    edges = np.cumsum([len(chunk.views) for chunk in held])[:-1]
    places = [*zip(held, np.split(starts, edges), np.split(ends, edges), strict=True)] if held else []
    size = 0
    for chunk, begins, stops in places:
        size = views.laid(chunk.views, chunk.there, chunk.first, begins, stops, size)
    data = memory.array((size,), np.uint8)
    for chunk, begins, stops in places:
        blocks = np.array([block.ctypes.data for block in chunk.blocks], np.int64)
        views.gathered(chunk.views, chunk.views.view(np.uint8).reshape(-1), blocks, data, begins, stops)
    return Piece(data, starts, ends)


def part(texts: Piece, begins: Spans, sizes: Spans) -> Piece:
    """Return parts of texts in the same piece; those whose size is negative are missing."""
    starts = texts.starts + begins
    return Piece(texts.data, starts, np.where(sizes < 0, MISSING, starts + sizes))


def some(texts: Piece, rows: pl.Series) -> Piece:
    """Return these of the texts in the same piece."""
    places = rows.to_numpy()
    return Piece(texts.data, texts.starts[places], texts.ends[places])


def texts_at(texts: Piece, names: Sequence[str], begins: Spans, sizes: Spans) -> pl.DataFrame:
    """Return columns of what stands at places of texts; null where a size is negative.

    They look into the data of the texts, of which a batch has far less than the 2 GiB that a view can tell.
    """
    height = texts.starts.size
    found = [
        (borrowed.parts(texts.data, Parts(texts.starts, begin, size)) if (size >= 0).any() else nulls(height)).alias(
            name
        )
        for name, begin, size in zip(names, begins, sizes, strict=True)
    ]
    return pl.DataFrame(found) if found else pl.DataFrame(height=height)


def nulls(height: int) -> pl.Series:
    """Return a text column that has no value."""
    return pl.Series([None], dtype=pl.String).new_from_index(0, height)
