"""Beacons: contacts with a destination that hardly anybody knows, at a regular beat, which were not there before.

The gaps between contacts of a day (minutes with several contacts count once) have a median, the period, and a jitter:
the spread of the middle 60 % of the gaps by the period. Contacts by chance have a jitter of 2, clocks one near 0; the
median doesn't mind a few missing or additional contacts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.watch import Watch

JITTER: Final = 0.35
FASTEST, SLOWEST = 60.0, 3 * 3600.0  # seconds


def beacon(moments: pl.DataFrame, watch: Watch, stage: Stage) -> pl.DataFrame:
    """Return HITS, with `value` (the destination), `period`, `jitter` and `entities` that know the destination."""
    if moments.is_empty():
        return _shown(moments.with_columns(pl.lit(0.0).alias("strength"), pl.lit(0).alias("entities")), stage)
    begin = moments["at"].min()
    known = moments.group_by("value").agg(
        pl.col("entity").filter(pl.col("entity").is_first_distinct()).len().alias("entities")
    )
    regular = moments.filter(
        (pl.col("count") >= watch.least)
        & pl.col("jitter").is_between(0.0, JITTER)
        & pl.col("period").is_between(FASTEST, SLOWEST)
        & ((pl.col("last") - pl.col("first")).dt.total_seconds() >= pl.col("period") * (watch.least - 1) / 2)
    )
    fresh = regular.sort("at").unique(["entity", "value"], keep="first", maintain_order=True)
    fresh = fresh.filter(pl.col("at") >= pl.lit(begin) + timedelta(days=watch.warm))
    fresh = fresh.join(known, on="value").filter(pl.col("entities") <= watch.few)
    strength = (pl.col("count") / (0.05 + pl.col("jitter"))).log() / pl.col("entities")
    return _shown(fresh.with_columns(strength.alias("strength")), stage)


def _shown(rows: pl.DataFrame, stage: Stage) -> pl.DataFrame:
    end = stage.calendar.after(pl.col("at"))
    return rows.select("entity", pl.col("at").alias("start"), end.alias("end"), "strength", "count", "value", "period",
                       "jitter", "entities")  # fmt: skip
