"""What is found in a column is what is there, however many texts are looked for and however long or alike they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.sigma.engine import Engine
from detectors.sigma.fold import fold
from tests.detectors.sigma.asking import DIALECT, compiled, frame

WORDS = st.text("aAbβΣς\0", min_size=1, max_size=4)
HELD: dict[str, Callable[[str, str], bool]] = {
    "": lambda text, word: text == word,
    "|contains": lambda text, word: word in text,
    "|startswith": lambda text, word: text.startswith(word),
    "|endswith": lambda text, word: text.endswith(word),
}


def found(rules: list[tuple[str, list[str]]], texts: list[str]) -> set[tuple[int, int]]:
    made = [compiled(yaml.safe_dump({f"f{modifier}": words}, allow_unicode=True)) for modifier, words in rules]
    hits = Engine(made).detect(DIALECT, frame([{"f": text} for text in texts]))
    return set(zip(hits.rule.tolist(), hits.row.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*HELD]), st.lists(WORDS, min_size=1, max_size=4)), min_size=1, max_size=5),
    st.lists(st.text("aAbBβΣσς\0c", max_size=10), min_size=1, max_size=8),
    st.sampled_from([0, 3, 4_090, 4_100]),
)
def test_all_is_found_that_a_plain_search_finds(
    rules: list[tuple[str, list[str]]], texts: list[str], length: int
) -> None:
    texts = ["c" * length + text for text in texts] + [text + "c" * length for text in texts]
    assert found(rules, texts) == {
        (number, row)
        for number, (modifier, words) in enumerate(rules)
        for row, text in enumerate(texts)
        if any(HELD[modifier](fold(text), fold(word)) for word in words)
    }


@pytest.mark.parametrize("length", [10, 5_000, 200_000])
def test_words_within_words_are_all_found(length: int) -> None:
    words = [f"v{number}" for number in range(300)]
    text = "x" * length + "v123" + "y" * length
    assert found([("|contains", [word]) for word in words], [text, "v", "v29x"]) == {
        (1, 0), (12, 0), (123, 0), (2, 2), (29, 2)
    }  # fmt: skip
