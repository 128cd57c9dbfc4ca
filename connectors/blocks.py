"""Blocks of matches as bytes, whatever keeps them: Parquet, decoded when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import Final

import polars as pl

from detectors.contracts import Block

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
SLACK: Final = 24 * HOUR  # what is kept longer than windows are, for events that come late
HELD: Final = 128_000_000  # bytes of blocks that stay decoded


def microseconds() -> int:
    """Return what time it is."""
    return time.time_ns() // 1_000


def packed(matches: pl.DataFrame) -> bytes:
    """Return matches as a Parquet file."""
    content = BytesIO()
    matches.write_parquet(content, compression="zstd", compression_level=3)
    return content.getvalue()


def unpacked(content: bytes, columns: Collection[str] | None = None) -> pl.DataFrame:
    """Return matches with those of the columns that they have."""
    if columns is None:
        return pl.read_parquet(BytesIO(content))
    there = pl.read_parquet_schema(BytesIO(content))
    return pl.read_parquet(BytesIO(content), columns=[name for name in columns if name in there])


def pieces(block: Block, most: int) -> Iterator[tuple[Block, bytes]]:
    """Cut a block into such of so many bytes at most, always at the same places; yield each with its bytes."""
    content, height = packed(block.matches), block.matches.height
    if len(content) <= most or height == 1:
        yield block, content
    else:
        for part in block.matches.iter_slices(-(-height // 2)):
            yield from pieces(Block(block.rule, part), most)


class Decoded:
    """Columns of blocks that were decoded lately; the oldest go when they are too many bytes."""

    def __init__(self) -> None:
        self._frames: dict[tuple[str, tuple[str, ...]], pl.DataFrame] = {}
        self._size: float = 0

    def get(self, name: str, columns: Collection[str]) -> pl.DataFrame | None:
        """Return columns of a block if they are at hand."""
        return self._frames.get((name, tuple(sorted(columns))))

    def put(self, name: str, columns: Collection[str], frame: pl.DataFrame) -> pl.DataFrame:
        """Keep columns of a block, and return them."""
        self._frames[name, tuple(sorted(columns))] = frame
        self._size += frame.estimated_size()
        while self._size > HELD and len(self._frames) > 1:
            self._size -= self._frames.pop(next(iter(self._frames))).estimated_size()
        return frame
