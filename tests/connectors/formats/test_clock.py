"""Times in the usual form are the instants that the slow reader finds; anything else is left to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats import json_lines
from connectors.formats.json_lines import Lines
from connectors.formats.ndjson import Ndjson
from connectors.times import Clock, instants

ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
USUAL = st.one_of(
    st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 30), timezones=ZONES).map(datetime.isoformat),  # noqa: DTZ001
    st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 30)).map(lambda time: f"{time.isoformat()}Z"),  # noqa: DTZ001
    st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 30)).map(lambda time: f"{time:%FT%T}.1234567Z"),  # noqa: DTZ001
)
NEARLY = st.builds(
    lambda text, at, other: text[:at] + other + text[at + len(other) :],
    USUAL,
    st.integers(0, 30),
    st.sampled_from(["0", "9", "13", "60", "-", ":", " ", "Z", "x", "31", "+07:00", ""]),
)


@pytest.fixture(autouse=True)
def _many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "FEW", 0)
    monkeypatch.setattr(json_lines, "COLD", 0)


def told(*texts: str | None) -> pl.Series | None:
    lines = pl.Series(["{}" if text is None else f'{{"t": "{text}"}}' for text in texts], dtype=pl.String)
    return Ndjson().read(Lines(lines), frozenset({"t"})).times("t")


@settings(deadline=None)
@given(st.lists(USUAL | st.none(), min_size=1, max_size=5).filter(any))
def test_usual_times_are_the_instants_that_the_slow_reader_finds(texts: list[str | None]) -> None:
    found = told(*texts)
    assert found is not None
    assert found.to_list() == instants(pl.Series(texts, dtype=pl.String), Clock()).to_list()


@settings(deadline=None)
@given(NEARLY)
def test_what_is_not_quite_a_time_is_left_or_read_alike(text: str) -> None:
    found = told(text)
    assert found is None or found.to_list() == instants(pl.Series([text]), Clock()).to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02 08:15:00Z",
        "2026-03-02T08:15:00",
        "2026-02-29T08:15:00Z",
        "2026-03-02T24:15:00Z",
        "2026-03-02T08:15:60Z",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2026-03-02T08:15:00+0700",
        "2026-03-02T08:15:00.Z",
        "",
    ],
)
def test_other_times_are_left_to_the_slow_reader(text: str) -> None:
    assert told("2026-03-02T08:15:00Z", text) is None


def test_a_leap_day_counts() -> None:
    found = told("2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z")
    assert found is not None
    assert found.to_list() == [datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)]
