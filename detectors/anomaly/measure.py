"""Tallies to features: one row per entity and window, one column per feature.

Whatever looks back (what is new, rare or unusual) looks at earlier windows only: the row of a window stays the same
when later windows come, and when its own numbers would have been others, no earlier row changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from detectors.anomaly.featureset import Feature, FeatureSet
from detectors.anomaly.tally import HOURS, Tally, pair_column

FEW: Final = 5.0  # one failure of one attempt is no share of failures
WARM: Final = 5  # windows of an entity in which everything would be new
KEYS: Final = ["entity", "window"]


def measure(tally: Tally, chosen: FeatureSet) -> pl.DataFrame:
    """Return entity, window, cohort, `before` (earlier windows of the entity), and the features (Float64).

    A feature is null where it has no meaning yet: nothing is new in the first windows of an entity.
    """
    frame = tally.numbers.sort(KEYS).with_columns(
        pl.int_range(pl.len()).over("entity", order_by="window").alias("before")
    )
    for feature in chosen.features:
        if (way := _way(feature)) is not None:
            column, compute = way
            values = tally.values.filter(pl.col("column") == column)
            made = compute(values).select(*KEYS, pl.col("feature").cast(pl.Float64).alias(feature.name))
            frame = frame.join(made, on=KEYS, how="left", maintain_order="left")
            absent = pl.col(feature.name).fill_null(0.0)
            settled = pl.col("before") >= WARM
            looks_back = bool(feature.fresh or feature.novelty or feature.odd_hours)
            frame = frame.with_columns((pl.when(settled).then(absent) if looks_back else absent).alias(feature.name))
    for feature in chosen.features:
        if feature.ratio:
            part, whole = feature.ratio
            share = pl.col(part) / pl.max_horizontal(pl.col(whole), pl.lit(FEW))
            frame = frame.with_columns(share.alias(feature.name))
    return frame.select(*KEYS, "cohort", "before", *chosen.names)


def _way(feature: Feature) -> tuple[str, Callable[[pl.DataFrame], pl.DataFrame]] | None:
    if feature.distinct:
        return feature.distinct, _distinct
    if feature.entropy:
        return feature.entropy, _entropy
    if feature.fresh:
        return feature.fresh, _fresh
    if feature.novelty:
        return pair_column(feature.novelty), _fresh
    if feature.rarity:
        return feature.rarity, _rarity
    return (HOURS, _odd_hours) if feature.odd_hours else None


def first_seen(values: pl.DataFrame) -> pl.DataFrame:
    """Return when each entity first had each value: entity, column, value, first."""
    return values.group_by("entity", "column", "value").agg(pl.col("window").min().alias("first"))


def _distinct(values: pl.DataFrame) -> pl.DataFrame:
    return values.group_by(KEYS).agg(pl.len().alias("feature"))


def _entropy(values: pl.DataFrame) -> pl.DataFrame:
    share = pl.col("count") / pl.col("count").sum()
    return values.group_by(KEYS).agg((-(share * share.log(2))).sum().alias("feature"))


def _fresh(values: pl.DataFrame) -> pl.DataFrame:
    firsts = first_seen(values).rename({"first": "window"})
    return firsts.group_by(KEYS).agg(pl.len().alias("feature"))


def _rarity(values: pl.DataFrame) -> pl.DataFrame:
    """Return log2 of how few of the other entities had the rarest value in earlier windows."""
    firsts = first_seen(values)
    users = _earlier(firsts.rename({"first": "window"}), ["value"], "users")
    all_firsts = firsts.group_by("entity").agg(pl.col("first").min().alias("window"))
    everyone = _earlier(all_firsts.with_columns(pl.lit("").alias("value")), ["value"], "everyone")
    rows = values.select(*KEYS, "value").join(firsts.select("entity", "value", "first"), on=["entity", "value"])
    rows = _before(rows.sort("window"), users, "value").with_columns(pl.lit("").alias("value"))
    rows = _before(rows, everyone, "value")
    own = (pl.col("first") < pl.col("window")).cast(pl.Int64)
    others = pl.col("users").fill_null(0) - own
    bits = ((pl.col("everyone").fill_null(0) + 1) / (others + 1)).log(2).clip(0.0)
    return rows.group_by(KEYS).agg(bits.max().alias("feature"))


def _earlier(firsts: pl.DataFrame, by: list[str], name: str) -> pl.DataFrame:
    """Return how many entities there were up to and with each window, per group, in order of time."""
    counted = firsts.group_by(*by, "window").agg(pl.len().cast(pl.Int64).alias(name)).sort("window")
    return counted.with_columns(pl.col(name).cum_sum().over(by))


def _before(rows: pl.DataFrame, counts: pl.DataFrame, by: str) -> pl.DataFrame:
    """Add the count of the last window before that of each row; both are in order of time."""
    return rows.join_asof(
        counts, on="window", by=by, strategy="backward", allow_exact_matches=False, check_sortedness=False
    )


def _odd_hours(values: pl.DataFrame) -> pl.DataFrame:
    """Return by how many bits the hours of a window's events surprise, after the hours of earlier windows."""
    ordered = values.sort("window")
    earlier = (pl.col("count").cum_sum() - pl.col("count")).over("entity", "value", order_by="window")
    totals = ordered.group_by(KEYS).agg(pl.col("count").sum().alias("total")).sort("window")
    past = (pl.col("total").cum_sum() - pl.col("total")).over("entity", order_by="window")
    rows = ordered.with_columns(earlier.alias("earlier")).join(totals.with_columns(past.alias("past")), on=KEYS)
    bits = -((pl.col("earlier") + 0.5) / (pl.col("past") + 12.0)).log(2)
    weighed = (bits * pl.col("count")).sum() / pl.col("count").sum()
    return rows.group_by(KEYS).agg(weighed.alias("feature"))
