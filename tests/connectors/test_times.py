"""Times of every form become UTC instants; impossible ones become null, never an exception."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import warm
from connectors.times import Clock, instants
from detectors.schema import TIME

HANOI = Clock("Asia/Ho_Chi_Minh", reference=date(2026, 3, 1))


@pytest.fixture(autouse=True, params=[False, True], ids=["patterns", "bytes"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by patterns alone, and as machine code first."""
    monkeypatch.setattr(warm.WARMTH, "few", 0 if request.param else 1 << 30)
    monkeypatch.setattr(warm.WARMTH, "cold", 0)


def read(*texts: str | None, clock: Clock = HANOI) -> list[datetime | None]:
    result = instants(pl.Series("t", texts, pl.String), clock)
    assert result.dtype == TIME
    return result.to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-07T11:05:07Z", "2025-12-07T11:05:07"),
        ("2025-12-07T11:05:07.1234567Z", "2025-12-07T11:05:07.123456"),
        ("2025-12-07T11:05:07+07:00", "2025-12-07T04:05:07"),
        ("2025-12-07 11:05:07,5 -0530", "2025-12-07T16:35:07.5"),
        ("2025-12-07 11:05:07", "2025-12-07T04:05:07"),
        ("2025/12/07 11:05:07", "2025-12-07T04:05:07"),
        ("07/Dec/2025:11:05:07 +0700", "2025-12-07T04:05:07"),
        ("Sun Dec 07 11:05:07 2025", "2025-12-07T04:05:07"),
        ("Dec  7 2025 11:05:07", "2025-12-07T04:05:07"),
        ("12/7/2025 11:05:07 AM +00:00", "2025-12-07T11:05:07"),
        ("12/7/2025, 1:05:07 PM", "2025-12-07T06:05:07"),
        ("12/7/2025 12:05:07 AM", "2025-12-06T17:05:07"),
        ("Wed Oct 21 11:58:08 2026 -04:00", "2026-10-21T15:58:08"),
        ("2025 Dec  7 11:05:07.5 ICT", "2025-12-07T04:05:07.5"),
        ("Dec  7 2025 11:05:07 UTC+9", "2025-12-07T02:05:07"),
        ("Dec  7 11:05:07 UTC", "2025-12-07T11:05:07"),
        ("2025-12-07 11:05:07 UTC-5:00", "2025-12-07T16:05:07"),
        ("12/07-11:05:07.5", "2025-12-07T04:05:07.5"),
        ("12/07/25-11:05:07", "2025-12-07T04:05:07"),
        ("1765080307", "2025-12-07T04:05:07"),
        ("1765080307.25", "2025-12-07T04:05:07.25"),
        ("1765080307250", "2025-12-07T04:05:07.25"),
        ("1765080307250000", "2025-12-07T04:05:07.25"),
        ("1765080307250000000", "2025-12-07T04:05:07.25"),
    ],
)
def test_a_form_is_read(text: str, expected: str) -> None:
    assert read(text) == [datetime.fromisoformat(expected).replace(tzinfo=UTC)]


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "99999-01-01T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "1601-01-01T00:00:00Z",
        "9" * 19,
        "NaN",
        "",
        "yesterday",
        "Feb 30 00:00:00",
        "00/Foo/2025:11:05:07 +0700",
        None,
    ],
)
def test_an_impossible_time_is_null(text: str | None) -> None:
    assert read("2025-12-07T11:05:07Z", text)[1] is None


def test_a_time_without_a_year_is_in_the_latest_year_that_is_not_after_the_reference() -> None:
    years = [time.year for time in read("Feb 28 11:00:00", "Mar  2 06:00:00", "Dec 31 23:00:00") if time]
    assert years == [2026, 2026, 2025]


def test_the_29th_of_february_is_in_a_leap_year() -> None:
    assert read("Feb 29 12:00:00") == [datetime(2024, 2, 29, 5, tzinfo=UTC)]


def test_a_given_year_counts() -> None:
    assert read("Dec 31 23:00:00", clock=Clock(year=2005)) == [datetime(2005, 12, 31, 23, tzinfo=UTC)]


def test_neighbours_with_a_year_are_the_reference() -> None:
    assert read("2019-06-01T00:00:00Z", "May 31 12:00:00", "Jul  1 12:00:00")[1:] == [
        datetime(2019, 5, 31, 5, tzinfo=UTC),
        datetime(2018, 7, 1, 5, tzinfo=UTC),
    ]


def test_a_year_that_begins_is_the_next_of_what_was_read() -> None:
    assert read("2025-12-31T23:59:00", "Jan  1 00:00:05", clock=Clock())[1] == datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)


def test_an_hour_that_a_change_of_clocks_skips_is_by_the_clock_of_before() -> None:
    assert read("2025-03-30T02:30:00", "2025-10-26T02:30:00", clock=Clock("Europe/Berlin")) == [
        datetime(2025, 3, 30, 1, 30, tzinfo=UTC),
        datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    ]


ZONED = [
    "",
    "Z",
    " Z",
    " UTC",
    "+07:00",
    "-0530",
    " +0700",
    "+07",
    " ICT",
    " GMT",
    " UTC+7",
    " GMT-03:30",
    "+2400",
    " ",
]
NUMBERS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S"]
SLASHED = ["%m/%d-%H:%M:%S", "%m/%d/%y-%H:%M:%S", "%m/%d/%Y-%H:%M:%S"]
NAMES = ["%d/%b/%Y:%H:%M:%S", "%b %d %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%b %d %Y %H:%M:%S", "%Y %b %d %H:%M:%S"]
TIMES = st.builds(
    lambda time, form, fraction, zone: f"{time:{form}}{fraction}{zone}",
    st.datetimes(datetime(1969, 12, 30), datetime(2026, 12, 31)),  # noqa: DTZ001 - as logs write them
    st.sampled_from([*NUMBERS, *NAMES, *SLASHED, "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y, %I:%M:%S %p"]),
    st.sampled_from(["", "", ".5", ",123", ".1234567", "."]),
    st.sampled_from(ZONED),
)
EPOCHS = st.from_regex(r"\A[0-9]{8,20}([.,][0-9]{1,10})?\Z")
SPOILT = st.builds(
    lambda text, at, other: text[:at] + other + text[at + 1 :],
    TIMES,
    st.integers(0, 30),
    st.sampled_from(["0", "9", "3", "-", ":", " ", "Z", "x", "á", ""]),
)


@settings(deadline=None, max_examples=60)
@given(
    TIMES | EPOCHS | SPOILT,
    st.sampled_from([HANOI, Clock("Europe/Berlin", 2024), Clock("-03:30")]),
)
def test_bytes_tell_what_patterns_tell(text: str, clock: Clock) -> None:
    told = []
    for few in (1 << 30, 0):
        warm.WARMTH.few = few  # the fixture sets it back
        told.append(read(text, None, clock=clock))
    assert told[0] == told[1]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(st.text(max_size=40), st.from_regex(r"\d{1,25}([-/:T .]\d{1,4}){0,6}Z?"))))
def test_no_text_raises(texts: list[str]) -> None:
    assert len(read(*texts)) == len(texts)


def test_a_leap_second_is_the_next_second() -> None:
    texts = pl.Series(["2016-12-31T23:59:60Z", "2016-12-31 23:59:60"] * 50)
    found = instants(texts, Clock("UTC"))
    assert set(found.to_list()) == {datetime(2017, 1, 1, tzinfo=UTC)}


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    texts = [
        "2025-12-31T24:00:00+07:00",
        "2026-01-01 24:00:00",
        "31/Dec/2025:24:00:00 +0700",
        "Dec 31 24:00:00",
        "24:00:00",
    ]
    assert read(*texts, clock=Clock("Asia/Ho_Chi_Minh", reference=date(2026, 1, 1))) == [
        datetime(2025, 12, 31, 17, tzinfo=UTC),
        datetime(2026, 1, 1, 17, tzinfo=UTC),
        datetime(2025, 12, 31, 17, tzinfo=UTC),
        datetime(2025, 12, 31, 17, tzinfo=UTC),
        None,
    ]


@pytest.mark.parametrize("few", [0, 1 << 30])
def test_a_zone_may_be_hours_alone(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm.WARMTH, "few", few)
    monkeypatch.setattr(warm.WARMTH, "cold", -1)
    texts = ["2026-03-02 08:15:00 +07", "2026-03-02T08:15:00+07", "Mar  2 08:15:00 +07", "3/2/2026 8:15:00 AM +07"]
    found = instants(pl.Series(texts), Clock("Europe/London", 2026))
    assert set(found.to_list()) == {datetime(2026, 3, 2, 1, 15, tzinfo=UTC)}
