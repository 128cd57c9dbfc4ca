"""How events and rules come changes nothing: neither their order nor their company, nor how many come at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from detectors.contracts import Dialect
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule, decode_rule, encode_rule
from tests.property import real
from tests.property.asking import Pairs, detected, pairs, rule, tall, tiny_limits
from tests.property.detections import detections
from tests.property.events import Batch, batches
from tests.property.test_engine import SEED, round_of_cases
from tests.property.test_kinds import KINDS, asked, held

some = st.lists(detections, min_size=1, max_size=6)


@seed(SEED)
@settings(round_of_cases, max_examples=80)
@given(some, batches, st.integers(0, 2**32))
def test_random_events_match_however_they_come(written: list[dict[str, Any]], batch: Batch, number: int) -> None:
    trial = Trial([rule(each) for each in written], batch.dialect, batch.frame(), number)
    trial.events_come_otherwise(single=20)
    with tiny_limits():
        trial.events_come_otherwise(single=5)
    trial.rules_come_otherwise(alone=range(len(written)))


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_a_kind_match_however_they_come(kind: str) -> None:
    batch = held(KINDS[kind][1])
    trial = Trial([rule(each) for each in asked(kind)], batch.dialect, batch.frame(), 0)
    trial.events_come_otherwise(single=len(batch.rows))
    with tiny_limits():
        trial.events_come_otherwise(single=len(batch.rows))
    trial.rules_come_otherwise(alone=range(0, len(trial.rules), 20))


@pytest.mark.reference
def test_real_events_match_however_they_come(reference: Path) -> None:
    made, dialect = real.rules(reference), real.windows().dialect
    trial = Trial(made, dialect, real.parsed(real.records(reference), real.engine(reference).wanted(dialect)), 0)
    matched = sorted({number for number, _ in trial.expected})
    assert len(matched) > 150
    trial.events_come_otherwise(single=100)
    with tiny_limits():
        trial.events_come_otherwise(single=20)
    trial.rules_come_otherwise(alone=matched[::20])


@pytest.mark.reference
def test_real_events_match_whichever_columns_were_read(reference: Path) -> None:
    engine, dialect, lines = real.engine(reference), real.windows().dialect, real.records(reference)
    few, all_columns = real.parsed(lines, engine.wanted(dialect)), real.parsed(lines, None)
    assert detected(engine, dialect, few) == detected(engine, dialect, all_columns)


class Trial:
    """Rules and events, what matches, and ways to bring them that must not change it."""

    def __init__(self, rules: Sequence[Rule], dialect: Dialect, events: pl.DataFrame, number: int) -> None:
        self.rules, self.dialect, self.events = rules, dialect, events
        self.chance = random.Random(number)  # noqa: S311  # keeps no secret
        self.engine = Engine(rules)
        self.expected = self.found(events)

    def found(self, events: pl.DataFrame) -> Pairs:
        return detected(self.engine, self.dialect, events)

    def events_come_otherwise(self, single: int) -> None:
        """Bring the events in other orders and portions; `single` of them come one by one."""
        events, expected, height = self.events, self.expected, self.events.height
        rows = self.chance.sample(range(height), height)
        assert {(number, rows[row]) for number, row in self.found(events[rows])} == expected, "rows in another order"
        columns = self.chance.sample(events.columns, events.width)
        assert self.found(events.select(columns)) == expected, "columns in another order"
        needed = {"event.original", *self.engine.wanted(self.dialect)}
        assert self.found(events.select([name for name in columns if name in needed])) == expected, "needed columns"
        often = self.found(tall(events, 9))
        assert {(number, row % height) for number, row in often} == expected, "nine times"
        assert len(often) == 9 * len(expected), "nine times"
        cut = self.chance.randrange(height + 1)
        behind = {(number, row + cut) for number, row in self.found(events[cut:])}
        assert self.found(events[:cut]) | behind == expected, "in two batches"
        alone = {(number, row) for row in rows[:single] for number, _ in self.found(events[row : row + 1])}
        assert alone == {(number, row) for number, row in expected if row in rows[:single]}, "one event at a time"
        assert self.found(events) == expected, "once more"

    def rules_come_otherwise(self, alone: Sequence[int]) -> None:
        """Bring the rules in other company; those of `alone` come one by one."""
        order = self.chance.sample(range(len(self.rules)), len(self.rules))
        half = set(order[: len(order) // 2])
        self._rules_match(order)
        self._rules_match([number for number in order if number in half])
        for number in alone:
            self._rules_match([number])
        kept = [decode_rule(encode_rule(each)) for each in self.rules]
        assert pairs(kept, self.dialect, self.events) == self.expected, "through the cache"

    def _rules_match(self, numbers: Sequence[int]) -> None:
        found = pairs([self.rules[number] for number in numbers], self.dialect, self.events)
        expected = {(number, row) for number, row in self.expected if number in set(numbers)}
        assert {(numbers[number], row) for number, row in found} == expected, numbers
