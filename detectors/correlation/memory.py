"""A Memory that lasts as long as the process: for hunts, and for the tests of rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from detectors.contracts import Block
from detectors.correlation.windows import inside


class Held:
    """Matches in this process's memory."""

    def __init__(self) -> None:
        self._blocks: dict[str, dict[str, pl.DataFrame]] = defaultdict(dict)  # rule → name of a block → matches
        self._told: dict[str, str] = {}
        self._times: dict[str, int] = {}
        self._waiting: dict[str, int] = {}

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        for block in blocks:
            self._blocks[block.rule].setdefault(block.id, block.matches)
        for correlation, time in waiting.items():
            self._waiting[correlation] = min(time, self._waiting.get(correlation, time))

    def recall(
        self, rule: str, columns: Collection[str], within: Sequence[tuple[int, int]] | None, by: str
    ) -> pl.DataFrame:
        blocks = self._blocks[rule].items()
        found = Block.join([(frame, self._told.get(name) == by) for name, frame in blocks], {*columns, "time"})
        return found.filter(inside(found["time"].to_numpy(), within))

    def told(self, blocks: Sequence[Block], by: str) -> None:
        self._told.update({block.id: by for block in blocks})

    def pass_time(self, newest: Mapping[str, int]) -> None:
        for source, time in newest.items():
            self._times[source] = max(time, self._times.get(source, time))

    def times(self) -> dict[str, int]:
        return dict(self._times)

    def waiting(self) -> dict[str, int]:
        return dict(self._waiting)

    def settle(self, correlation: str, since: int, until: int) -> None:
        if self._waiting.get(correlation) == since:
            self._waiting[correlation] = until
