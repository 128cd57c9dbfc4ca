"""What to tell people now: open incidents in one message, again after ever longer pauses, and that they are over.

Messages leave the house, so they name no person, machine or address: an incident's id, level, number of findings, its
organisations' codes, and the nearest deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from detectors.schema import LEVELS

FIRST: Final = timedelta(minutes=30)  # until an incident that nobody took is told again; twice as long each time
LONGEST: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Matter:
    """An incident as it may be told outside."""

    id: str
    level: str
    findings: int
    status: str
    organisations: tuple[str, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of an incident: how often, and when last."""

    times: int
    last: datetime
    resolved: bool = False


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which only critical matters are told; it may span midnight."""

    begin: time
    end: time

    def holds(self, now: datetime) -> bool:
        at = now.timetz().replace(tzinfo=None)
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


def pause(times: int) -> timedelta:
    """Return how long to wait after a matter was told so often."""
    doubled: int = 2 ** min(times - 1, 16)
    return min(FIRST * doubled, LONGEST)


def to_tell(
    matters: Iterable[Matter], told: Mapping[str, Told], now: datetime, quiet: Quiet | None, least: str
) -> tuple[list[Matter], list[Matter]]:
    """Return what is to be told now, the most severe first, and what is to be told as resolved.

    A matter that somebody works at isn't told again. In quiet hours only critical ones are told; the others wait.
    """
    still, over = [], []
    hushed = quiet is not None and quiet.holds(now)
    for each in matters:
        before = told.get(each.id)
        if each.status == "closed":
            if before is not None and not before.resolved and not hushed:
                over.append(each)
            continue
        if LEVELS.index(each.level) < LEVELS.index(least) or (hushed and each.level != "critical"):
            continue
        if before is None or (each.status == "new" and now - before.last >= pause(before.times)):
            still.append(each)
    return sorted(still, key=lambda one: (-LEVELS.index(one.level), one.id)), sorted(over, key=lambda one: one.id)
