"""With exceptions, matches are the matches without them less those whose event the exception describes.

The plain evaluator says what rules and filters mean; terms are judged by the time of the event.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from detectors.content import contents
from detectors.schema import TIME
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from tests.property import reference
from tests.property.asking import expected_of
from tests.property.detections import LISTS, detections
from tests.property.events import Batch, batches

START = datetime(2026, 3, 9, tzinfo=UTC)
ROUND = settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
bounds = st.tuples(st.none() | st.integers(0, 40), st.none() | st.integers(41, 90))  # minutes after START
references = st.just("any") | st.lists(st.integers(0, 3), min_size=1, max_size=3)
exceptions = st.lists(st.tuples(detections, references, bounds), min_size=1, max_size=4)


def named(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def rule(number: int, detection: dict[str, Any]) -> Rule:
    (made,) = read({"title": "r", "id": named(number), "logsource": {"category": "test"}, "detection": detection})
    assert isinstance(made, Rule), str(made)
    return made


def exception(section: dict[str, Any], rules: Any, bound: tuple[int | None, int | None]) -> Filter:
    rules = rules if rules == "any" else [named(number) for number in rules]
    keys = ("valid_from", "valid_to")
    terms = {key: after(each).isoformat() for key, each in zip(keys, bound, strict=True) if each is not None}
    document = {"title": "f", "logsource": {"category": "test"}, "filter": section | {"rules": rules}, "soc": terms}
    (made,) = read(document)
    assert isinstance(made, Filter), str(made)
    return made


def read(document: dict[str, Any]) -> list[Any]:
    return list(contents(yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True), "x.yml", LISTS.values))


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def timed(batch: Batch) -> pl.DataFrame:
    """Return the events of a batch a minute apart."""
    frame = batch.frame()
    return frame.with_columns(pl.Series("@timestamp", [after(row) for row in range(frame.height)], TIME))


@seed(0)
@ROUND
@given(st.lists(detections, min_size=1, max_size=4), exceptions, batches, st.randoms())
def test_matches_are_those_without_exceptions_less_what_these_describe(
    written: list[dict[str, Any]], excepted: list[Any], batch: Batch, chance: random.Random
) -> None:
    rules = [rule(number, detection) for number, detection in enumerate(written)]
    cases = batch.cases(LISTS)
    expected = {
        (number, row, at)
        for number, row in expected_of(written, cases)
        for at, (section, applies, (since, until)) in enumerate(excepted)
        if applies == "any" or number in applies
        if (since is None or row >= since) and (until is None or row < until)
        if not reference.matches(section, cases[row])
    }
    filters = [exception(*each) for each in excepted]
    assert taken(rules, filters, batch) == expected
    order = chance.sample(range(len(filters)), len(filters))
    again = taken(rules, [filters[at] for at in order], batch)
    assert {(number, row, order[at]) for number, row, at in again} == expected


def taken(rules: list[Rule], filters: list[Filter], batch: Batch) -> set[tuple[int, int, int]]:
    frame = timed(batch)
    hits = Engine(rules).detect(batch.dialect, frame)
    made = Exceptions(filters, rules)
    found = made.take(batch.dialect, frame, hits)
    assert made.failures == {}
    return {*zip(hits.rule[found.hit].tolist(), hits.row[found.hit].tolist(), found.filter.tolist(), strict=True)}
