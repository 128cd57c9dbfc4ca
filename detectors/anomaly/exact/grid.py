"""Every hour of every entity, also those in which it was silent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from detectors.anomaly.calendar import WorkCalendar

MOST: Final = 3_000  # entities looked at; of more, the busiest
HOUR: Final = timedelta(hours=1)


def hours(moments: pl.DataFrame, until: datetime, calendar: WorkCalendar) -> pl.DataFrame:
    """Return entity, at (each hour from its first one until `until`), count (0: silent), works, hour; in order."""
    counts = moments.group_by("entity", "at").agg(pl.col("count").sum())
    totals = counts.group_by("entity").agg(pl.col("count").sum(), pl.col("at").min().alias("begin"))
    kept = totals.sort("count", "entity", descending=[True, False]).head(MOST).drop("count")
    kept = kept.filter(pl.col("begin") < until)
    grid = kept.select(
        "entity", pl.datetime_ranges("begin", pl.lit(until), "1h", closed="left", time_unit="us").alias("at")
    ).explode("at", empty_as_null=True)
    return (
        grid.join(counts, on=["entity", "at"], how="left")
        .with_columns(
            pl.col("count").fill_null(0.0),
            calendar.works(pl.col("at")).alias("works"),
            calendar.hour(pl.col("at")).alias("hour"),
        )
        .sort("entity", "at")
    )
