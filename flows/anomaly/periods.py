"""From when to when each source had events, where it had them on enough days to know what is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import polars as pl

Period: TypeAlias = tuple[datetime, datetime]
DAYS: Final = 14  # with events; two recordings of an hour with a year between them are no weeks
MANY: Final = 100  # days that are counted; clocks may have any


@dataclass(slots=True)
class Periods:
    """The times of the events that came so far."""

    _ends: dict[str, Period] = field(default_factory=dict)
    _days: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def widen(self, source: str, events: pl.DataFrame) -> None:
        """Note the times of some events; clocks that no calendar has don't count."""
        times = events["@timestamp"]
        known = times.filter(times.dt.year().is_between(1971, 9998))
        first, last = known.min(), known.max()
        if isinstance(first, datetime) and isinstance(last, datetime):
            before = self._ends.get(source, (first, last))
            self._ends[source] = (min(first, before[0]), max(last, before[1]))
            if len(self._days[source]) < MANY:
                self._days[source].update(known.dt.epoch("d").unique().to_list())

    def lasting(self) -> Mapping[str, Period]:
        """Return the first event and the last of each source that had some on `DAYS` days or more."""
        return {source: ends for source, ends in self._ends.items() if len(self._days[source]) >= DAYS}
