"""What is known of values stays right however they come, and is given up when it grows too large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sigma import columns
from detectors.sigma.columns import Memory
from detectors.sigma.engine import Engine
from detectors.sigma.needles import Needles
from detectors.sigma.predicates import Predicate
from detectors.sigma.truth import holds
from detectors.sigma.vocabulary import Vocabulary
from tests.detectors.sigma.asking import DIALECT, compiled, frame

TEXTS = st.lists(st.text("abAB1.", max_size=4), max_size=12)
PREDICATES = (
    Predicate("f", "contains", ("ab", "b")),
    Predicate("f", "startswith", ("a",)),
    Predicate("f", "endswith", ("b1",)),
    Predicate("f", "equals", ("a", "1")),
    Predicate("f", "equals", ("aB",), cased=True),
    Predicate("f", "number", ("1",)),
    Predicate("f", "like", ("a?b*",)),
    Predicate("f", "regex", ("a+.b",)),
    Predicate("f", "present"),
)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_marks_are_what_predicates_say_whenever_a_value_came(batches: list[list[str]]) -> None:
    vocabulary, needles = Vocabulary(), Needles(PREDICATES)
    for texts in batches:
        codes = vocabulary.numbers(texts)
        marks = vocabulary.marks(needles)
        for text, code in zip(texts, codes, strict=True):
            assert {PREDICATES[at] for at in marks.of.get(code, [])} == {
                each for each in PREDICATES if holds(each, [text])[0]
            }


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
def test_answers_do_not_depend_on_what_was_searched_before(batches: list[list[str]], search: bool) -> None:
    vocabulary, needles = Vocabulary(), Needles(PREDICATES)
    for texts in batches:
        codes = np.array([*vocabulary.numbers(texts), -1], np.int32)
        for predicate in PREDICATES:
            assert vocabulary.test(predicate, codes).tolist() == [*holds(predicate, texts), False]
        if search:
            vocabulary.marks(needles)


def test_a_value_has_one_number() -> None:
    vocabulary = Vocabulary()
    assert vocabulary.numbers(["x", "y", "x"]) == [0, 1, 0]
    assert vocabulary.numbers([f"{number}" for number in range(1000)])[-1] == 1001
    assert vocabulary.numbers(["y"]) == [1]


def test_lists_are_values_too() -> None:
    vocabulary = Vocabulary(many=True)
    codes = np.array([*vocabulary.numbers([["a", None], [], ["b", "a"]]), -1], np.int32)
    assert vocabulary.test(Predicate("f", "equals", ("a",)), codes).tolist() == [True, False, True, False]
    assert vocabulary.test(Predicate("f", "null"), codes).tolist() == [False, False, False, True]
    assert vocabulary.marks(Needles(PREDICATES[:1] + PREDICATES[-1:])).of == {0: [1], 1: [1], 2: [0, 1]}


@pytest.mark.parametrize("budget", [0, 2_000, 10**9])
def test_a_stream_is_matched_the_same_with_little_memory(budget: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_MEMORY", budget)
    engine = Engine([compiled("f|contains: '7'"), compiled("f: a1\ng|endswith: '3'")])
    for start in range(0, 600, 100):
        rows: list[dict[str, Any]] = [
            {"f": f"a{number}", "g": f"{number % 50}"} for number in range(start, start + 100)
        ]
        rows += [{"f": "a1", "g": "13"}, {"f": "7", "g": None}]
        hits = engine.detect(DIALECT, frame(rows))
        expected = [(0, at) for at, row in enumerate(rows) if "7" in row["f"]] + [(1, 100)]
        assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == expected


def test_memory_gives_up_the_largest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.vocabulary(("small",), many=False).numbers(["x"])
    memory.vocabulary(("large",), many=False).numbers(["y" * 10_000])
    monkeypatch.setattr(columns, "_MEMORY", 5_000)
    memory.trim()
    assert len(memory.vocabulary(("small",), many=False)) == 1
    assert len(memory.vocabulary(("large",), many=False)) == 0
