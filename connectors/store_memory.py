"""The memory of correlations in the embedded store: matches in blocks, one for each rule and batch.

A block is a Parquet file in a row, named by what it holds, so keeping a batch again changes nothing. Blocks go when
they arrived longer ago than any correlation looks back; small ones that came within an hour are joined.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

import polars as pl

from connectors.blocks import HOUR, SLACK, Decoded, microseconds, packed, unpacked
from connectors.store import Store
from detectors.contracts import Block, Clock, Intervals, Waiting, inside

WAIT: Final = (
    "INSERT INTO waiting VALUES (?,?,0)"
    " ON CONFLICT DO UPDATE SET since = min(since, excluded.since), version = version + 1"
)
SMALL, MANY = 4_096, 64  # bytes of a block that is worth joining, and from how many on


class StoreMemory:
    """A Memory in the embedded store. `reach` is how far, in microseconds, any correlation looks back."""

    def __init__(self, store: Store, reach: int, now: Callable[[], int] = microseconds) -> None:
        self._store, self._kept, self._now = store, reach + SLACK, now
        self._decoded = Decoded()

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        now = self._now()
        rows = [
            (
                block.id,
                block.rule,
                block.matches["time"].min(),
                block.matches["time"].max(),
                now,
                packed(block.matches),
            )
            for block in blocks
        ]
        with self._store.transaction() as db:
            db.executemany("INSERT INTO blocks VALUES (?,?,?,?,?,'',?) ON CONFLICT DO NOTHING", rows)
            db.executemany(WAIT, waiting.items())
            db.execute("DELETE FROM blocks WHERE arrived < ?", (now - self._kept,))
        for rule in {block.rule for block in blocks}:
            self._join(rule, now // HOUR * HOUR)

    def recall(self, rule: str, columns: Collection[str], within: Intervals | None, by: str) -> pl.DataFrame:
        while True:
            known = self._store.query("SELECT id, first, last, told FROM blocks WHERE rule = ? ORDER BY rowid", (rule,))
            asked = {*columns, "time"}
            frames = [
                (self._decode(name, asked, within), told == by)
                for name, first, last, told in known
                if within is None or any(first <= end and last >= begin for begin, end in within)
            ]
            found = [(frame, told) for frame, told in frames if frame is not None]
            if len(found) == len(frames):  # else another process joined some meanwhile
                return Block.join(found, columns)

    def told(self, blocks: Sequence[Block], by: str) -> None:
        with self._store.transaction() as db:
            db.executemany("UPDATE blocks SET told = ? WHERE id = ?", [(by, block.id) for block in blocks])

    def pass_time(self, newest: Mapping[Clock, int]) -> None:
        with self._store.transaction() as db:
            db.executemany(
                "INSERT INTO clocks VALUES (?,?,?)"
                " ON CONFLICT DO UPDATE SET newest = excluded.newest WHERE excluded.newest > newest",
                [(*clock, time) for clock, time in newest.items()],
            )

    def times(self) -> dict[Clock, int]:
        rows = self._store.query("SELECT source, stream, newest FROM clocks", ())
        return {(source, stream): newest for source, stream, newest in rows}

    def waiting(self) -> dict[str, Waiting]:
        rows = self._store.query("SELECT correlation, since, version FROM waiting ORDER BY correlation", ())
        return {correlation: Waiting(since, version) for correlation, since, version in rows}

    def settle(self, correlation: str, seen: Waiting, until: int) -> None:
        with self._store.transaction() as db:
            done = db.execute(
                "UPDATE waiting SET since = ?, version = version + 1"
                " WHERE correlation = ? AND since = ? AND version = ?",
                (until, correlation, seen.since, seen.version),
            )
            if not done.rowcount:
                db.execute(WAIT, (correlation, seen.since))

    def _decode(self, name: str, columns: Collection[str], within: Intervals | None) -> pl.DataFrame | None:
        """Return columns of a block's matches within these times, or None if it is gone.

        What was decoded lately is still at hand.
        """
        frame = self._decoded.get(name, columns)
        if frame is None:
            rows = self._store.query("SELECT matches FROM blocks WHERE id = ?", (name,))
            frame = self._decoded.put(name, columns, unpacked(rows[0][0], columns)) if rows else None
        if frame is None or within is None:
            return frame
        there = inside(frame["time"].to_numpy(), within)
        return frame if there.all() else frame.filter(there)

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
                frames = [unpacked(content) for _, content in found]
                whole = Block(rule, pl.concat(frames, how="diagonal").unique("event.id", maintain_order=True))
                db.executemany("DELETE FROM blocks WHERE id = ?", [(name,) for name, _ in found])
                span = whole.matches["time"].min(), whole.matches["time"].max()
                db.execute(
                    "INSERT INTO blocks VALUES (?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                    (whole.id, rule, *span, arrived, told, packed(whole.matches)),
                )
