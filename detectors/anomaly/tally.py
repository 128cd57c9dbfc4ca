"""Events to tallies: what features need to know of events, small, and ready to be added up.

A tally is made of all events of an hour and never changes, so tallies of any period are those of its hours added up:
training, scoring and backfill read the same ones. Three frames:

    numbers  entity, window, cohort, then a column per counted feature (Float64)
    values   entity, window, column, value, count: how often an entity had a value (of a column, or the pair `a > b`)
    moments  what exact detectors look at (`moments.py`)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import polars as pl

from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.featureset import Feature, FeatureSet
from detectors.anomaly.moments import LONGEST, MOMENTS, finished, joined, matches, moments, text
from detectors.schema import TIME

KEY = pl.Schema([("entity", pl.String()), ("window", TIME)])
VALUES = pl.Schema([*KEY.items(), ("column", pl.String()), ("value", pl.String()), ("count", pl.Float64())])
HOURS = "hour of day"  # a column of values that no log has
MOST = 1_000  # values of one column that one entity has in one window; more say nothing more


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted."""

    numbers: pl.DataFrame
    values: pl.DataFrame  # VALUES
    moments: pl.DataFrame = field(default_factory=MOMENTS.to_frame)
    left_out: int = 0  # entities that were too many, and came up least often


def pair_column(column: str) -> str:
    """Name the successive values of a column."""
    return f"{column} > {column}"


def tally(events: pl.DataFrame, chosen: FeatureSet, calendar: WorkCalendar) -> Tally:
    """Count events (`@timestamp`, and what columns of the set they have); those without an entity or a time don't."""
    mine = selected(events, chosen)
    told = moments(mine, chosen.watches, calendar)
    if not chosen.features:
        return replace(empty(chosen), moments=told)
    frame = _slim(mine, chosen, calendar)
    keys = ["entity", "window"]
    counted = [_number(feature).alias(feature.name) for feature in chosen.features if _is_number(feature)]
    numbers = frame.group_by(keys).agg(pl.col("cohort").drop_nulls().first(), *counted)
    columns = sorted({feature.column for feature in chosen.features if feature.column and not feature.novelty})
    lists = [_values(frame, pl.col(name), name) for name in columns]
    for feature in chosen.features:
        if feature.novelty:
            lists.append(_pairs(frame, feature.novelty))
        if feature.odd_hours:
            lists.append(_values(frame, calendar.hour(pl.col("@timestamp")), HOURS))
    return Tally(numbers, pl.concat([VALUES.to_frame(), *lists]), told)


def added(tallies: Iterable[Tally], chosen: FeatureSet) -> Tally:
    """Add tallies up."""
    several = list(tallies)
    if not several:
        return empty(chosen)
    numbers = pl.concat([one.numbers for one in several], how="diagonal_relaxed")
    names = [name for name in numbers.columns if name not in {*KEY, "cohort"}]
    return Tally(
        numbers.group_by(list(KEY)).agg(pl.col("cohort").drop_nulls().last(), pl.col(names).sum()),
        pl.concat([one.values for one in several])
        .group_by("entity", "window", "column", "value")
        .agg(pl.col("count").sum()),
        joined(one.moments for one in several),
    )


def whole(one: Tally, chosen: FeatureSet, calendar: WorkCalendar) -> Tally:
    """Return a tally to which no event of its days will be added any more."""
    return replace(one, moments=finished(one.moments, chosen.watches, calendar))


def empty(chosen: FeatureSet) -> Tally:
    """Return the tally of nothing."""
    names = [feature.name for feature in chosen.features if _is_number(feature)]
    columns = pl.Schema([*KEY.items(), ("cohort", pl.String()), *((name, pl.Float64()) for name in names)])
    return Tally(columns.to_frame(), VALUES.to_frame())


def selected(events: pl.DataFrame, chosen: FeatureSet) -> pl.DataFrame:
    """Return the events that a set looks at, with a column `entity`."""
    if chosen.entity not in events.columns:
        return events.clear().with_columns(pl.lit(None, pl.String).alias("entity"))
    entity = pl.col(chosen.entity).cast(pl.String).str.slice(0, LONGEST)
    real = entity.is_not_null() & ~entity.is_in(["", "-", *chosen.ignore])
    if not chosen.machines:
        real &= ~entity.str.ends_with("$")
    timed = pl.col("@timestamp").dt.year().is_between(1971, 9998)
    return events.filter(real & timed & matches(chosen.where, events.columns)).with_columns(entity.alias("entity"))


def _slim(frame: pl.DataFrame, chosen: FeatureSet, calendar: WorkCalendar) -> pl.DataFrame:
    known = set(frame.columns)
    texts = {feature.column for feature in chosen.features if feature.column}
    sums = {feature.sum for feature in chosen.features if feature.sum}
    cohort = pl.col(chosen.cohort).cast(pl.String) if chosen.cohort in known else pl.lit(None, pl.String)
    return frame.select(
        "@timestamp",
        "entity",
        calendar.window(pl.col("@timestamp"), chosen.window).alias("window"),
        cohort.alias("cohort"),
        calendar.off(pl.col("@timestamp")).alias("off hours"),
        *(text(name, frame).alias(name) for name in sorted(texts)),
        *(
            (pl.col(name).cast(pl.Float64, strict=False) if name in known else pl.lit(None, pl.Float64)).alias(
                f"sum {name}"
            )
            for name in sorted(sums)
        ),
        *(
            matches(feature.count, known).alias(f"count {feature.name}")
            for feature in chosen.features
            if feature.count is not None
        ),
    )


def _is_number(feature: Feature) -> bool:
    return feature.count is not None or bool(feature.sum) or bool(feature.off_hours)


def _number(feature: Feature) -> pl.Expr:
    if feature.count is not None:
        return pl.col(f"count {feature.name}").sum().cast(pl.Float64)
    if feature.sum:
        column = pl.col(f"sum {feature.sum}")
        return column.filter(column.is_finite() & (column > 0)).sum()
    return pl.col("off hours").sum().cast(pl.Float64)


def _values(frame: pl.DataFrame, value: pl.Expr, name: str) -> pl.DataFrame:
    counted = (
        frame.select("entity", "window", value.cast(pl.String).alias("value"))
        .drop_nulls("value")
        .group_by("entity", "window", "value")
        .agg(pl.len().cast(pl.Float64).alias("count"))
    )
    rank = pl.struct(-pl.col("count"), "value").rank("ordinal").over("entity", "window")
    kept = counted.filter(rank <= MOST) if counted.height > MOST else counted
    return kept.select("entity", "window", pl.lit(name).alias("column"), "value", "count").cast(VALUES)


def _pairs(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    ordered = frame.select("@timestamp", "entity", "window", column).drop_nulls().sort("entity", "@timestamp", column)
    before = pl.col(column).shift(1).over("entity", "window")
    return _values(ordered, before + pl.lit(" > ") + pl.col(column), pair_column(column))
