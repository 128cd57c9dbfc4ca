"""From when to when each source had events, where it had them on enough of the last days to know what is usual."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import numpy as np
import polars as pl

Period: TypeAlias = tuple[datetime, datetime]
DAYS: Final = 14  # with events, of the last `RECENT`: recordings of an hour here and there are no weeks
RECENT: Final = 28
BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY: Final = 86_400_000_000  # microseconds
FIRST, LAST = (int((datetime(year, 1, 1, tzinfo=UTC) - BEGIN) / timedelta(microseconds=1)) for year in (1971, 9999))


@dataclass(slots=True)
class Periods:
    """The times of the events that came so far."""

    _ends: dict[str, Period] = field(default_factory=dict)
    _days: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def widen(self, source: str, events: pl.DataFrame) -> None:
        """Note the times of some events; clocks that no calendar has don't count."""
        times = events["@timestamp"].drop_nulls().to_physical().to_numpy()
        known = times[(times >= FIRST) & (times < LAST)]
        if not known.size:
            return
        first, last = (BEGIN + timedelta(microseconds=int(end)) for end in (known.min(), known.max()))
        before = self._ends.get(source, (first, last))
        self._ends[source] = (min(first, before[0]), max(last, before[1]))
        days = self._days[source].union(np.unique(known // DAY).tolist())
        self._days[source] = {day for day in days if day > max(days) - RECENT}

    def lasting(self) -> Mapping[str, Period]:
        """Return the first event and the last of each source that had some on `DAYS` of its last days or more."""
        return {source: ends for source, ends in self._ends.items() if len(self._days[source]) >= DAYS}
