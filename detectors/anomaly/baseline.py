"""What is usual for an entity and for its peers, and how far a window is from it.

The usual range of a feature is the middle 80 % of the entity's earlier windows of the same kind of day; of a newcomer,
that of its peers. Distances are in units of the usual spread, on a logarithmic scale where the feature counts
something: ten times as much is as far for the busy as for the quiet.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.featureset import Feature, FeatureSet

MEMORY: Final = {"day": 28, "hour": 168}  # windows that the usual range is made of
ENOUGH: Final = 7  # own windows from which on an entity is compared with itself
PEERS: Final = 5  # entities that make a cohort
FARTHEST: Final = 30.0  # spreads; beyond, far is far
EVERYONE: Final = "*"
SPREAD: Final = 2.563  # the middle 80 % of a normal distribution, in standard deviations
FLOOR: Final = {True: 0.35, False: 1.0}  # least spread of what is counted (log scale), and of bits
SHARE: Final = 0.1  # least spread of a ratio


def counted(feature: Feature) -> bool:
    """Say whether a feature counts something, so that its scale is logarithmic."""
    return not (feature.ratio or feature.rarity or feature.entropy or feature.odd_hours)


def floor(feature: Feature) -> float:
    """Return the least spread that a feature is believed to have."""
    return feature.least or (SHARE if feature.ratio else FLOOR[counted(feature)])


def scaled(feature: Feature) -> pl.Expr:
    """Return a feature on the scale that distances are measured on."""
    column = pl.col(feature.name)
    return (column.clip(0.0).log1p() if counted(feature) else column).fill_nan(None)


def deviations(features: pl.DataFrame, chosen: FeatureSet, calendar: WorkCalendar) -> pl.DataFrame:
    """Add per feature `far f` (spreads from usual, 0 if unknown), and on its scale `usual|low|high f` and `peer … f`.

    `history` tells how many own windows were looked at; below `ENOUGH` the peers' range is the usual one.
    """
    frame = (
        features.with_columns(
            calendar.works(pl.col("window")).alias("works"),
            pl.col("cohort").fill_null(EVERYONE),
            *(scaled(feature).alias(f"scaled {feature.name}") for feature in chosen.features),
        )
        .with_columns(pl.int_range(pl.len()).over("entity", "works", order_by="window").alias("history"))
        .sort("entity", "works", "window")
    )
    frame = _with_peers(_with_own(frame, chosen), chosen)
    return frame.with_columns(_far(feature) for feature in chosen.features).sort("entity", "window")


def _with_own(frame: pl.DataFrame, chosen: FeatureSet) -> pl.DataFrame:
    size = MEMORY[chosen.window]
    group = ["entity", "works"]
    before = [pl.col(f"scaled {name}").shift(1).over(group).alias(f"before {name}") for name in chosen.names]
    frame = frame.with_columns(before)
    return frame.with_columns(
        pl.col(f"before {name}")
        .rolling_quantile(quantile, "linear", window_size=size, min_samples=ENOUGH - 2)
        .over(group)
        .alias(f"{word} {name}")
        for name in chosen.names
        for word, quantile in (("low", 0.1), ("usual", 0.5), ("high", 0.9))
    ).drop(f"before {name}" for name in chosen.names)


def _with_peers(frame: pl.DataFrame, chosen: FeatureSet) -> pl.DataFrame:
    """Add the peers' range: the median, over earlier windows, of each window's middle 80 % of entities."""
    words = (("low", 0.1), ("usual", 0.5), ("high", 0.9))
    whole = (
        frame.group_by("works", "window")
        .agg(*_peer_ranges(chosen, words))
        .with_columns(pl.lit(EVERYONE).alias("cohort"))
    )
    named = frame.filter(pl.col("cohort") != EVERYONE)
    parts = named.group_by("cohort", "works", "window").agg(pl.len().alias("peers"), *_peer_ranges(chosen, words))
    parts = parts.filter(pl.col("peers") >= PEERS).drop("peers").select(whole.columns)
    ranges = pl.concat([whole, parts]).sort("cohort", "works", "window")
    names = [f"peer {word} {name}" for name in chosen.names for word, _ in words]
    past = [
        pl.col(name).shift(1).rolling_median(MEMORY[chosen.window], min_samples=1).over("cohort", "works")
        for name in names
    ]
    ranges = ranges.with_columns(past)
    known = ranges.select("cohort").unique().with_columns(pl.col("cohort").alias("peers"))
    frame = frame.join(known, on="cohort", how="left").with_columns(pl.col("peers").fill_null(EVERYONE))
    keys = ["peers", "works", "window"]
    frame = frame.join(ranges.rename({"cohort": "peers"}), on=keys, how="left")
    fallback = ranges.filter(pl.col("cohort") == EVERYONE).drop("cohort")
    frame = frame.join(fallback, on=keys[1:], how="left", suffix=" of all")
    return frame.with_columns(pl.coalesce(name, f"{name} of all").alias(name) for name in names).drop(
        f"{name} of all" for name in names
    )


def _peer_ranges(chosen: FeatureSet, words: tuple[tuple[str, float], ...]) -> list[pl.Expr]:
    return [
        pl.col(f"scaled {name}").quantile(quantile, "linear").alias(f"peer {word} {name}")
        for name in chosen.names
        for word, quantile in words
    ]


def _far(feature: Feature) -> pl.Expr:
    name = feature.name
    own = pl.col("history") >= ENOUGH
    low, usual, high = (
        pl.when(own).then(pl.coalesce(f"{word} {name}", f"peer {word} {name}")).otherwise(f"peer {word} {name}")
        for word in ("low", "usual", "high")
    )
    spread = pl.max_horizontal((high - low) / SPREAD, pl.lit(floor(feature)))
    far = ((pl.col(f"scaled {name}") - usual) / spread).clip(-FARTHEST, FARTHEST)
    if feature.side == "high":
        far = far.clip(0.0)
    return far.fill_null(0.0).fill_nan(0.0).alias(f"far {name}")
