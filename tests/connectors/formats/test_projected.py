"""Paths of JSON lines are read level by level, and what can't be read so is told."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.projected import project
from connectors.formats.survey import Path


def read(paths: list[Path], *lines: str) -> tuple[dict[Path, list[str | None]], list[bool]]:
    series = pl.Series(lines, dtype=pl.String)
    found = project(series, paths, pl.repeat(value=True, n=len(lines), dtype=pl.Boolean, eager=True))
    return {path: column.to_list() for path, column in found.columns.items()}, found.failed.to_list()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_through_three_levels_as_it_is(text: str) -> None:
    line = json.dumps({"a": {"b": {"c": "x" + text}}, "other": text})
    assert read([("a", "b", "c")], line) == ({("a", "b", "c"): ["x" + text]}, [False])


def test_a_key_may_be_a_value_and_lead_to_others() -> None:
    columns, failed = read([("a",), ("a", "b")], '{"a": {"b": 1}}', '{"a": "text"}', "{}")
    assert columns == {("a",): ['{"b": 1}', "text", None], ("a", "b"): ["1", None, None]}
    assert failed == [False, False, False]


@pytest.mark.parametrize("line", ['{"a": [{"b": 1}]}', '{"a": {"b": [1]}}', '{"a": {"b": {"#text": 1}}}', "not JSON"])
def test_what_only_the_exact_reader_can_tell_is_given_up(line: str) -> None:
    assert read([("a", "b")], line)[1] == [True]


def test_a_line_without_the_marker_is_given_up() -> None:
    lines = pl.Series(['{"a": {"b": 1}}', '{"a": 1}', "{}"])
    nested = pl.Series([True, False, False])
    assert project(lines, [("a", "b")], nested, "a").failed.to_list() == [False, True, True]
