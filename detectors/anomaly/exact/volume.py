"""Spikes and drops: an hour with far more or far fewer events than that hour of such days has.

The season is the hour of the day, on working days and on others; the usual number is the median of the last 20 such
hours, and the spread their quartiles' distance, on a logarithmic scale and never less than counting by chance gives.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from detectors.anomaly.exact.grid import HOUR, hours
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.watch import Watch

REACH: Final = 20  # hours of the same kind
ENOUGH: Final = 6  # of them, without which nothing is usual
FAR: Final = 6.0  # spreads
TIMES: Final = 3.0  # as many, or as few
SLOT: Final = ["entity", "works", "hour"]
QUARTILES: Final = 1.349  # between the quartiles of a normal distribution, in standard deviations


def volume(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS, with `usual` (events in such an hour), `low` and `high`; the farthest hour of a day and direction.

    An hour without any event is no drop but silence, which is another watch.
    """
    grid = hours(moments, stage.until, stage.calendar).sort(*SLOT, "at")
    level = pl.col("count").log1p()
    grid = grid.with_columns(level.alias("level"), level.shift(1).over(SLOT).alias("past"))
    grid = grid.with_columns(
        pl.col("past")
        .rolling_quantile(quantile, "linear", window_size=REACH, min_samples=ENOUGH)
        .over(SLOT)
        .alias(name)
        for name, quantile in (("low", 0.25), ("usual", 0.5), ("high", 0.75))
    )
    chance = 1 / (pl.col("usual").exp().clip(1.0)).sqrt()
    spread = pl.max_horizontal((pl.col("high") - pl.col("low")) / QUARTILES, chance, pl.lit(0.1))
    grid = grid.with_columns(((pl.col("level") - pl.col("usual")) / spread).alias("far"), *_counts())
    much = (pl.col("count") >= watch.least) & (pl.col("count") >= TIMES * pl.col("usual"))
    few = (pl.col("usual") >= watch.least) & (pl.col("count") * TIMES <= pl.col("usual")) & (pl.col("count") > 0)
    hit = ((pl.col("far") >= FAR) & much) | ((pl.col("far") <= -FAR) & few)
    day = stage.calendar.window(pl.col("at"), "day").alias("day")
    worst = (
        grid.filter(hit)
        .with_columns(day, pl.col("far").abs().alias("strength"), (pl.col("far") > 0).alias("up"))
        .sort("strength", "at", descending=[True, False])
        .unique(["entity", "day", "up"], keep="first", maintain_order=True)
    )
    return worst.select("entity", pl.col("at").alias("start"), (pl.col("at") + HOUR).alias("end"), "strength", "count",
                        "usual", "low", "high")  # fmt: skip


def _counts() -> list[pl.Expr]:
    return [pl.col(name).exp() - 1 for name in ("low", "usual", "high")]
