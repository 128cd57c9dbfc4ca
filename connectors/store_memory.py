"""The memory of correlations in the embedded store: matches in blocks, one for each rule and batch.

A block is a Parquet file in a row, named by what it holds, so keeping a batch again changes nothing. Blocks go when
they arrived longer ago than any correlation looks back; small ones that came within an hour are joined.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from io import BytesIO
from typing import Final

import polars as pl

from connectors.store import Store
from detectors.contracts import Block

SECOND: Final = 1_000_000
HOUR: Final = 3600 * SECOND
SLACK: Final = 24 * HOUR  # what is kept longer than windows are, for events that come late
SMALL, MANY = 4_096, 64  # bytes of a block that is worth joining, and from how many on
HELD: Final = 256_000_000  # bytes of blocks that stay decoded


def microseconds() -> int:
    """Return what time it is."""
    return time.time_ns() // 1_000


class StoreMemory:
    """A Memory in the embedded store. `reach` is how far, in microseconds, any correlation looks back."""

    def __init__(self, store: Store, reach: int, now: Callable[[], int] = microseconds) -> None:
        self._store, self._kept, self._now = store, reach + SLACK, now
        self._decoded: dict[str, pl.DataFrame] = {}
        self._size: float = 0

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        now = self._now()
        rows = [
            (
                block.id,
                block.rule,
                block.matches["time"].min(),
                block.matches["time"].max(),
                now,
                _packed(block.matches),
            )
            for block in blocks
        ]
        with self._store.transaction() as db:
            db.executemany("INSERT INTO blocks VALUES (?,?,?,?,?,'',?) ON CONFLICT DO NOTHING", rows)
            db.executemany(
                "INSERT INTO waiting VALUES (?,?)"
                " ON CONFLICT DO UPDATE SET since = excluded.since WHERE excluded.since < since",
                waiting.items(),
            )
            db.execute("DELETE FROM blocks WHERE arrived < ?", (now - self._kept,))
        for rule in {block.rule for block in blocks}:
            self._join(rule, now // HOUR * HOUR)

    def recall(
        self, rule: str, columns: Collection[str], within: Sequence[tuple[int, int]] | None, by: str
    ) -> pl.DataFrame:
        while True:
            known = self._store.query("SELECT id, first, last, told FROM blocks WHERE rule = ? ORDER BY rowid", (rule,))
            frames = [
                (self._decode(name, columns), told == by)
                for name, first, last, told in known
                if within is None or any(first <= end and last >= begin for begin, end in within)
            ]
            found = [(frame, told) for frame, told in frames if frame is not None]
            if len(found) == len(frames):  # else another process joined some meanwhile
                return Block.join(found, columns)

    def told(self, blocks: Sequence[Block], by: str) -> None:
        with self._store.transaction() as db:
            db.executemany("UPDATE blocks SET told = ? WHERE id = ?", [(by, block.id) for block in blocks])

    def pass_time(self, newest: Mapping[str, int]) -> None:
        with self._store.transaction() as db:
            db.executemany(
                "INSERT INTO times VALUES (?,?)"
                " ON CONFLICT DO UPDATE SET newest = excluded.newest WHERE excluded.newest > newest",
                newest.items(),
            )

    def times(self) -> dict[str, int]:
        return dict(self._store.query("SELECT source, newest FROM times", ()))

    def waiting(self) -> dict[str, int]:
        return dict(self._store.query("SELECT correlation, since FROM waiting ORDER BY correlation", ()))

    def settle(self, correlation: str, since: int, until: int) -> None:
        with self._store.transaction() as db:
            db.execute("UPDATE waiting SET since = ? WHERE correlation = ? AND since = ?", (until, correlation, since))

    def _decode(self, name: str, columns: Collection[str]) -> pl.DataFrame | None:
        """Return columns of a block, or None if it is gone; what was decoded lately is still at hand."""
        key = f"{name} {sorted(columns)}"
        if key not in self._decoded:
            rows = self._store.query("SELECT matches FROM blocks WHERE id = ?", (name,))
            if not rows:
                return None
            frame = _unpacked(rows[0][0], columns)
            self._decoded[key] = frame
            self._size += frame.estimated_size()
            while self._size > HELD and len(self._decoded) > 1:
                self._size -= self._decoded.pop(next(iter(self._decoded))).estimated_size()
        return self._decoded[key]

    def _join(self, rule: str, hour: int) -> None:
        """Join the small blocks that arrived within an hour, if there are many."""
        which = "FROM blocks WHERE rule = ? AND arrived >= ? AND length(matches) < ? AND told != ''"
        asked = (rule, hour, SMALL)
        if self._store.query(f"SELECT count(*) {which}", asked)[0][0] < MANY:
            return
        with self._store.transaction() as db:
            rows = db.execute(f"SELECT told, min(arrived), count(*) {which} GROUP BY told", asked).fetchall()
            for told, arrived, count in rows:
                if count < MANY:
                    continue
                found = db.execute(f"SELECT id, matches {which} AND told = ?", (*asked, told)).fetchall()
                frames = [pl.read_parquet(BytesIO(content)) for _, content in found]
                whole = Block(rule, pl.concat(frames, how="diagonal").unique("event.id", maintain_order=True))
                db.executemany("DELETE FROM blocks WHERE id = ?", [(name,) for name, _ in found])
                span = whole.matches["time"].min(), whole.matches["time"].max()
                db.execute(
                    "INSERT INTO blocks VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                    (whole.id, rule, *span, arrived, told, _packed(whole.matches)),
                )


def _packed(matches: pl.DataFrame) -> bytes:
    content = BytesIO()
    matches.write_parquet(content, compression="zstd", compression_level=3)
    return content.getvalue()


def _unpacked(content: bytes, columns: Collection[str]) -> pl.DataFrame:
    there = pl.read_parquet_schema(BytesIO(content))
    return pl.read_parquet(BytesIO(content), columns=[name for name in columns if name in there])
