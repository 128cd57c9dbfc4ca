"""What lasts long enough to tell what is usual: days with events count, not the time between the first and the last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from detectors.schema import TIME
from flows.anomaly.periods import DAYS, RECENT, Periods

BEGIN = datetime(2026, 3, 9, 8, tzinfo=UTC)


def events(*times: datetime | None) -> pl.DataFrame:
    return pl.DataFrame({"@timestamp": times}, schema={"@timestamp": TIME})


def test_days_with_events_count_however_they_come() -> None:
    periods = Periods()
    for day in reversed(range(DAYS)):
        assert periods.lasting() == {}
        periods.widen("auth", events(BEGIN + timedelta(days=2 * day), None, BEGIN + timedelta(days=2 * day, hours=3)))
    assert periods.lasting() == {"auth": (BEGIN, BEGIN + timedelta(days=2 * (DAYS - 1), hours=3))}


def test_recordings_here_and_there_do_not_last() -> None:
    periods = Periods()
    for year in range(2000, 2020):
        for day in range(DAYS - 1):
            periods.widen("windows", events(datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day)))
    assert periods.lasting() == {}


def test_what_came_before_the_last_days_is_in_the_period_and_not_kept() -> None:
    periods = Periods()
    for year in range(2000, 2020):
        periods.widen("auth", events(*(datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(200))))
    assert len(periods._days["auth"]) == RECENT
    assert periods.lasting()["auth"][0].year == 2000


def test_clocks_that_no_calendar_has_are_left_aside() -> None:
    periods = Periods()
    periods.widen("auth", events(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)))
    assert periods.lasting() == {}
    assert not periods._days
