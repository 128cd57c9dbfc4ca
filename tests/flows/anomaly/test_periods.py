"""What lasts long enough to tell what is usual: days with events count, not the time between the first and the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from detectors.schema import TIME
from flows.anomaly.periods import DAYS, MANY, Periods

BEGIN = datetime(2026, 3, 9, 8, tzinfo=UTC)


def events(*times: datetime | None) -> pl.DataFrame:
    return pl.DataFrame({"@timestamp": times}, schema={"@timestamp": TIME})


def test_days_with_events_count_however_they_come() -> None:
    periods = Periods()
    for day in range(DAYS):
        assert periods.lasting() == {}
        periods.widen("auth", events(BEGIN + timedelta(days=2 * day), None, BEGIN + timedelta(days=2 * day, hours=3)))
    assert periods.lasting() == {"auth": (BEGIN, BEGIN + timedelta(days=2 * (DAYS - 1), hours=3))}


def test_two_recordings_with_a_year_between_them_do_not_last() -> None:
    periods = Periods()
    periods.widen("windows", events(BEGIN, BEGIN + timedelta(hours=1)))
    periods.widen("windows", events(BEGIN + timedelta(days=365)))
    assert periods.lasting() == {}


def test_clocks_that_no_calendar_has_are_left_aside_and_no_more_days_kept_than_tell() -> None:
    periods = Periods()
    periods.widen("auth", events(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)))
    assert periods.lasting() == {}
    for year in range(2000, 2020):
        periods.widen("auth", events(*(datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(200))))
    assert len(periods._days["auth"]) <= MANY + 200
    assert periods.lasting()["auth"][0].year == 2000
