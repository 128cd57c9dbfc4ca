"""JSON lines of any application.

    {"time": "2026-03-02T08:15:00+07:00", "user": {"name": "lan"}, "tags": ["vip", "night"]}

Own columns: every key; nested keys as dotted names (`user.name`), which reach through arrays and then hold the list of
what they find there. A key that contains dots itself wins over nested ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import polars as pl

from connectors.formats.exact import Record, Value
from connectors.formats.json_lines import Lines, Reading, read, read_records
from connectors.formats.survey import INNER_VALUE

INNER: Final = pl.col("line").str.contains(INNER_VALUE)


@dataclass(frozen=True, slots=True)
class Ndjson:
    """Reads any JSON object per line."""

    name: ClassVar[str] = "ndjson"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return self.parse_lines(Lines(original), wanted)

    def parse_lines(self, lines: Lines, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Do the same with lines that their source has in another way as well."""
        if wanted is None:
            return read_records(lines.original, pick, None)
        inner = INNER if any("." in name for name in wanted) else pl.lit(value=False)
        return read(replace(lines, flat=None), Reading(pick, {name: (name,) for name in sorted(wanted)}, inner))


def pick(record: Record, wanted: Collection[str] | None) -> dict[str, Value]:
    """Return the values of these names, or of all."""
    if wanted is None:
        return leaves(record)
    found = ((name, find(record, name)) for name in wanted)
    return {name: value for name, value in found if value is not None}


def find(value: Value, name: str) -> Value:
    """Return what stands under a dotted name, through objects and arrays; None when nothing does."""
    if isinstance(value, list):
        inner = [find(item, name) for item in value]
        return _flat(item for item in inner if item is not None) or None
    if not isinstance(value, dict):
        return None
    if value.get(name) is not None:
        return value[name]
    for cut in _dots(name):
        below = find(value.get(name[:cut]), name[cut + 1 :])
        if below is not None:
            return below
    return None


def leaves(record: Record) -> dict[str, Value]:
    """Return every innermost value under its dotted name, as `find` would find it; nulls and `{}` have none."""
    result: dict[str, Value] = {}
    for key, value in sorted(record.items(), key=lambda item: -item[0].count(".")):
        for name, below in _below(key, value).items():
            if result.get(name) is None:
                result[name] = below
    for key, value in record.items():  # a literal key wins over a path
        if "." in key and value is not None and key in result:
            result[key] = value
    return result


def _below(key: str, value: Value) -> dict[str, Value]:
    if isinstance(value, dict):
        return {f"{key}.{name}": below for name, below in leaves(value).items()}
    if not (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
        return {} if value is None else {key: value}
    gathered: dict[str, list[Value]] = {}
    for item in value:
        for name, below in leaves(item).items() if isinstance(item, dict) else ():
            gathered.setdefault(f"{key}.{name}", []).append(below)
    return {name: _flat(item for item in items if item is not None) or None for name, items in gathered.items()}


def _flat(items: Iterable[Value]) -> list[Value]:
    result: list[Value] = []
    for item in items:
        if isinstance(item, list):
            result.extend(item)
        else:
            result.append(item)
    return result


def _dots(name: str) -> list[int]:
    """Return the places where a name may be cut, the last one first."""
    return [place for place in range(len(name) - 2, 0, -1) if name[place] == "."]
