"""A Memory that lasts as long as the process: for hunts, and for the tests of rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from detectors.contracts import Block, Clock, Intervals, Waiting, inside


class Held:
    """Matches in this process's memory."""

    def __init__(self) -> None:
        self._blocks: dict[str, dict[str, pl.DataFrame]] = defaultdict(dict)  # rule → name of a block → matches
        self._told: dict[str, str] = {}
        self._times: dict[Clock, int] = {}
        self._waiting: dict[str, Waiting] = {}

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        for block in blocks:
            self._blocks[block.rule].setdefault(block.id, block.matches)
        for correlation, time in waiting.items():
            self._wait(correlation, time)

    def recall(self, rule: str, columns: Collection[str], within: Intervals | None, by: str) -> pl.DataFrame:
        blocks = self._blocks[rule].items()
        found = Block.join([(frame, self._told.get(name) == by) for name, frame in blocks], {*columns, "time"})
        return found.filter(inside(found["time"].to_numpy(), within))

    def told(self, blocks: Sequence[Block], by: str) -> None:
        self._told.update({block.id: by for block in blocks})

    def pass_time(self, newest: Mapping[Clock, int]) -> None:
        for clock, time in newest.items():
            self._times[clock] = max(time, self._times.get(clock, time))

    def times(self) -> dict[Clock, int]:
        return dict(self._times)

    def waiting(self) -> dict[str, Waiting]:
        return dict(self._waiting)

    def settle(self, correlation: str, seen: Waiting, until: int) -> None:
        if self._waiting[correlation] == seen:
            self._waiting[correlation] = Waiting(until, seen.version + 1)
        else:
            self._wait(correlation, seen.since)

    def _wait(self, correlation: str, since: int) -> None:
        known = self._waiting.get(correlation, Waiting(since, 0))
        self._waiting[correlation] = Waiting(min(since, known.since), known.version + 1)
