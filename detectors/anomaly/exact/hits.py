"""What exact detectors give: hits of all times they were shown, and which of the new ones are told.

A detector that finds something every day says nothing. So each looks at the weeks before as well: what it would have
told then sets how strong a hit must be now, for at most so many a week.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.watch import Watch
from detectors.schema import TIME

HITS: Final = pl.Schema([
    ("entity", pl.String()), ("start", TIME), ("end", TIME), ("strength", pl.Float64()), ("count", pl.Float64()),
])  # fmt: skip
WEEK: Final = timedelta(days=7)
BEFORE: Final = timedelta(days=28)  # that the least strength is learnt from
BURST: Final = 5  # of one watch and day, at most


@dataclass(frozen=True, slots=True)
class Stage:
    """When and for whom exact detectors look."""

    since: datetime
    until: datetime
    calendar: WorkCalendar
    declared: Mapping[str, timedelta] = field(default_factory=dict)  # entity → how long it may be silent
    adjusted: Mapping[str, float] = field(default_factory=dict)  # entity → factor, by verdicts


def told(hits: pl.DataFrame, watch: Watch, stage: Stage) -> tuple[pl.DataFrame, int]:
    """Return the hits from `since` on that are stronger than the weeks before allow, and how many others there were."""
    late = watch.kind in {"silence", "travel"}  # known at the end only
    known = pl.col("end") - timedelta(microseconds=1) if late else pl.col("start")
    now = hits.filter((known >= stage.since) & (known < stage.until))
    if now.is_empty():
        return now, 0
    past = hits.filter((known < stage.since) & (known >= stage.since - BEFORE))
    first = past["start"].min()
    weeks = (stage.since - first) / WEEK if isinstance(first, datetime) else 1.0
    allowed = int(watch.weekly * max(weeks, 1.0))
    ranked = past["strength"].sort(descending=True)
    limit = float(ranked[allowed]) if len(ranked) > allowed else 0.0
    factor = now["entity"].replace_strict(dict(stage.adjusted), default=1.0, return_dtype=pl.Float64).sqrt()
    strong = now.filter(pl.col("strength") * factor > limit).sort("strength", "entity", descending=[True, False])
    day = stage.calendar.window(pl.col("start"), "day").alias("day")
    kept = strong.group_by(day, maintain_order=True).head(BURST).drop("day").sort("start", "entity")
    return kept, now.height - kept.height
