"""What fits into a shift: open incidents and findings ranked, as many as the minutes allow; the rest is deferred."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from detectors.schema import LEVELS

MINUTES: Final = {"informational": 2, "low": 5, "medium": 15, "high": 30, "critical": 60}  # to look at one
MORE: Final = 0.2  # what another finding of the same rule and organisation costs, of the first
SOON: Final = timedelta(hours=8)  # a deadline within a shift comes first


@dataclass(frozen=True, slots=True)
class Work:
    """Something to look at: an incident, or findings of one rule at one organisation."""

    kind: str  # incident, findings
    id: str  # of the incident, or of the first finding
    title: str
    level: str
    count: int = 1
    risk: float = 0.0  # the highest of whom it names
    since: datetime | None = None
    until: datetime | None = None  # its nearest deadline

    @property
    def minutes(self) -> int:
        first = MINUTES.get(self.level, MINUTES["informational"])
        return round(first * (1 + MORE * (self.count - 1))) if self.kind == "findings" else first


@dataclass(slots=True)
class Plan:
    """`fits` in the order in which to do it; `over` is what has to be done although there is no time."""

    minutes: int
    fits: list[Work] = field(default_factory=list)
    deferred: list[Work] = field(default_factory=list)
    over: int = 0

    @property
    def used(self) -> int:
        return sum(each.minutes for each in self.fits)


def plan(work: Iterable[Work], minutes: int, now: datetime) -> Plan:
    """Fill a shift: near deadlines first, then level, risk and age. What is critical is never deferred.

    What doesn't fit any more is deferred, and something smaller behind it may still fit.
    """
    made, used = Plan(minutes), 0
    for each in sorted(work, key=lambda one: _rank(one, now)):
        must = each.level == "critical" or _near(each, now)
        if must or used + each.minutes <= minutes:
            made.fits.append(each)
            used += each.minutes
        else:
            made.deferred.append(each)
    made.over = max(used - minutes, 0)
    return made


def _near(work: Work, now: datetime) -> bool:
    return work.until is not None and work.until - now <= SOON


def _rank(work: Work, now: datetime) -> tuple[bool, int, float, float, str]:
    level = LEVELS.index(work.level) if work.level in LEVELS else 0
    age = work.since.timestamp() if work.since else float("inf")
    return not _near(work, now), -level, -work.risk, age, work.id
