"""Splits: each window has its place, whatever other windows there are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.anomaly.split import SHARE, names, split
from detectors.schema import TIME

START = datetime(2026, 3, 1, 17, tzinfo=UTC)


def windows(entities: int, days: range) -> pl.DataFrame:
    rows = [(f"u{who}", START + timedelta(days=day)) for day in days for who in range(entities)]
    return pl.DataFrame(rows, schema={"entity": pl.String, "window": TIME}, orient="row")


def chosen(frame: pl.DataFrame, sample: int, held: int = 10**6) -> tuple[set[tuple[object, ...]], ...]:
    return tuple(set(frame[places].iter_rows()) for places in split(frame, 0, sample, held))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 19), st.integers(1, 400))
def test_no_window_is_in_both_and_a_day_less_changes_no_more_than_its_share(day: int, sample: int) -> None:
    frame = windows(60, range(20))
    learnt, held = chosen(frame, sample)
    assert not learnt & held
    assert len(learnt) + len(held) == frame.height
    assert len(held) >= SHARE * frame.height * 0.8
    gone = START + timedelta(days=day)
    other, _ = chosen(frame.filter(pl.col("window") != gone), sample)
    lost = {window for window in learnt if window[1] == gone}
    assert learnt - other == lost
    assert len(other - learnt) <= len(lost)


def test_order_and_company_of_rows_dont_matter_and_the_seed_does() -> None:
    frame = windows(30, range(10))
    turned = frame.reverse()
    assert chosen(frame, 50) == chosen(turned, 50)
    assert names(frame, 0)[::-1].tolist() == names(turned, 0).tolist()
    assert names(frame.head(3), 0).tolist() == names(frame, 0)[:3].tolist()
    assert chosen(frame, 50) != tuple(set(frame[places].iter_rows()) for places in split(frame, 1, 50))
    assert len(split(frame, 0, 50, 20)[1]) == 20


def test_numbers_are_spread_evenly_and_stay_what_they_are() -> None:
    frame = windows(400, range(30))
    counts = np.bincount((names(frame, 0) >> np.uint64(60)).astype(np.int64), minlength=16)
    expected = frame.height / 16
    assert ((counts - expected) ** 2 / expected).sum() < 40  # chi-square of 15 degrees: beyond it 1 in 2,000
    assert names(windows(1, range(1)), 0).tolist() == [7530469653724366924]
