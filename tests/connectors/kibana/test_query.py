from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.kibana.query import query
from dashboards.kql import kql
from dashboards.terms import Test as Asked
from detectors.errors import UsageError


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {"match_all": {}}),
        ('a.b: "x y"', {"match_phrase": {"a.b": "x y"}}),
        ("a: 5", {"match": {"a": "5"}}),
        ("a: *", {"exists": {"field": "a"}}),
        ("not a: *", {"bool": {"must_not": [{"exists": {"field": "a"}}]}}),
        ("a >= 7", {"range": {"a": {"gte": "7"}}}),
        (
            'a: ("x" or "y") and b: "z"',
            {"bool": {"filter": [
                {"bool": {"should": [{"match_phrase": {"a": "x"}}, {"match_phrase": {"a": "y"}}],
                          "minimum_should_match": 1}},
                {"match_phrase": {"b": "z"}}]}},
        ),
        ("(a: 1 or b: 2) and not c: 3", {"bool": {"filter": [
            {"bool": {"should": [{"match": {"a": "1"}}, {"match": {"b": "2"}}], "minimum_should_match": 1}},
            {"bool": {"must_not": [{"match": {"c": "3"}}]}}]}}),
    ],
)  # fmt: skip
def test_a_query_is_read(text: str, wanted: dict[str, Any]) -> None:
    assert query(text) == wanted


@pytest.mark.parametrize("text", ["a:", "a", "a: (", 'a: ("x" "y")', "and", "a: b c: d", "(a: b", ": x", "a >= "])
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is expected before"):
        query(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_any_text_survives_being_quoted(value: str) -> None:
    assert query(kql({"a": Asked(one_of=(value,))})) == {"match_phrase": {"a": value}}
