"""Odd times are rewritten into forms that can be read."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats import clocks
from connectors.times import Clock, instants


def read(text: str, rewritten: pl.Expr, zone: str = "UTC") -> str | None:
    column = pl.DataFrame({"text": [text]}).select(rewritten).to_series()
    found = instants(column, Clock(zone, 2026))[0]
    return str(found.isoformat()) if found else None


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("30/Jul/2026:09:03:52.726", "2026-07-30T09:03:52.726000+00:00"),
        ("06-Mar-2026 18:34:17.383", "2026-03-06T18:34:17.383000+00:00"),
        ("27 Dec 2026 11:19:18.874", "2026-12-27T11:19:18.874000+00:00"),
        ("30 May 10:03:19", "2026-05-30T10:03:19+00:00"),
        ("2026-05-30T10:03:19Z", "2026-05-30T10:03:19+00:00"),
    ],
)
def test_a_day_may_come_first(text: str, time: str) -> None:
    assert read(text, clocks.month_first(pl.col("text"))) == time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("260315  9:46:45", "2026-03-15T09:46:45"),
        ("260315 19:46:45", "2026-03-15T19:46:45"),
        ("2026-03-15  9:46:45", "2026-03-15T09:46:45"),
        ("2026-03-15T19:46:45.5Z", "2026-03-15T19:46:45.500000"),
    ],
)
def test_a_year_may_have_two_digits(text: str, time: str) -> None:
    assert read(text, clocks.whole_year(pl.col("text"))) == f"{time}+00:00"


@pytest.mark.parametrize(
    ("zone", "offset"), [("CEST", "+02:00"), ("ICT", "+07:00"), ("+07", "+07"), ("IST", ""), (None, "")]
)
def test_an_abbreviated_zone_is_an_offset_where_it_is_clear(zone: str | None, offset: str) -> None:
    frame = pl.DataFrame({"zone": pl.Series([zone], dtype=pl.String)})
    assert frame.select(clocks.offset(pl.col("zone"))).item() == offset
