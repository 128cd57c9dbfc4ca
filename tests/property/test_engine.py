"""The engine says of random events what a plain evaluator says, however the events come.

`SIGMA_CASES=5000000` runs longer than continuous integration does.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import polars as pl
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from detectors.errors import RuleError
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule, decode_rule, encode_rule
from tests.detectors.sigma.asking import DIALECT, frame
from tests.property import reference
from tests.property.strategies import detections, events

EVENTS, RULES = 40, 5
CASES = int(os.environ.get("SIGMA_CASES", "20000"))  # pairs of a rule and an event
BATCHES = max(1, CASES // (EVENTS * RULES))
slow = settings(max_examples=BATCHES, deadline=None, suppress_health_check=list(HealthCheck))
brief = settings(max_examples=max(1, BATCHES // 4), deadline=None, suppress_health_check=list(HealthCheck))
many_rules = st.lists(detections(), min_size=1, max_size=RULES)
many_events = st.lists(events, min_size=1, max_size=EVENTS)


def rule(detection: dict[str, Any]) -> Rule | None:
    """Return the rule of a detection, or None where one of its values is refused (each refusal has its own test)."""
    text = yaml.safe_dump(
        {"title": "A test", "logsource": {"category": "test"}, "detection": detection}, allow_unicode=True
    )
    found = list(rules(text, "test.yml"))
    if any(isinstance(each, RuleError) for each in found):
        return None
    (made,) = found
    assert isinstance(made, Rule)
    return made


def readable(written: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Rule]]:
    pairs = [(detection, made) for detection in written if (made := rule(detection)) is not None]
    assume(pairs)
    return [detection for detection, _ in pairs], [made for _, made in pairs]


def pairs(made: list[Rule], batch: pl.DataFrame) -> set[tuple[int, int]]:
    hits = Engine(made).detect(DIALECT, batch)
    order = np.lexsort((hits.row, hits.rule))
    assert (order == np.arange(order.size)).all()
    found = list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True))
    assert len(set(found)) == len(found)
    return set(found)


@slow
@given(many_rules, many_events)
def test_the_engine_agrees_with_the_plain_evaluator(written: list[dict[str, Any]], batch: list[dict[str, Any]]) -> None:
    written, made = readable(written)
    expected = {
        (number, row)
        for number, detection in enumerate(written)
        for row, event in enumerate(batch)
        if reference.matches(detection, event)
    }
    assert pairs(made, frame(batch)) == expected


@brief
@given(many_rules, many_events, st.randoms(use_true_random=False), st.integers(0, EVENTS))
def test_how_events_come_changes_nothing(
    written: list[dict[str, Any]], batch: list[dict[str, Any]], chance: Any, cut: int
) -> None:
    _, made = readable(written)
    whole = frame(batch)
    expected = pairs(made, whole)
    rows = list(range(len(batch)))
    chance.shuffle(rows)
    assert {(number, rows[row]) for number, row in pairs(made, whole[rows])} == expected, "row order"
    columns = list(whole.columns)
    chance.shuffle(columns)
    assert pairs(made, whole.select(columns)) == expected, "column order"
    double = pl.concat([whole, whole])
    assert {(number, row % len(batch)) for number, row in pairs(made, double)} == expected, "duplicates"
    assert len(pairs(made, double)) == 2 * len(expected), "duplicates"
    cut = min(cut, len(batch))
    parts = pairs(made, whole[:cut]) | {(number, row + cut) for number, row in pairs(made, whole[cut:])}
    assert parts == expected, "split"
    single = {(number, row) for row in range(len(batch)) for number, _ in pairs(made, whole[row : row + 1])}
    assert single == expected, "one event at a time"
    needed = {"event.original", *Engine(made).wanted(DIALECT)}
    assert pairs(made, whole.select([name for name in columns if name in needed])) == expected, "projection"


@brief
@given(many_rules, many_events, st.randoms(use_true_random=False))
def test_the_company_of_other_rules_changes_nothing(
    written: list[dict[str, Any]], batch: list[dict[str, Any]], chance: Any
) -> None:
    _, made = readable(written)
    whole = frame(batch)
    expected = pairs(made, whole)
    order = list(range(len(made)))
    chance.shuffle(order)
    assert {(order[n], row) for n, row in pairs([made[n] for n in order], whole)} == expected, "rule order"
    alone = {(number, row) for number, each in enumerate(made) for _, row in pairs([each], whole)}
    assert alone == expected, "one rule at a time"
    again = [decode_rule(encode_rule(each)) for each in made]
    assert pairs(again, whole) == expected, "through the cache"
