"""What exact detectors give: hits of all times they were shown, and which of the new ones are told.

A detector that finds something every day says nothing. So each looks at the weeks before as well: what it would have
told then sets how strong a hit must be now, for at most so many a week. Whole sources are held against themselves only:
one that flaps doesn't hide that another fell silent.
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
    weights: Mapping[str, float] = field(default_factory=dict)  # entity → how much its silence matters
    apart: bool = False  # entities are whole sources: no hit of one mutes another's


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
    factor = now["entity"].replace_strict(dict(stage.adjusted), default=1.0, return_dtype=pl.Float64).sqrt()
    limits = _limits(past, allowed, apart=stage.apart)
    strong = (
        now.with_columns((pl.col("entity") if stage.apart else pl.lit("")).alias("group"), factor.alias("factor"))
        .join(limits, on="group", how="left")
        .filter(pl.col("strength") * pl.col("factor") > pl.col("limit").fill_null(0.0))
        .drop("group", "factor", "limit")
        .sort("strength", "entity", descending=[True, False])
    )
    day = stage.calendar.window(pl.col("start"), "day").alias("day")
    kept = strong if stage.apart else strong.group_by(day, maintain_order=True).head(BURST).drop("day")
    return kept.sort("start", "entity"), now.height - kept.height


def _limits(past: pl.DataFrame, allowed: int, *, apart: bool) -> pl.DataFrame:
    """Return per group (an entity, or all) the strength that so many hits of the weeks before were above."""
    group = (pl.col("entity") if apart else pl.lit("")).alias("group")
    strongest = pl.col("strength").sort(descending=True)
    return past.group_by(group).agg(strongest.get(allowed, null_on_oob=True).alias("limit"))
