"""First-seen values and rare pairs: what never was before, of those of whom hardly anything is ever new.

A first is as surprising as days were looked at per first that came in them, on a logarithmic scale: a host that ran no
new program in 200 days more than one that runs a new one each week. Its strength is that by the most that could be on
that day, or what comes later would always be stronger than what came before; and many on one day are stronger than one.
In the first days of an entity, and of the log itself, everything is new, and nothing is told.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from detectors.anomaly.exact.hits import HITS, Stage
from detectors.anomaly.watch import Watch
from detectors.schema import TIME

DAY: Final = timedelta(days=1)
LEAST: Final = 2.0  # about a first a week
SHOWN: Final = 5  # values of a burst that are named
MEMORY: Final = pl.Schema([
    ("watch", pl.String()), ("entity", pl.String()), ("by", pl.String()), ("value", pl.String()), ("first", TIME),
])  # fmt: skip


def remembered(moments: pl.DataFrame, memory: pl.DataFrame) -> pl.DataFrame:
    """Return MEMORY: since when each entity has had each value, by these moments and what was remembered before."""
    rows = pl.concat([memory.select(MEMORY.names()), moments.select(MEMORY.names())])
    return rows.group_by("watch", "entity", "by", "value").agg(pl.col("first").min())


def first_seen(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS, with `value`, `firsts` (of the day), `days` (looked at) and `before` (firsts in them).

    `moments` need `entity`, `by`, `value` and `first`: MEMORY will do.
    """
    whose = pl.col("entity") if watch.scope == "entity" else pl.lit("")
    rows = moments.with_columns(whose.alias("group"))
    return _daily(_surprising(rows, watch, stage), stage)


def pair(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS as `first_seen`, of pairs never seen whose parts are both well known: `by` and `value`."""
    keys = ["by", "value"]
    left = _surprising(moments.with_columns(pl.col("by").alias("group")), watch, stage)
    right = _surprising(
        moments.with_columns(pl.col("value").alias("group"), pl.col("by").alias("value"), pl.col("value").alias("by")),
        watch,
        stage,
    ).select(pl.col("value").alias("by"), pl.col("by").alias("value"), pl.col("strength").alias("other"))
    both = left.join(right, on=keys).with_columns(pl.min_horizontal("strength", "other").alias("strength"))
    return _daily(both.drop("other"), stage)


def _surprising(rows: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return the first of each value of a group after its warm-up, with its strength."""
    warm = timedelta(days=watch.warm)
    begin = rows["first"].min()
    born = rows.group_by("group").agg((pl.col("first").min() + warm).alias("settled"))
    firsts = (
        rows.sort("first", "entity")
        .group_by("group", "by", "value", maintain_order=True)
        .agg(pl.col("first", "entity").first())
    )
    firsts = firsts.join(born, on="group").with_columns(
        pl.max_horizontal("settled", pl.lit(begin, TIME) + warm).alias("settled"),
        stage.calendar.window(pl.col("first"), "day").alias("at"),
    )
    firsts = firsts.filter(pl.col("first") >= pl.col("settled"))
    counts = firsts.group_by("group", "at").agg(pl.len().cast(pl.Float64).alias("here")).sort("group", "at")
    counts = counts.with_columns((pl.col("here").cum_sum().over("group") - pl.col("here")).alias("before"))
    days = ((pl.col("at") - pl.col("settled")).dt.total_seconds() / 86_400).clip(0.0) + watch.warm
    known = ((pl.col("at") - pl.lit(begin, TIME)).dt.total_seconds() / 86_400).clip(watch.warm)
    surprise = ((days + 1) / (pl.col("before") + 0.5)).log()
    most = ((known + 1) / 0.5).log()
    found = firsts.join(counts, on=["group", "at"]).with_columns(days.alias("days"))
    return found.filter(surprise >= LEAST).with_columns((surprise / most).alias("strength"))


def _daily(found: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    """Join the firsts of an entity and a day: one thing that happened has many of them."""
    ordered = found.sort("first", "value")
    day = ordered.group_by("entity", "at").agg(
        pl.col("strength").max() + pl.len().cast(pl.Float64).log(),
        pl.len().cast(pl.Float64).alias("count"),
        pl.col("value", "by").first(),
        pl.col("value").head(SHOWN).alias("values"),
        pl.len().alias("firsts"),
        pl.col("days").first(),
        pl.col("before").first(),
    )
    end = stage.calendar.after(pl.col("at"))
    return day.select(pl.col("entity"), pl.col("at").alias("start"), end.alias("end"), *HITS.names()[3:],
                      "value", "by", "values", "firsts", "days", "before")  # fmt: skip
