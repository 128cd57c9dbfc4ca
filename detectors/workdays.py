"""Working days and hours of Vietnamese agencies: what kind of day a time falls on, and what part of it.

Days are data, announced anew each year; a year that nobody entered knows its weekends and its holidays of fixed date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

Day = Literal["working", "rest", "holiday", "tet", "swapped"]  # swapped: a rest day that is worked
FIXED: Final = ((1, 1), (4, 30), (5, 1), (9, 2))  # month and day of holidays that no year is without
CULTURE: Final = (11, 24), 2026  # since 2026
WORKED: Final = ("working", "swapped")


@dataclass(frozen=True, slots=True)
class Hours:
    """Office hours of a working day, in local time; between them is the lunch break."""

    morning: tuple[time, time] = (time(7), time(11, 30))
    afternoon: tuple[time, time] = (time(13, 30), time(17))


@dataclass(frozen=True)
class Workdays:
    """A calendar: days that years announce, hours of all units and of some, and units on duty day and night."""

    zone: ZoneInfo
    known: Mapping[date, Day] = field(default_factory=dict)
    usual: Hours = Hours()
    hours: Mapping[str, Hours] = field(default_factory=dict)
    duty: frozenset[str] = frozenset()

    def day(self, day: date) -> Day:
        """Return the kind of a day."""
        if day in self.known:
            return self.known[day]
        fixed = (day.month, day.day) in FIXED or ((day.month, day.day) == CULTURE[0] and day.year >= CULTURE[1])
        return "holiday" if fixed else "rest" if day.weekday() >= 5 else "working"

    def works(self, day: date) -> bool:
        """Say whether offices are open on a day."""
        return self.day(day) in WORKED

    def working_days(self, since: date, count: int) -> date:
        """Return the day that is so many working days after another."""
        while count > 0:
            since += timedelta(days=1)
            count -= self.works(since)
        return since

    def off(self, at: datetime, unit: str | None = None) -> bool:
        """Say whether a moment lies outside office hours of a unit."""
        told = self.columns(pl.Series([at]).cast(pl.Datetime("us", "UTC")), pl.Series([unit], dtype=pl.String))
        return bool(told["off"][0] == "true")

    def columns(self, times: pl.Series, units: pl.Series | None = None) -> pl.DataFrame:
        """Return `day` (a kind of day), `hours` (office, lunch, day, evening, night) and `off` (true, false) of times.

        All are texts, as rules compare them; null where the time is. `units` (ids of organisations) decide whose hours
        count. A unit on duty is never off.
        """
        local = times.dt.convert_time_zone(self.zone.key)
        frame = pl.DataFrame({"date": local.dt.date(), "minute": _minutes(local)})
        frame = frame.with_columns((units if units is not None else pl.lit(None, pl.String)).alias("unit"))
        distinct = frame["date"].unique().drop_nulls()
        kinds = pl.DataFrame(
            {"date": distinct, "day": [self.day(each) for each in distinct]},
            schema={"date": pl.Date, "day": pl.String},
        )
        frame = frame.join(kinds, on="date", how="left", maintain_order="left")
        frame = frame.join(self._spans(frame["unit"]), on="unit", how="left", maintain_order="left", nulls_equal=True)
        worked = pl.col("day").is_in(WORKED)
        minute = pl.col("minute")
        open_ = worked & (
            (minute >= pl.col("m0")) & (minute < pl.col("m1")) | (minute >= pl.col("a0")) & (minute < pl.col("a1"))
        )
        lunch = worked & (minute >= pl.col("m1")) & (minute < pl.col("a0"))
        part = (
            pl.when(open_)
            .then(pl.lit("office"))
            .when(lunch)
            .then(pl.lit("lunch"))
            .when((minute >= 22 * 60) | (minute < 5 * 60))
            .then(pl.lit("night"))
            .when(minute >= 17 * 60)
            .then(pl.lit("evening"))
            .otherwise(pl.lit("day"))
        )
        off = pl.when(open_ | lunch | pl.col("duty")).then(pl.lit("false")).otherwise(pl.lit("true"))
        known = pl.col("date").is_not_null()
        return frame.select("day", pl.when(known).then(part).alias("hours"), pl.when(known).then(off).alias("off"))

    def _spans(self, units: pl.Series) -> pl.DataFrame:
        """Return the hours of each unit, in minutes of the day."""
        rows = []
        for unit in units.unique().to_list():
            hours = self.hours.get(unit, self.usual)
            edges = [each.hour * 60 + each.minute for each in (*hours.morning, *hours.afternoon)]
            rows.append((unit, *edges, unit in self.duty))
        schema = {"unit": pl.String, **dict.fromkeys(("m0", "m1", "a0", "a1"), pl.Int32), "duty": pl.Boolean}
        return pl.DataFrame(rows, schema=schema, orient="row")


def _minutes(local: pl.Series) -> pl.Series:
    return local.dt.hour().cast(pl.Int32) * 60 + local.dt.minute().cast(pl.Int32)
