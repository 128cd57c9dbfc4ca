"""The pace of a simulation, by a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.simulator import Line
from flows.pacing import paced

START = datetime(2026, 3, 9, tzinfo=UTC)


def test_lines_wait_for_their_time_and_late_ones_do_not() -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    wait = paced(60, clock=lambda: now[0], sleep=sleep)
    for seconds in (0, 60, 60, 180):
        wait(Line(START + timedelta(seconds=seconds), "auth", ""))
    assert slept == [1, 2]
    now[0] += 10  # the receiver was slow
    wait(Line(START + timedelta(seconds=240), "auth", ""))
    assert slept == [1, 2]
    assert now[0] - 100 == 13
