"""Regular expressions: what must stand in every match, and what can't be run."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from detectors.errors import RuleError
from detectors.sigma import regex
from detectors.sigma.fold import fold

PIECES = ["a", "B", "s", "k", "\\.", "\\\\", "\\\\", ".", "[ab]",
          "[^a]", "[]a]", "[[:alpha:]b]", "(ab)", "(?:a|b)", "|", "x{2}", "b{0,1}",
          "+", "*", "?", "^", "$", "\\d", "\\b", "\\x41", "{", "-", "\\Qa.b\\E", "\\n"]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*"aABbsSkKx.\\1- {]\n", "\u017f", "\u212a"]), max_size=8).map("".join)


@given(st.sampled_from(["", "(?i)", "(?s)", "(?im)"]), st.lists(st.sampled_from(PIECES), max_size=6), st.lists(TEXTS))
def test_the_literal_stands_in_every_match(flags: str, pieces: list[str], texts: list[str]) -> None:
    pattern = flags + "".join(pieces)
    try:
        program = regex.program(pattern)
    except re2.error:
        return
    literal = regex.literal(pattern)
    assert all(literal in fold(text) for text in texts if program.search(text))


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        (r"ab\\(cde)?f", "ab\\"),
        ("(a|b)cd(e|f)", "cd"),
        ("a(b|c)|d", ""),
        ("(?i)(set).*&&.?(x|y)", "&&"),
        ("[a[]x|y]zz", ""),
        ("[(]ab|c", ""),
        ("[^)]ab(c)*de", "ab"),
        ("(?i-s)sk", ""),
        (r"\\{2}ab", "ab"),
        ("abc", "abc"),
        ("ab+cde", "cde"),
        ("abc?", "ab"),
        (r"\\Temp\\[a-z]{3}\.exe$", "\\temp\\"),
        ("(?i)Powershell", "power"),
        ("abc|d", ""),
        ("(abc)", ""),
        ("[[:alpha:]bc]d", ""),
        (r"\x41bc", ""),
    ],
)
def test_literal(pattern: str, literal: str) -> None:
    assert regex.literal(pattern) == literal


@pytest.mark.parametrize(
    "pattern", ["(?=a)", r"(a)\1", "a{1001}", "(a", "x" * 20_001, "(?P<a", "(((a{100}){100}){100})"]
)
def test_what_can_not_be_run_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(RuleError):
        regex.checked(pattern)
