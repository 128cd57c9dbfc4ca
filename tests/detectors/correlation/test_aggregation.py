"""Aggregations of Sigma 1 become correlations."""

from __future__ import annotations

import pytest

from detectors.content import contents
from detectors.correlation.rule import Bound, Correlation
from detectors.sigma.rule import Rule

OLD = """title: Old
id: 8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11
level: high
logsource: {category: test}
detection:
  sel: {f: x}
  timeframe: 10m
  condition: %s
"""


@pytest.mark.parametrize(
    ("condition", "kind", "fields", "groups", "bound"),
    [
        ("sel | count() > 5", "event_count", (), (), Bound("gt", 5)),
        ("sel | count() by a, b.c >= 5", "event_count", (), ("a", "b.c"), Bound("gte", 5)),
        ("sel|count(user) by a<5", "value_count", ("user",), ("a",), Bound("lt", 5)),
        ("sel | sum(size) by a > 1000", "value_sum", ("size",), ("a",), Bound("gt", 1000)),
        ("1 of sel* | avg(size) by a <= 2.5", "value_avg", ("size",), ("a",), Bound("lte", 2.5)),
    ],
)
def test_an_aggregation_is_a_rule_and_a_correlation(
    condition: str, kind: str, fields: tuple[str, ...], groups: tuple[str, ...], bound: Bound
) -> None:
    rule, made = contents(OLD % condition, "r.yml")
    assert isinstance(rule, Rule)
    assert isinstance(made, Correlation)
    assert (made.type, made.fields, made.group_by, made.bounds, made.span) == (kind, fields, groups, (bound,), 600)
    assert (made.meta.id, made.meta.level) == ("8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11", "high")
    assert [each.word for each in made.rules] == [rule.id]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("sel | near sel", "r.yml:8:18: the aggregation `near sel` can't be translated"),
        ("sel | max(x) by a > 5", "the aggregation `max(x) by a > 5` can't be translated"),
        ("sel | sum() by a > 5", "can't be translated"),
        ("sell | count() > 5", "r.yml:8:14: condition: there is no `sell` in the detection; did you mean `sel`?"),
    ],
)
def test_what_cannot_be_translated_is_refused(condition: str, told: str) -> None:
    (fault,) = contents(OLD % condition, "r.yml")
    assert told in str(fault)


def test_a_timeframe_is_needed() -> None:
    (fault,) = contents((OLD % "sel | count() > 5").replace("  timeframe: 10m\n", ""), "r.yml")
    assert "an aggregation without `timeframe`" in str(fault)
