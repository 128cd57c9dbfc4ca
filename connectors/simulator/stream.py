"""Lines in the order of time, made while they are read: a day needs no more memory than its open sessions."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one log, and the attack it belongs to, if any (which never shows in its text)."""

    at: datetime  # in the province's zone
    source: str
    text: str
    attack: str | None = None


class Rhythm(Protocol):
    """How much goes on at a moment, as a share of the busiest time."""

    def __call__(self, at: datetime) -> float: ...


def arrivals(random: Random, begin: datetime, end: datetime, per_hour: float, rhythm: Rhythm) -> Iterator[datetime]:
    """Yield the moments at which something begins, minute by minute, in order."""
    minute = begin
    while minute < end:
        expected = per_hour / 60 * rhythm(minute) * (0.5 + random.random())  # busy and quiet minutes
        count = int(expected) + (random.random() < expected % 1)
        for moment in sorted(random.randrange(60_000_000) for _ in range(count)):
            yield minute + timedelta(microseconds=moment)
        minute += timedelta(minutes=1)


def later(at: datetime, random: Random, least: float, most: float) -> datetime:
    """Return a moment between `least` and `most` seconds after another."""
    return at + timedelta(microseconds=random.randrange(int(least * 1e6), int(most * 1e6) + 1))


def in_order(sessions: Iterable[tuple[datetime, Iterable[Line]]]) -> Iterator[Line]:
    """Merge overlapping sessions, which come in the order of their beginnings."""
    waiting: list[tuple[datetime, int, Line]] = []
    number = 0  # ties keep the order in which they were made
    for begin, lines in sessions:
        while waiting and waiting[0][0] <= begin:
            yield heapq.heappop(waiting)[2]
        for line in lines:
            heapq.heappush(waiting, (line.at, number, line))
            number += 1
    while waiting:
        yield heapq.heappop(waiting)[2]
