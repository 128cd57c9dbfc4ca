"""Flat lines are read as they are, and what Polars can't tell is given up."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.formats.flat import Columns, read
from connectors.formats.survey import Keys

NOWHERE = pl.Series([], dtype=pl.UInt32)


def told(lines: pl.Series, *, value: bool) -> pl.Series:
    return pl.repeat(value=value, n=lines.len(), dtype=pl.Boolean, eager=True)


def read_all(*lines: str) -> Columns:
    texts = pl.Series(lines)
    return read(texts, Keys(("a", "b"), (), NOWHERE), told(texts, value=True))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_comes_through_as_it_is(text: str) -> None:
    found = read_all(json.dumps({"a": "x" + text, "other": text}))
    assert (found.columns["a"].to_list(), found.failed.to_list()) == (["x" + text], [False])


@pytest.mark.parametrize("line", ['{"a": [1]}', '{"a": [{"b": 1}]}', '{"a": {"b": 1}}', '{"a": {}}', '{"a": []}'])
def test_what_polars_would_mistake_is_given_up(line: str) -> None:
    assert read_all('{"a": "[x] {y}"}', line, '{"b": 1}').failed.to_list() == [False, True, False]


def test_a_rare_key_is_read_from_its_rows() -> None:
    lines = pl.Series(['{"a": 1}', '{"a": 2, "b": 3}', "{}"])
    found = read(lines, Keys(("a",), ("b",), pl.Series([1], dtype=pl.UInt32)), told(lines, value=False))
    assert {key: column.to_list() for key, column in found.columns.items()} == {
        "a": ["1", "2", None],
        "b": [None, "3", None],
    }
    assert not found.failed.any()


def test_bad_lines_cost_themselves_alone_or_a_few_neighbours() -> None:
    lines = pl.Series(["bad" if number == 5_000 else '{"a": 1}' for number in range(20_000)])
    found = read(lines, Keys(("a",), (), NOWHERE), told(lines, value=False))
    assert found.failed[5_000]
    assert 1 <= found.failed.sum() <= 64
    assert found.columns["a"].null_count() == found.failed.sum()
