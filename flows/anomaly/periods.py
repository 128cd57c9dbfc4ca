"""From when to when each source had events."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import polars as pl

Period: TypeAlias = tuple[datetime, datetime]


def widen(periods: dict[str, Period], source: str, events: pl.DataFrame) -> None:
    """Note the first and the last of some events; clocks that no calendar has don't count."""
    times = events["@timestamp"]
    known = times.filter(times.dt.year().is_between(1971, 9998))
    first, last = known.min(), known.max()
    if isinstance(first, datetime) and isinstance(last, datetime):
        before = periods.get(source, (first, last))
        periods[source] = (min(first, before[0]), max(last, before[1]))
