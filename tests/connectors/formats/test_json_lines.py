"""The fast and the exact reader of JSON agree, whatever stands in the lines."""

from __future__ import annotations

import json
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.formats import json_lines
from connectors.formats.exact import dumps, loads
from connectors.formats.frames import ERROR
from connectors.formats.json_lines import Lines, framed
from connectors.formats.ndjson import Ndjson, pick
from connectors.once import DEPTH
from tests.connectors.formats.json_texts import anything, exactly, objects

NAMES = ("a", "b", "a.b", "a.b.c", "b.a")


KEYS = ("a", "b", "c", "a.b", "b.c")
lines = st.one_of(
    objects(KEYS, anything(KEYS)),
    anything(KEYS),
    st.sampled_from(
        ["", " ", "null", "{", "x\x01abc", '{"a":1}{"a":2}', '{"a":1}\n{"a":2}', '\ufeff{"a":1}', ' {"a":1} ']
    ),
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(lines, min_size=1, max_size=6), st.none() | st.frozensets(st.sampled_from(NAMES), min_size=1))
def test_every_way_agrees_with_the_exact_reader(sample: list[str], names: frozenset[str] | None) -> None:
    series = pl.Series(sample, dtype=pl.String)
    assert Ndjson().parse(series, names).to_dicts() == exactly(pick, sample, names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "FEW", 0)
        patch.setattr(json_lines, "COLD", 0)
        assert Ndjson().parse(series, names).to_dicts() == exactly(pick, sample, names)
        if not any("\n" in line for line in sample):
            text = memoryview("".join(f"{line}\r\n" for line in sample).encode())
            assert framed(Ndjson().read(Lines(series, text), names), names).to_dicts() == exactly(pick, sample, names)


def test_lines_in_one_piece_are_read_where_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "FEW", 0)
    monkeypatch.setattr(json_lines, "COLD", 0)
    lines = [
        '{"a": 1}',
        r'{"a": "\ud800x"}',
        '{"a": "x", "a": "y"}',
        "null",
        " ",
        '{"a":' + "[" * 100_000,
        '{"a": "é"}',
    ]
    for end in ("\n", "\r\n"):
        for text in (end.join(lines), end.join(lines) + end):
            found = Ndjson().read(Lines(pl.Series(lines), memoryview(text.encode())), frozenset({"a"})).frame(["a"])
            assert found["a"].to_list() == ["1", "�x", "x", None, None, None, "é"]
            assert found[ERROR].is_null().to_list() == [True] * 3 + [False] * 3 + [True]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["x", r"\u0078", "y", None]), min_size=1, max_size=9))
def test_numbers_mean_what_the_texts_say(values: list[str | None]) -> None:
    series = pl.Series(["{}" if value is None else f'{{"a": "{value}"}}' for value in values], dtype=pl.String)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "FEW", 0)
        patch.setattr(json_lines, "COLD", 0)
        found = Ndjson().read(Lines(series), frozenset({"a"}))
    texts = found.frame(["a"])["a"].to_list()
    assert texts == [value and value[-1].replace("8", "x") for value in values]
    for column in found.encoded(["a"]).values():
        assert column.series("a").to_list() == texts
        assert [column.texts.take([code])[0] for code in column.codes.tolist() if code >= 0] == [
            text for text in texts if text is not None
        ]


def test_values_of_every_number_find_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.formats.cells.ROOM", 4)
    lines = [f'{{"a": {number}, "b": "b{number % 7}"}}' for number in range(5_000)]
    found = Ndjson().parse(pl.Series(lines), frozenset({"a", "b"}))
    assert found["a"].to_list() == [str(number) for number in range(5_000)]
    assert found["b"].to_list() == [f"b{number % 7}" for number in range(5_000)]


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


def test_lines_stay_in_order_however_they_are_written() -> None:
    texts = ['{"a":1}', '{"a": 2}', '{"a":3,"a":0}', '{"a":4}', "bad", '{"a" : 6}', '{"a":7}']
    for wanted in (None, frozenset({"a"})):
        assert [row["a"] for row in parsed(*texts, wanted=wanted)] == ["1", "2", "3", "4", None, "6", "7"]
        assert [row["a"] for row in parsed(*texts[:4], wanted=wanted)] == ["1", "2", "3", "4"]
