"""Tests of correlations, all run at once, come to what the oracle says of each alone."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contracts import Block
from flows.correlationtests import Verdict, alerts, judged
from tests.property import correlation_oracle as oracle
from tests.property.correlation_oracle import Event
from tests.property.correlations import IDS, correlation, frame, stream


def blocks(events: Sequence[Event]) -> list[Block]:
    return [Block(rule, frame([event for event in events if event.rule == rule])) for rule in IDS.values()]


@settings(max_examples=15, deadline=None)
@given(st.builds(Random, st.integers(0, 2**63)))
def test_tests_run_together_as_they_would_alone(random: Random) -> None:
    linked, cases = correlation(random), [stream(random, most=20) for _ in range(3)]
    newest = [max((event.time for event in events if event.time is not None), default=0) for events in cases]
    expected = [bool([*oracle.alerts(linked, events, last)]) for events, last in zip(cases, newest, strict=True)]
    given_to = [*map(blocks, cases)]
    assert alerts(linked, given_to) == expected
    assert judged(linked, given_to) == [Verdict(alert) for alert in expected]
