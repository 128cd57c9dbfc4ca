"""Silence: nothing of a source or a sender in hours that had always something.

Of a source whose definition declares how long it may be silent, that counts. Of others it is learnt: each silent hour
adds the surprise that this hour of such days usually gives (minus the logarithm of the share of them that were silent),
until it is more than chance explains, and half as much again as any earlier silence of this entity.

A silence is as strong as it is overdue by this entity's own rhythm: its surprise, times that of each silent hour, for a
machine that always sends is missed sooner than one whose user is on leave; and how many times over what was declared.
All that times what the entity matters (`Stage.weights`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from detectors.anomaly.exact.grid import HOUR, hours
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.watch import Watch

REACH: Final = 20  # hours of the same kind
ENOUGH: Final = 5
NATS: Final = 15.0  # e^-15: one in three million
LONGER: Final = 1.5  # times any earlier silence
SLOT: Final = ["entity", "works", "hour"]


def silence(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS from the first silent hour until that which was too much, with `hours`, `share` and `declared`.

    `share` is that of such hours which usually had something.
    """
    grid = _active(hours(moments, stage.until, stage.calendar))
    limits = {name: limit / HOUR for name, limit in stage.declared.items()}
    limit = pl.col("entity").replace_strict(limits, default=None, return_dtype=pl.Float64)
    settled = pl.col("at") >= pl.col("at").min().over("entity") + pl.duration(days=watch.warm)
    grid = grid.with_columns(limit.alias("declared")).with_columns(
        pl.when(pl.col("declared").is_null())
        .then(settled & (pl.col("sum") >= NATS) & (pl.col("sum") >= LONGER * pl.col("longest")))
        .otherwise(pl.col("hours") >= pl.col("declared"))
        .alias("hit")
    )
    weight = pl.col("entity").replace_strict(dict(stage.weights), default=1.0, return_dtype=pl.Float64)
    overdue = (pl.col("sum") / NATS) * (pl.col("sum") / pl.col("hours"))
    first = grid.filter(pl.col("hit") & pl.col("silent")).unique(["entity", "run"], keep="first", maintain_order=True)
    return first.select(
        "entity",
        (pl.col("at") - HOUR * (pl.col("hours") - 1)).alias("start"),
        (pl.col("at") + HOUR).alias("end"),
        ((overdue + (pl.col("hours") / pl.col("declared")).fill_null(0.0)) * weight).alias("strength"),
        pl.lit(0.0).alias("count"),
        pl.col("hours").cast(pl.Float64),
        "share",
        "declared",
    )


def _active(grid: pl.DataFrame) -> pl.DataFrame:
    """Add what is known of each silent hour's run: `hours`, `sum` of surprise, `share`, and `longest` before."""
    active = (pl.col("count") > 0).cast(pl.Float64)
    grid = grid.sort(*SLOT, "at").with_columns(active.alias("active"), active.shift(1).over(SLOT).alias("past"))
    mean = pl.col("past").rolling_mean(window_size=REACH, min_samples=ENOUGH).over(SLOT)
    seen = pl.col("past").is_not_null().cast(pl.Float64).rolling_sum(window_size=REACH, min_samples=1).over(SLOT)
    grid = grid.with_columns(((mean * seen + 0.5) / (seen + 1)).fill_null(0.0).clip(0.0, 0.98).alias("chance"))
    grid = grid.sort("entity", "at").with_columns(
        pl.col("active").cum_sum().over("entity").alias("run"), (pl.col("active") == 0).alias("silent")
    )
    surprise = pl.when("silent").then(-(1 - pl.col("chance")).log()).otherwise(0.0)
    run = ["entity", "run"]
    grid = grid.with_columns(
        surprise.cum_sum().over(run).alias("sum"),
        pl.col("silent").cast(pl.Int64).cum_sum().over(run).alias("hours"),
        (pl.when("silent").then("chance").otherwise(0.0).cum_sum().over(run)).alias("chances"),
    )
    totals = grid.group_by(run, maintain_order=True).agg(pl.col("sum").max().alias("total"))
    longest = pl.col("total").cum_max().shift(1).over("entity").fill_null(0.0).alias("longest")
    share = (pl.col("chances") / pl.col("hours").clip(1)).alias("share")
    return grid.join(totals.with_columns(longest), on=run, how="left", maintain_order="left").with_columns(share)
