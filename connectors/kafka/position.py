"""Where a partition is to be read on: an offset, and which of the lines that follow it were read already.

    offset 4120, done 4137, spans (4120, 5, 3) (4122, 0, 1)

    below 4137 only the lines 5 to 7 of record 4120 and line 0 of record 4122 are still to be read

Kafka keeps the second part as the metadata of a group's offset.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson
import polars as pl

AT: Final = "soc.at"  # a column: the offset of the Kafka record that a line came in
INDEX: Final = "soc.index"
ROOM: Final = 4_000  # bytes of metadata; a broker takes 4,096 unless told otherwise
LONGEST: Final = 1 << 20  # bytes of it unpacked

Span: TypeAlias = tuple[int, int, int]  # offset of a record, the first line in it, how many lines


@dataclass(frozen=True, slots=True)
class Position:
    """Where to read on. Below `done` only the lines of `spans` are still to be read."""

    offset: int
    done: int
    spans: tuple[Span, ...] = ()

    @staticmethod
    def of(lines: pl.DataFrame | None, after: int) -> Position:
        """Return the position after which everything was read but some lines (with AT and INDEX)."""
        if lines is None:
            return Position(after, after)
        places = lines.select(AT, pl.col(INDEX).cast(pl.Int64)).sort(AT, INDEX)
        run = (pl.col(INDEX) - pl.int_range(pl.len())).over(AT)
        spans = places.with_columns(run.alias("run")).group_by(AT, "run", maintain_order=True)
        rows = spans.agg(pl.col(INDEX).first(), pl.len().cast(pl.Int64)).select(AT, INDEX, "len").rows()
        return Position(rows[0][0], after, tuple(rows))

    @staticmethod
    def read(offset: int, metadata: str) -> Position:
        """Read what a group stored; without metadata that we know everything from the offset on is still to be read."""
        try:
            unpacker = zlib.decompressobj()
            told = orjson.loads(unpacker.decompress(base64.b85decode(metadata), LONGEST))
            if not unpacker.eof:
                return Position(offset, offset)
            done, *spans = (tuple(map(int, row)) for row in told)
            return Position(offset, offset + done[0], tuple((offset + at, index, count) for at, index, count in spans))
        except (ValueError, TypeError, IndexError, zlib.error, binascii.Error):
            return Position(offset, offset)

    @property
    def metadata(self) -> str:
        """Return the position without its offset as text; "" where it is no more than that, or finds no room."""
        if not self.spans:
            return ""
        rows = [[self.done - self.offset], *([at - self.offset, index, count] for at, index, count in self.spans)]
        packed = base64.b85encode(zlib.compress(orjson.dumps(rows), 9)).decode()
        return packed if len(packed) <= ROOM else ""

    def left(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Return those of the lines (with AT and INDEX) that are still to be read."""
        spans = pl.DataFrame(self.spans, schema={AT: pl.Int64, INDEX: pl.Int64, "count": pl.Int64}, orient="row")
        ranges = pl.int_ranges(INDEX, pl.col(INDEX) + pl.col("count"))
        places = spans.select(AT, ranges.alias(INDEX)).explode(INDEX).with_columns(pl.col(INDEX).cast(pl.Int32))
        again = lines.filter(pl.col(AT) < self.done).join(places, on=[AT, INDEX], how="semi", maintain_order="left")
        return pl.concat([again, lines.filter(pl.col(AT) >= self.done)])
