"""Impossible travel: one account at two places between which nobody gets in that time.

Places are what the set names: units by their networks, countries by GeoIP. Accounts that were at both places before,
as people with two desks are, and accounts that are everywhere, as shared ones are, say nothing. A jump is as strong as
it is hasty, and as few jumps the account had by the days that are known.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.watch import Watch
from detectors.schema import TIME

SETTLED: Final = timedelta(days=7)
LEAST: Final = 1.5


def travel(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS, with `before` (the place left), `value` (that reached), `minutes` between, and `jumps` earlier."""
    rows = moments.sort("entity", "first", "last", "value").with_columns(
        pl.col("value", "last").shift(1).over("entity").name.prefix("left "),
        pl.col("first").min().over("entity").alias("born"),
    )
    rows = rows.filter(pl.col("value") != pl.col("left value")).with_columns(
        ((pl.col("first") - pl.col("left last")).dt.total_seconds() / 60).clip(0.0).alias("minutes"),
        pl.min_horizontal("value", "left value").alias("one"),
        pl.max_horizontal("value", "left value").alias("other"),
        stage.calendar.window(pl.col("first"), "day").alias("day"),
    )
    ways = ["entity", "one", "other"]
    rows = rows.with_columns(pl.col("day").min().over(ways).alias("opened"))
    jumps = rows.filter((pl.col("minutes") < watch.minutes) & (pl.col("opened") == pl.col("day")))
    jumps = jumps.sort("first").unique(["entity", "day"], keep="first", maintain_order=True)
    days = (pl.col("first") - pl.col("born")).dt.total_seconds() / 86_400
    known = (pl.col("first") - pl.lit(moments["first"].min(), TIME)).dt.total_seconds() / 86_400
    earlier = pl.int_range(pl.len()).over("entity", order_by="day")
    jumps = jumps.with_columns(earlier.alias("jumps")).with_columns(
        ((days + 1) / (pl.col("jumps") + 0.5)).log().alias("surprise"),
        (1 - pl.col("minutes") / watch.minutes).alias("haste"),
    )
    jumps = jumps.filter(
        (pl.col("first") >= pl.col("born") + SETTLED) & (pl.col("surprise") + pl.col("haste") >= LEAST)
    ).with_columns((pl.col("surprise") / ((known + 1) / 0.5).log() + pl.col("haste")).alias("strength"))
    return jumps.select(
        "entity", pl.col("left last").alias("start"),
        (pl.max_horizontal("last", "left last") + timedelta(seconds=1)).alias("end"), "strength", "count",
        "value", pl.col("left value").alias("before"), "minutes", "jumps",
    )  # fmt: skip
