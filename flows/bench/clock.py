"""Processor time, by what it was spent on.

Clocks may be nested: what runs inside another's block is counted once, for the inner one.
"""

from __future__ import annotations

import resource
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
ROUNDS = 3
ADDITIONS = 1_000_000


class Ledger(Generic[Key]):
    """Seconds of processor time of this process, all threads, under keys."""

    def __init__(self) -> None:
        self.seconds: dict[Key, float] = defaultdict(float)
        self.calls: dict[Key, int] = defaultdict(int)
        self._inner = [0.0]  # per open block: what blocks inside it took

    @contextmanager
    def timed(self, key: Key) -> Iterator[None]:
        """Add the time of a block to a key, without that of timed blocks inside."""
        self._inner.append(0.0)
        start = time.process_time()
        try:
            yield
        finally:
            taken = time.process_time() - start
            self.seconds[key] += taken - self._inner.pop()
            self.calls[key] += 1
            self._inner[-1] += taken


def spent() -> float:
    """Return the processor time of this process so far, and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def least(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Return the processor time of the quickest of some rounds: noise only ever adds."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def reference() -> float:
    """Return how long ten million additions take now: machines differ, and hours of one machine."""
    return least(_added, 2) * 10_000_000 / ADDITIONS


def _added() -> int:
    total = 0
    for number in range(ADDITIONS):
        total += number
    return total
