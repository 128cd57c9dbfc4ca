"""The correlation engine finds what walking through every window finds, however the stream is cut and ordered."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.correlation.evaluate import evaluate
from detectors.correlation.link import Linked
from tests.property import correlation_oracle as oracle
from tests.property.correlation_oracle import Event
from tests.property.correlations import correlation, frame, stream

Alert = tuple[tuple[str, ...], int, int]
randoms = st.builds(Random, st.integers(0, 2**63))


def horizon(events: list[Event]) -> int:
    return max((each.time for each in events if each.time is not None), default=0)


def found(linked: Linked, events: list[Event]) -> dict[Alert, float]:
    frames = {
        leaf.id: frame([each for each in events if each.rule == leaf.id]).unique("event.id") for leaf in linked.leaves()
    }
    made = evaluate(linked, lambda member: frames[member.id], None, horizon(events))
    if not made:
        return {}
    rows = made.frame().unique(["group", "start", "time"])
    groups = rows.select(linked.rule.group_by).rows() if linked.rule.group_by else [()] * rows.height
    alerts = zip(groups, rows["start"], rows["time"], strict=True)
    return dict(zip(alerts, rows["metric"], strict=True))


@settings(max_examples=1500, deadline=None)
@given(randoms)
def test_alerts_and_metrics_are_those_of_the_oracle(random: Random) -> None:
    linked, events = correlation(random), stream(random)
    expected = {
        (each.group, each.start, each.stop): each.metric for each in oracle.alerts(linked, events, horizon(events))
    }
    alerts = found(linked, events)
    assert alerts.keys() == expected.keys()
    assert alerts == pytest.approx(expected, abs=1e-9)


def test_the_random_correlations_are_of_all_kinds_and_find_something() -> None:
    random = Random(7)  # noqa: S311 - no secret
    kinds: dict[tuple[str, bool, bool], int] = {}
    for _ in range(400):
        linked = correlation(random)
        kind = (linked.rule.type, bool(linked.rule.terms), any(member.inner for member in linked.members))
        kinds[kind] = kinds.get(kind, 0) + len(found(linked, stream(random)))
    assert len(kinds) == 20, kinds
    assert sum(count > 0 for count in kinds.values()) >= 18, kinds
