"""What a run has done so far, and how long each stage took."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Statistics:
    """What a run has done so far."""

    events: int = 0
    bytes: int = 0
    parse_failures: int = 0
    findings: int = 0
    known_findings: int = 0
    first_finding: float | None = None  # when it was stored, by the clock that runs since the machine was started
    matches: Counter[str] = field(default_factory=Counter)  # rule id → matching events
    suppressed: Counter[str] = field(default_factory=Counter)  # exception id → matches that it took
    excepted: int = 0  # matches that any exception took
    silenced: Counter[str] = field(default_factory=Counter)  # why matches make no findings → how many
    by_source: Counter[str] = field(default_factory=Counter)  # source → events
    failed_rules: dict[str, str] = field(default_factory=dict)  # rule id → what happened when it ran
    clocks: list[str] = field(default_factory=list)  # what is said of sources whose times can't be right
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # stage → seconds

    def making(self, stage: str, items: Iterator[Item]) -> Iterator[Item]:
        """Yield items, and add the time that making each takes to a stage."""
        while True:
            with self.timed(stage):
                item = next(items, None)
            if item is None:
                return
            yield item

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start
