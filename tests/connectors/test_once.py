"""An object is read only when each of its keys is written once."""

from __future__ import annotations

import json

import pytest

from connectors.once import DEPTH, KEY, loads_canonical, loads_once


@pytest.mark.parametrize("line", ['{"a":1}', '{"a":{"a":1},"b":[{"a":2}]}', '{"a":"\\":"}', "{}"])
def test_an_object_is_read(line: str) -> None:
    assert loads_once(line.encode(), line.encode().count(KEY)) == json.loads(line) == loads_canonical(line.encode())


@pytest.mark.parametrize(
    "line",
    [
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        '{"a":[{"b":1,"b":1}]}',
        '{"a":{"b":"\\":"},"a":"\\":\\":"}',
        "[1]",
        '{"a":NaN}',
        "{",
        r'{"a":"\ud800"}',
    ],
)
def test_anything_else_is_not(line: str) -> None:
    assert loads_once(line.encode(), line.encode().count(KEY)) is loads_canonical(line.encode()) is None


@pytest.mark.parametrize("line", ['{"a": 1}', r'{"a":"\u0041"}', '{"a":1.50}', f'{{"a":{2**64}}}', '{"a":-0}'])
def test_what_orjson_would_write_otherwise_is_not_canonical(line: str) -> None:
    assert loads_canonical(line.encode()) is None


def test_what_is_deep_is_not_canonical() -> None:
    for depth in (DEPTH, DEPTH + 1):
        line = '{"a":' * depth + "1" + "}" * depth
        assert (loads_canonical(line.encode()) is None) == (depth > DEPTH)
