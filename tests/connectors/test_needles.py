"""Texts that stand in whatever a pattern matches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.needles import either, needles


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"^user (?P<user.name>\S+) (?:logged in|refused)$", {"logged in", "refused"}),
        ("a|bc", {"a", "bc"}),
        ("abc?d", {"ab"}),
        ("a{2}bcd", {"bcd"}),
        ("ab{0,3}c", {"a"}),
        ("(?:abc)?de", {"de"}),
        ("(?:abc)+d", {"abc"}),
        (r"x(ab|cd|)y\.", {"y."}),
        (r"(?i)Login \[(?P<x>[^\]]*)\] failed", {"] failed"}),
        (r"[a-z]+\d*", None),
        ("ab|[cd]", None),
        ("(?x) a b ", None),
        ("", None),
    ],
)
def test_the_longest_certain_texts_are_found(pattern: str, found: set[str] | None) -> None:
    assert needles(pattern) == (found and frozenset(found))


def test_of_several_patterns_any_may_hold() -> None:
    assert either([frozenset({"a"}), frozenset({"b"})]) == frozenset({"a", "b"})
    assert either([frozenset({"a"}), None]) is None


PIECES = st.recursive(
    st.sampled_from(["a", "bc", r"\.", "x-y", "[cd]", r"\d", ".", "d?", "e+", "f*", "g{0,2}", "h{2}", "^", r"\["]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: f"(?:{'|'.join(some)})"),
        st.tuples(inner, st.sampled_from(["", "?", "+", "*", "{2}", "{0,1}"])).map(lambda two: f"({two[0]}){two[1]}"),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(PIECES, st.data())
def test_no_match_is_without_them(pattern: str, data: st.DataObject) -> None:
    found = needles(pattern)
    if found is not None:
        text = data.draw(st.from_regex(re.compile(f"(?:{pattern})", re.ASCII)))
        assert any(needle in text for needle in found), (pattern, text, found)
