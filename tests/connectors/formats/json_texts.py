"""What the tests of JSON lines share: texts that are JSON, or nearly, and what the exact reader says of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from connectors.formats.exact import Pick, loads, text
from connectors.formats.frames import ERROR

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


def objects(keys: Sequence[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return objects with these keys, which may be written twice."""
    pairs = st.lists(st.tuples(st.sampled_from(keys), values), max_size=4)
    gaps = st.sampled_from([":", ": ", ": ", " :"])
    return st.builds(
        lambda found, gap: "{" + ",".join(f'"{key}"{gap}{value}' for key, value in found) + "}", pairs, gaps
    )


def anything(keys: Sequence[str], leaves: int = 6) -> st.SearchStrategy[str]:
    """Return JSON texts of any depth."""

    def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return objects(keys, inner) | st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")

    return st.recursive(scalars, containers, max_leaves=leaves)


def exactly(pick: Pick, sample: Sequence[str], names: frozenset[str] | None) -> list[dict[str, Any]]:
    """Return what the exact reader says of each line."""
    rows: list[dict[str, Any]] = []
    for line in sample:
        try:
            found = pick(loads(line), names)
        except ValueError as error:
            rows.append({ERROR: str(error)})
        else:
            rows.append({name: text(value) for name, value in found.items()})
    columns = {name for row in rows for name in row} | {ERROR} | (names or set())
    lists = {name for row in rows for name, value in row.items() if isinstance(value, list)}
    return [{name: _cell(row.get(name), listed=name in lists) for name in columns} for row in rows]


def _cell(value: object, *, listed: bool) -> object:
    return [value] if listed and value is not None and not isinstance(value, list) else value
