"""The fast and the exact reader of JSON agree, whatever stands in the lines."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.formats.exact import DEPTH, dumps, loads
from connectors.formats.json_lines import ERROR, Reading, exactly, read
from connectors.formats.ndjson import Ndjson, splits, values

NAMES = ("a", "b", "a.b", "a.b.c", "b.a")


numbers = st.one_of(
    st.integers(-(2**80), 2**80).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["-0", "-0.0", "1.0", "2.50", "1e5", "1E400", "1e-7", "NaN", "01", "123456789012345678901234567890"]
    ),
)
words = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "[1]", "[]", '["x"]', '{"a": 1}', "\x00", "\x1f", "\x7f", "\u2028", "null", "x\x01", "é😀"]),
)
strings = st.one_of(
    words.map(json.dumps),
    words.map(lambda word: json.dumps(word, ensure_ascii=False)),
    st.sampled_from([r'"\t\b\f\n\r"', r'"\ud800"', r'"\ud83d\ude00"', r'"\u0027"', r'"\/"', r'"\x"', '"\t"', '"open']),
)
scalars = st.one_of(numbers, strings, st.sampled_from(["true", "false", "null"]))
keys = st.sampled_from(['"a"', '"b"', '"c"', '"a.b"', '"b.c"'])


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(keys, inner), max_size=3)
    return pairs.map(lambda all_pairs: "{" + ",".join(f"{key}: {value}" for key, value in all_pairs) + "}")


def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(objects(inner), st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"))


values_of_json = st.recursive(scalars, containers, max_leaves=6)
lines = st.one_of(
    objects(values_of_json),
    values_of_json,
    st.sampled_from(
        ["", " ", "null", "{", "x\x01abc", '{"a":1}{"a":2}', '{"a":1}\n{"a":2}', '\ufeff{"a":1}', ' {"a":1} ']
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(lines, min_size=1, max_size=6), st.sets(st.sampled_from(NAMES), min_size=1))
def test_both_readers_agree(sample: list[str], names: set[str]) -> None:
    reading = Reading({name: list(splits(name)) for name in sorted(names)}, values)
    series = pl.Series(sample, dtype=pl.String)
    fast, exact = read(series, reading), exactly(series, reading, sorted(names))
    assert fast.to_dicts() == exact.to_dicts()


def parsed(*sample: str, wanted: frozenset[str] | None = None) -> list[dict[str, Any]]:
    return Ndjson().parse(pl.Series(sample, dtype=pl.String), wanted).to_dicts()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ('{"a": 1}', "1"),
        ('{"a": 2.50}', "2.5"),
        ('{"a": 1.0}', "1"),
        ('{"a": 1208925819614629174706176}', str(2**80)),
        ('{"a": true}', "true"),
        ('{"a": ""}', ""),
        ('{"a": null}', None),
        (r'{"a": "\u0027"}', "'"),
        (r'{"a": "\ud800x"}', "�x"),
        ('{"a": "first", "a": "second"}', "first"),
        ('{"a": "[1, 2]"}', "[1, 2]"),
        ('{"a": [1, null, "x", true]}', ["1", None, "x", "true"]),
        ('{"a": {"x": 1.0}}', '{"x": 1}'),
    ],
)
def test_a_value_becomes_this_text(line: str, value: str | list[str] | None) -> None:
    row = parsed(line, wanted=frozenset({"a"}))[0]
    assert row == {"a": value, ERROR: None}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": ', "not JSON"),
        ('{"a": NaN}', "NaN is not a JSON number"),
        ("[1]", "not a JSON object"),
        ("", "not JSON"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", f"deeper than {DEPTH}"),
        ('{"a": ' * 300 + "1" + "}" * 300, f"deeper than {DEPTH}"),
    ],
)
@pytest.mark.parametrize("wanted", [None, frozenset({"a"})])
def test_a_bad_line_costs_itself(line: str, reason: str, wanted: frozenset[str] | None) -> None:
    rows = parsed('{"a": "before"}', line, '{"a": "after"}', wanted=wanted)
    assert [row["a"] for row in rows] == ["before", None, "after"]
    assert reason in rows[1][ERROR]


def test_many_bad_lines_among_many_good_ones() -> None:
    sample = [f'{{"a": {number}}}' if number % 97 else "bad" for number in range(20_000)]
    frame = Ndjson().parse(pl.Series(sample), frozenset({"a"}))
    assert frame["a"].null_count() == frame[ERROR].count() == len(range(0, 20_000, 97))
    assert frame["a"].drop_nulls().to_list() == [str(number) for number in range(20_000) if number % 97]


def test_a_name_reaches_through_objects_and_arrays() -> None:
    row = parsed('{"r": [{"arn": "x"}, {"arn": ["y", "z"]}, 3], "u": {"n": "lan"}, "u.n": "literal"}')[0]
    assert row == {"r.arn": ["x", "y", "z"], "u.n": "literal", ERROR: None}
    assert parsed('{"r": [{"arn": "x"}]}', wanted=frozenset({"r.arn"})) == [{"r.arn": ["x"], ERROR: None}]


def test_a_hostile_number_of_names_is_bounded() -> None:
    sample = [json.dumps({f"k{number}_{row}": 1 for number in range(100)}) for row in range(100)]
    assert Ndjson().parse(pl.Series(sample), None).width <= 2_200


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_its_value(number: float) -> None:
    text = dumps(loads(f'{{"a": {number!r}}}')["a"])
    assert "e" not in text
    assert math.isclose(float(text), number, rel_tol=0, abs_tol=0)


def test_no_line_gives_an_empty_frame() -> None:
    frame = Ndjson().parse(pl.Series([], dtype=pl.String), frozenset({"a"}))
    assert frame.schema == {"a": pl.String, ERROR: pl.String}
