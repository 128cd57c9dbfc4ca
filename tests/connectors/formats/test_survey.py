"""A look at the text gives up no key that could occur, and no line that needs the exact reader."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.survey import Path, survey

PATHS: dict[str, list[Path]] = {"a": [("a",)], "b": [("b",)], "c.d": [("c.d",), ("c", "d")]}


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ('{"a":1}', {"a"}),
        ('{"x":"a","b": 1}', {"b"}),
        ('{"c":{"d":1}}', {"c", "d"}),
        ('{"x" \t: 1}', {"a", "b", "c", "d", "c.d"}),
        ('{"x":"\\" :"}', {"a", "b", "c", "d", "c.d"}),  # only looks like it, and costs only time
        ("{}", set()),
    ],
)
def test_keys_that_no_line_has_are_given_up(line: str, keys: set[str]) -> None:
    lines = pl.Series(["{}"] * 100 + [line])
    assert survey(lines, PATHS, None).keys == keys


@pytest.mark.parametrize(
    "line", [None, "", " \t", '{"a":\n1}', r'{"a":"\ud800"}', r'{"\u0061":1}', '{"c":"{}"}', '{"a":' + "[" * 200]
)
def test_a_doubtful_line_is_told(line: str | None) -> None:
    lines = pl.Series(["{}", line, '{"a":"{}"}'], dtype=pl.String)
    assert survey(lines, PATHS, None).doubtful.to_list() == [False, True, False]


def test_inner_values_are_told() -> None:
    lines = pl.Series(['{"a":"[{"}', '{"a":[1]}', '{"a": \t {"b":1}}'])
    assert survey(lines, PATHS, None).nested.to_list() == [False, True, True]
