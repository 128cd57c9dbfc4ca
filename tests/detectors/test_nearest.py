"""The word that somebody probably meant."""

from __future__ import annotations

import time

import pytest

from detectors.nearest import meant, nearest

WORDS = ["contains", "endswith", "Image", "selection_img"]


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("contans", "did you mean `contains`?"),
        ("CONTAINS", "did you mean `contains`?"),
        ("image", "did you mean `Image`?"),
        ("selection_image", "did you mean `selection_img`?"),
        ("xyz", "known: `Image`, `contains`, `endswith`, `selection_img`"),
        ("", "known: `Image`, `contains`, `endswith`, `selection_img`"),
    ],
)
def test_nearest(word: str, fix: str) -> None:
    assert nearest(word, WORDS) == fix


def test_of_many_words_the_first_are_shown() -> None:
    assert nearest("?", map(str, range(10, 20))).endswith("`16`, `17` …")


def test_nothing_is_guessed() -> None:
    assert meant("xyz", WORDS) == ""
    assert meant("contains", []) == ""


def test_a_search_is_bounded() -> None:
    begin = time.process_time()
    nearest("v" * 100_000, [f"v{number}" * 10 for number in range(100_000)])
    assert time.process_time() - begin < 5
