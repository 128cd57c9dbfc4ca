"""The ledger of what came in."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.coverage import MOST, counted, watched
from detectors.schema import COVERAGE, TIME
from tests.sample_findings import START

MINUTE = 60_000_000
NOW = START + timedelta(days=30)


def events(minutes: list[int | None], organisations: list[str | None] | None = None) -> pl.DataFrame:
    times = [None if each is None else START + timedelta(minutes=each) for each in minutes]
    whose = organisations or [None] * len(times)
    return pl.DataFrame({"@timestamp": times, "organization.id": whose},
                        schema={"@timestamp": TIME, "organization.id": pl.String})  # fmt: skip


def rows(
    found: pl.DataFrame, matched: tuple[int, ...] = (), *, failures: int = 0, newest: datetime | None = None
) -> pl.DataFrame:
    which = np.array(matched, np.int64)
    return counted("auth", "k@0", found, matched=which, failures=failures, newest=newest, late=5 * MINUTE, now=NOW)


def told(made: pl.DataFrame) -> list[tuple[float, str | None, int, int, int, int]]:
    names = ("organization.id", "soc.events", "soc.late", "soc.failures", "soc.matches")
    hours = [(time - START) / timedelta(hours=1) for time in made["@timestamp"]]
    return [(hour, *row) for hour, row in zip(hours, made.select(names).iter_rows(), strict=True)]


def test_events_are_counted_by_hour_and_organisation() -> None:
    found = events([1, 2, 61, 3], ["a", "a", "a", "b"])
    made = rows(found, (0, 0, 2))
    assert made.schema == COVERAGE
    assert told(made) == [(0, "a", 2, 0, 0, 2), (0, "b", 1, 1, 0, 0), (1, "a", 1, 0, 0, 1)]


def test_what_comes_after_much_newer_events_is_late_and_a_clock_ahead_makes_nobody_late() -> None:
    assert told(rows(events([10, 6, 4]))) == [(0, None, 3, 1, 0, 0)]
    assert told(rows(events([4]), newest=START + timedelta(minutes=10))) == [(0, None, 1, 1, 0, 0)]
    ahead = rows(events([100 * 24 * 60, 10]))
    assert ahead["soc.late"].sum() == 0


def test_lines_that_failed_have_the_hour_of_the_newest_event() -> None:
    assert told(rows(events([5, 65]), failures=3)) == [(0, None, 1, 0, 0, 0), (1, None, 1, 0, 3, 0)]
    alone = rows(events([]), failures=2, newest=START)
    assert told(alone) == [(0, None, 0, 0, 2, 0)]
    assert rows(events([]), failures=2)["@timestamp"].to_list() == [None]
    assert rows(events([])).is_empty()


def test_times_that_nobody_can_mean_make_neither_rows_without_end_nor_lose_events() -> None:
    many = rows(events([60 * n for n in range(3 * MOST)]))
    assert many.height <= MOST
    assert many["soc.events"].sum() == 3 * MOST
    wild = pl.DataFrame({"@timestamp": [-(2**62), 2**62, None]}, schema={"@timestamp": pl.Int64}).cast(TIME)
    made = rows(wild)
    assert made["@timestamp"].to_list() == [None]
    assert made["soc.events"].to_list() == [3]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.none() | st.integers(-5000, 5000), st.none() | st.sampled_from("ab")), max_size=30))
def test_nothing_is_lost_and_names_are_those_of_the_batch(pairs: list[tuple[int | None, str | None]]) -> None:
    found = events([minute for minute, _ in pairs], [of for _, of in pairs])
    matched = tuple(range(0, len(pairs), 2))
    made, again = rows(found, matched), rows(found, matched)
    assert made["soc.events"].sum() == len(pairs)
    assert made["soc.matches"].sum() == len(matched)
    assert made["event.id"].n_unique() == made.height
    assert made.equals(again)


def test_who_watches_is_told_by_technique() -> None:
    made, again = (
        watched("auth", START, version, rules=7, blind=["x"], attack={"impact / T1490": 2}) for version in ("v1", "v2")
    )
    assert made.schema == COVERAGE
    assert made.select("soc.rules.evaluated", "soc.attack", "soc.rules.watching").rows() == [
        (7, None, None), (None, "impact / T1490", 2),
    ]  # fmt: skip
    assert made["event.id"].n_unique() == 2
    assert not set(made["event.id"]) & set(again["event.id"])
