"""Wildcards: what a pattern's regular expression matches is what the pattern means."""

from __future__ import annotations

import re

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from detectors.sigma import glob

TEXTS = st.text("ab*?\\.\n[(đ😀", max_size=8)
PATTERNS = st.lists(
    st.sampled_from(["*", "?", "\\*", "\\?", "\\\\", "\\", "a", "b", ".", "[", "(", "đ", "\n"]), max_size=8
)


def naive(pattern: list[tuple[bool, str]], text: str) -> bool:
    """Match by trying every way: a star takes nothing, or a character and stays."""
    if not pattern:
        return not text
    (wild, part), rest = pattern[0], pattern[1:]
    if wild and part == "*":
        return naive(rest, text) or (text != "" and naive(pattern, text[1:]))
    if wild:
        return text != "" and naive(rest, text[1:])
    return text.startswith(part) and naive(rest, text[len(part) :])


@given(PATTERNS.map("".join), TEXTS)
def test_the_regular_expression_means_the_pattern(pattern: str, text: str) -> None:
    expected = naive(glob.parts(pattern), text)
    assert (re2.search(glob.regex(pattern), text) is not None) == expected
    assert (re.search(glob.regex(pattern).replace(r"\z", r"\Z"), text) is not None) == expected


@given(TEXTS, TEXTS)
def test_a_quoted_text_is_itself_and_nothing_else(text: str, other: str) -> None:
    assert glob.parts(glob.quote(text)) == ([(False, text)] if text else [])
    assert (re2.search(glob.regex(glob.quote(text)), other) is not None) == (text == other)


@given(PATTERNS.map("".join), TEXTS)
def test_the_literal_stands_in_every_match(pattern: str, text: str) -> None:
    if re2.search(glob.regex(pattern), text):
        assert glob.literal(pattern) in text


@given(PATTERNS.map("".join), TEXTS, TEXTS)
def test_without_anchors_it_is_found_anywhere(pattern: str, before: str, behind: str) -> None:
    text = "".join("x" if wild else part for wild, part in glob.parts(pattern))
    assert re2.search(glob.regex(pattern, anchored=False), before + text + behind)


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("", []),
        ("a\\b", [(False, "a\\b")]),
        ("a\\\\b", [(False, "a\\b")]),
        ("\\*\\?", [(False, "*?")]),
        ("a\\\\*", [(False, "a\\"), (True, "*")]),
        ("**", [(True, "*"), (True, "*")]),
        ("x\\", [(False, "x\\")]),
    ],
)
def test_parts(pattern: str, parts: list[tuple[bool, str]]) -> None:
    assert glob.parts(pattern) == parts


@given(st.text(max_size=6))
def test_an_escaped_text_is_found_as_it_stands(text: str) -> None:
    assert re2.search(f"^{glob.escape(text)}$", text)
