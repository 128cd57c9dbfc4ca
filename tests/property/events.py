"""Random batches of events, in every way that the engine may be handed them."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import orjson
import polars as pl
from hypothesis import strategies as st
from polars._typing import PolarsDataType

from detectors.contracts import Dialect, LogSource
from tests.property import values
from tests.property.reference import Case, Held
from tests.property.reference_texts import Lists
from tests.property.values import even

COLUMNS = ("a", "with space", "d.e", "n", "when", "other")
FIELDS = (*COLUMNS, "alias", "gone")  # as rules name them: `alias` is the first of its columns that a row has
ALIASES: dict[str, tuple[str, ...]] = {"alias": ("other", "with space")}
TYPES: dict[str, PolarsDataType] = {"n": pl.Int64, "when": pl.Datetime("us", "UTC")}  # of ECS columns that hold no text
MOST = 128  # events of a batch
Row = dict[str, Any]  # column → a text, a list of texts, None, or a value of its type


@dataclass(frozen=True)
class Batch:
    """Events, as what they hold and as the records they came in."""

    rows: tuple[Row, ...]
    writing: str  # of the records: see WRITINGS
    columns: tuple[str, ...]  # those that the frame has

    @property
    def dialect(self) -> Dialect:
        """Return how a source of such events speaks."""
        structured = self.writing != "line"
        return Dialect(f"test {self.writing}", LogSource(category="test"), ALIASES, structured=structured)

    def frame(self, rows: Sequence[int] | None = None) -> pl.DataFrame:
        """Return the events (or these of them) as the engine gets them."""
        chosen = self.rows if rows is None else [self.rows[row] for row in rows]
        originals = [WRITINGS[self.writing](row) for row in chosen]
        columns = [pl.Series("event.original", originals, dtype=pl.String)]
        columns += [_series(name, [row.get(name) for row in chosen]) for name in self.columns]
        return pl.DataFrame(columns)

    def cases(self, lists: Lists) -> list[Case]:
        """Return the events as the plain evaluator wants them."""
        return [Case(_seen(row), _whole(row, self.writing), lists) for row in self.rows]


def _series(name: str, values: list[Any]) -> pl.Series:
    if any(isinstance(value, list) for value in values):
        values = [[value] if isinstance(value, str) else value for value in values]
        return pl.Series(name, values, dtype=pl.List(pl.String))
    return pl.Series(name, values, dtype=TYPES.get(name, pl.String))


def _texts(row: Row) -> dict[str, Held]:
    """Return the values of a row, those of other types as texts."""
    return {name: value if isinstance(value, str | list | None) else _text(value) for name, value in row.items()}


def _text(value: Any) -> str:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)


def _seen(row: Row) -> dict[str, Held]:
    """Return what the fields hold, under the names that rules use."""
    seen = _texts(row)
    aliased = {
        alias: next((value for name in columns if (value := seen.get(name)) is not None), None)
        for alias, columns in ALIASES.items()
    }
    return seen | aliased


def _whole(row: Row, writing: str) -> str:
    """Choice: the text of an event is its line, or of JSON its values, one a line."""
    if writing == "line":
        return _line(row)
    held = [each for value in _texts(row).values() for each in (value if isinstance(value, list) else [value])]
    return "\n".join(each for each in held if each is not None)


def _line(row: Row) -> str:
    return " ".join(f"{name}={value}" for name, value in _texts(row).items() if value is not None)


def _record(row: Row) -> dict[str, Any]:
    """Return a row as a nested record."""
    record: dict[str, Any] = {}
    for name, value in row.items():
        *parents, leaf = name.split(".")
        node = record
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = _text(value) if isinstance(value, datetime) else value
    return record


def _escaped(value: Any) -> str:
    """Write JSON with every character of a text as an escape, which is legal."""
    match value:
        case dict():
            return "{" + ",".join(f"{_escaped(key)}:{_escaped(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_escaped, value)) + "]"
        case str():
            units = value.encode("utf-16-be").hex()
            return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'
        case _:
            return json.dumps(value)


WRITINGS: dict[str, Callable[[Row], str]] = {
    "compact": lambda row: orjson.dumps(_record(row)).decode(),
    "spaced": lambda row: json.dumps(_record(row), ensure_ascii=False, indent=1),
    "ascii": lambda row: json.dumps(_record(row)),
    "escaped": lambda row: _escaped(_record(row)),
    "line": _line,
}


def _pools(cells: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(cells, min_size=1, max_size=8)


_maybe = even(values.texts, values.texts, values.texts, st.none())
_pool = even(_pools(_maybe), _pools(_maybe), _pools(even(_maybe, _maybe, st.lists(_maybe, max_size=3))))
_small, _large = st.sampled_from(values.NUMBERS), st.sampled_from(values.LARGE)
_numbers = st.sampled_from([None, 0, 1, 5, 10, 2**53 + 1, 2**62])
_times = st.sampled_from([None, *(datetime(2024, month, 6, 3, 4, 5, 678, UTC) for month in (1, 5, 12))])
_columns = {
    "a": _pool,
    "with space": even(_pool, _pools(even(values.encoded, values.dashed))),
    "d.e": even(_pool, _pools(even(_small, _small, _large)), _pools(st.sampled_from(values.TIMES))),
    "n": _pools(_numbers),
    "when": _pools(_times),
    "other": even(_pool, _pools(st.sampled_from(values.ADDRESSES))),
}


def _mixed(pools: Row, seed: int, writing: str) -> Batch:
    """Mix the values of a few small pools, so that many events cost little and shrink to one."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    few = math.prod(map(len, pools.values())) <= MOST
    mixed = product(*pools.values()) if few else ([chance.choice(pool) for pool in pools.values()] for _ in range(MOST))
    rows = tuple(dict(zip(pools, cells, strict=True)) for cells in mixed)
    return Batch(rows, writing, tuple(pools))


_drawn = st.fixed_dictionaries({"a": _pool}, optional={name: pool for name, pool in _columns.items() if name != "a"})
batches = st.builds(_mixed, _drawn, st.integers(0, 99), st.sampled_from(list(WRITINGS)))
long_batches = st.builds(
    lambda cells, writing: Batch(tuple({"a": cell} for cell in cells), writing, ("a",)),
    st.lists(even(values.long_texts, values.texts), min_size=1, max_size=50),
    st.sampled_from(["compact", "line"]),
)
