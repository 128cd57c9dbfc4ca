"""A look at the text gives up no key that could occur, and no line that Polars would read wrongly."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.survey import survey

KEYS = ("a", "b", "c.d", 'a"')


@pytest.mark.parametrize(
    ("line", "rare"), [('{"a":1}', ["a"]), ('{"x":"a","b": 1}', ["b"]), ('{"c.d":1}', ["c.d"]), ("{}", [])]
)
def test_a_key_is_read_only_where_it_occurs(line: str, rare: list[str]) -> None:
    keys = survey(pl.Series(["{}"] * 100 + [line]), KEYS).keys
    assert keys.common == ('a"',)  # what must be escaped can't be searched for
    assert sorted(keys.rare) == rare
    assert keys.rows.to_list() == [100] * len(rare)


def test_a_common_key_is_read_from_every_line() -> None:
    keys = survey(pl.Series(['{"a":1}', '{"b":1}', "{}"] * 100), KEYS).keys
    assert set(keys.common) == {'a"', "a", "b"}
    assert keys.rare == ()


def test_many_rare_keys_are_read_from_every_line() -> None:
    lines = [f'{{"k{number % 100}":1}}' for number in range(10_000)]
    keys = survey(pl.Series(lines), [f"k{number}" for number in range(200)]).keys
    assert set(keys.common) == {f"k{number}" for number in range(100)}
    assert keys.rare == ()


@pytest.mark.parametrize(
    "line",
    [None, "", " \t", '{"a":\n1}', r'{"a":"\ud800"}', r'{"\u0061":1}', '{"a" \t: 1}', '{"a":' + "[" * 201, "[" * 201],
)
def test_a_doubtful_line_is_told(line: str | None) -> None:
    lines = pl.Series(["{}", line, '{"a":"{}"}', '{"a":"' + "[" * 201 + '"}', r'{"a":"\" :"}'], dtype=pl.String)
    assert survey(lines, KEYS).doubtful.to_list()[:4] == [False, True, False, False]


def test_inner_values_are_told() -> None:
    lines = pl.Series(['{"a":"[{"}', '{"a":[1]}', '{"a": \t {"b":1}}'])
    assert survey(lines, KEYS).nested.to_list() == [False, True, True]
