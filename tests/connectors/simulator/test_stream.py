"""Overlapping sessions come out in the order of time, and early ones don't wait for the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulator.stream import Line, arrivals, in_order

START = datetime(2026, 11, 18, tzinfo=UTC)


def line(second: int, text: str = "") -> Line:
    return Line(START + timedelta(seconds=second), "test", text)


@given(st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(0, 30), max_size=5)), max_size=20))
def test_sessions_are_merged_like_a_sort(sessions: list[tuple[int, list[int]]]) -> None:
    ordered = sorted(sessions, key=lambda session: session[0])
    begun = [(line(begin).at, [line(begin + delay) for delay in delays]) for begin, delays in ordered]
    every = [each.at for _, lines in begun for each in lines]
    assert [each.at for each in in_order(begun)] == sorted(every)


def test_an_endless_stream_is_read_as_it_is_made() -> None:
    def sessions() -> Iterator[tuple[datetime, list[Line]]]:
        for second in count():
            yield line(second).at, [line(second), line(second + 5)]

    assert len(list(islice(in_order(sessions()), 1_000))) == 1_000


def test_arrivals_follow_the_rhythm() -> None:
    random = Random(1)  # noqa: S311  a test must be repeatable
    morning = START + timedelta(hours=8)
    moments = list(arrivals(random, START, START + timedelta(days=1), 60, lambda at: float(at.hour == 8)))
    assert moments == sorted(moments)
    assert 30 < len(moments) < 90
    assert all(morning <= moment < morning + timedelta(hours=1) for moment in moments)
