"""Events to moments: when an entity had a value, as finely as a watch needs to know.

A moment is a span of time (a day, an hour, ten minutes, one minute) in which an entity had a value: how often, and when
first and last. Moments of pieces of a period add up to those of the whole. What beacons are told by is worked out when
a day is whole, because a minute per contact would be too much to keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.parts import Value
from detectors.anomaly.watch import Watch
from detectors.schema import TIME

KEYS: Final = ["watch", "entity", "by", "value", "at"]
MOMENTS: Final = pl.Schema([
    ("watch", pl.String()), ("entity", pl.String()),
    ("by", pl.String()),  # of a pair, the first
    ("value", pl.String()), ("at", TIME), ("count", pl.Float64()), ("first", TIME), ("last", TIME),
    ("period", pl.Float64()),  # of a beacon's day: seconds between contacts
    ("jitter", pl.Float64()),  # and the spread of its middle 60 %, as a share of it
])  # fmt: skip
MOST: Final = 500  # values that an entity may have in one span; more say nothing more
CONTACTS: Final = 6  # a day; fewer have no period
LONGEST: Final = 200  # characters of a value


def moments(events: pl.DataFrame, watches: Iterable[Watch], calendar: WorkCalendar) -> pl.DataFrame:
    """Return the MOMENTS of events, which have `@timestamp` and `entity`."""
    return pl.concat([MOMENTS.to_frame(), *(_of(events, watch, calendar) for watch in watches)])


def joined(several: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add moments up; those of whole days stay as they are, and keep the longest period."""
    whole = pl.concat([MOMENTS.to_frame(), *several])
    return whole.group_by(KEYS).agg(
        pl.col("count").sum(), pl.col("first").min(), pl.col("last").max(), pl.col("period", "jitter").max()
    )


def finished(found: pl.DataFrame, watches: Iterable[Watch], calendar: WorkCalendar) -> pl.DataFrame:
    """Make a day of each beacon's minutes; give it whole days only."""
    beacons = [watch.name for watch in watches if watch.kind == "beacon"]
    mine = pl.col("watch").is_in(beacons) & pl.col("period").is_null()
    return pl.concat([found.filter(~mine), periods(found.filter(mine), calendar)])


def periods(minutes: pl.DataFrame, calendar: WorkCalendar) -> pl.DataFrame:
    """Return per pair and day how regularly it was in touch: the median of the gaps, and their spread."""
    day = calendar.window(pl.col("first"), "day").alias("at")
    keys = ["watch", "entity", "by", "value"]
    rows = minutes.drop("at", "period", "jitter").with_columns(day).sort("first")
    gap = (pl.col("first").diff().dt.total_microseconds() / 1e6).over(*keys, "at")
    median = pl.col("gap").median()
    return (
        rows.with_columns(gap.alias("gap"))
        .group_by(*keys, "at")
        .agg(
            pl.len().cast(pl.Float64).alias("count"),
            pl.col("first").min(),
            pl.col("last").max(),
            median.alias("period"),
            ((pl.col("gap").quantile(0.8, "linear") - pl.col("gap").quantile(0.2, "linear")) / median).alias("jitter"),
        )
        .with_columns(pl.when(pl.col("count") > CONTACTS).then(pl.col("period", "jitter")).otherwise(-1.0))
        .select(pl.col(name).cast(kind) for name, kind in MOMENTS.items())
    )


def matches(where: dict[str, Value], present: Iterable[str]) -> pl.Expr:
    """Return which events have these values; a column that isn't there has none."""
    known = set(present)
    if not known.issuperset(where):
        return pl.lit(value=False)
    return pl.all_horizontal(pl.lit(value=True), *(_has(name, wanted) for name, wanted in where.items()))


def text(name: str, frame: pl.DataFrame) -> pl.Expr:
    """Return a column as texts of bounded length, null where the frame has none."""
    if name not in frame.columns:
        return pl.lit(None, pl.String)
    column = pl.col(name)
    if isinstance(frame.schema[name], pl.List):
        column = column.list.first()
    return column.cast(pl.String).str.slice(0, LONGEST)


def _has(name: str, wanted: Value) -> pl.Expr:
    texts = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    return pl.col(name).cast(pl.String).is_in(texts).fill_null(value=False)


def _of(events: pl.DataFrame, watch: Watch, calendar: WorkCalendar) -> pl.DataFrame:
    frame = events.filter(matches(watch.where, events.columns))
    columns = [text(name, frame) for name in watch.columns]
    by, value = [pl.lit(None, pl.String), pl.lit(None, pl.String), *columns][-2:]
    if watch.kind == "first_seen":
        by = pl.lit(None, pl.String)
    local = pl.col("@timestamp").dt.convert_time_zone(calendar.zone.key).dt.truncate(watch.every)
    rows = frame.select("@timestamp", "entity", by.alias("by"), value.alias("value"),
                        local.dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("at"))  # fmt: skip
    if watch.columns:
        rows = rows.drop_nulls("value")
    if len(watch.columns) > 1:
        rows = rows.drop_nulls("by")
    counted = rows.group_by("entity", "by", "value", "at").agg(
        pl.len().cast(pl.Float64).alias("count"),
        pl.col("@timestamp").min().alias("first"),
        pl.col("@timestamp").max().alias("last"),
    )
    if counted.height > MOST:
        rank = pl.struct(-pl.col("count"), "by", "value").rank("ordinal").over("entity", "at")
        counted = counted.filter(rank <= MOST)
    return counted.select(
        pl.lit(watch.name).alias("watch"),
        *KEYS[1:], "count", "first", "last", pl.lit(None).alias("period"), pl.lit(None).alias("jitter"),
    ).cast(MOMENTS)  # fmt: skip
