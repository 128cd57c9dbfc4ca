"""The engine says of random events what a plain evaluator says.

Every run tries the same cases. `SIGMA_CASES=5000000` tries more, `SIGMA_SEED=1000000` tries others.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from detectors.sigma.engine import Engine
from tests.property.asking import Pairs, detected, expected_of, pairs, rule, tall, tiny_limits
from tests.property.detections import LISTS, detections, searches
from tests.property.events import WRITINGS, Batch, batches, long_batches
from tests.property.tally import Tally

CASES = int(os.environ.get("SIGMA_CASES", "200000"))  # pairs of a rule and an event
SEED = int(os.environ.get("SIGMA_SEED", "0"))
TALL = 3_000  # rows at least
round_of_cases = settings(
    max_examples=200, deadline=None, derandomize=False, database=None, suppress_health_check=list(HealthCheck)
)
some = st.lists(detections, min_size=1, max_size=12)


def test_the_engine_agrees_with_the_plain_evaluator() -> None:
    tally = Tally()

    @round_of_cases
    @given(some, batches, st.sampled_from(["all at once", "some before", "tall", "tiny limits"]))
    def agrees(written: list[dict[str, Any]], batch: Batch, way: str) -> None:
        made = [rule(each) for each in written]
        cases = batch.cases(LISTS)
        expected = expected_of(written, cases)
        WAYS[way](Engine(made), batch, expected)
        tally.add(written, made, batch, cases, way)
        tally.matches += len(expected)

    for number in count(SEED):
        seed(number)(agrees)()
        if tally.pairs >= CASES:
            break
    print(tally)
    assert tally.missing() == []
    assert 0.2 < tally.matches / tally.pairs < 0.55
    assert all(tally.ways[way] > 0.1 * tally.pairs for way in WAYS)
    assert 0.2 < tally.always / (tally.always + tally.sifted) < 0.8
    assert tally.writings.keys() == WRITINGS.keys()


def all_at_once(engine: Engine, batch: Batch, expected: Pairs) -> None:
    assert detected(engine, batch.dialect, batch.frame()) == expected


def some_before(engine: Engine, batch: Batch, expected: Pairs) -> None:
    """Few events come first, so that some values are known and others new: that is no part of the answer."""
    some = range(-(-len(batch.rows) // 8))
    before = detected(engine, batch.dialect, batch.frame(some))
    assert before == {(number, some.index(row)) for number, row in expected if row in some}
    all_at_once(engine, batch, expected)


def tall_frame(engine: Engine, batch: Batch, expected: Pairs) -> None:
    height = len(batch.rows)
    times = -(-TALL // height)
    found = detected(engine, batch.dialect, tall(batch.frame(), times))
    assert {(number, row % height) for number, row in found} == expected
    assert len(found) == len(expected) * times


def limited(engine: Engine, batch: Batch, expected: Pairs) -> None:
    with tiny_limits():
        some_before(engine, batch, expected)


WAYS = {"all at once": all_at_once, "some before": some_before, "tall": tall_frame, "tiny limits": limited}


@seed(SEED)
@round_of_cases
@given(st.lists(searches, min_size=1, max_size=8), long_batches)
def test_long_values_are_searched_to_their_ends(written: list[dict[str, Any]], batch: Batch) -> None:
    expected = expected_of(written, batch.cases(LISTS))
    assert pairs([rule(each) for each in written], batch.dialect, batch.frame()) == expected
