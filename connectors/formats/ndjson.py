"""JSON lines of any application.

    {"time": "2026-03-02T08:15:00+07:00", "user": {"name": "lan"}, "tags": ["vip", "night"]}

Own columns: every key; nested keys as dotted names (`user.name`), which reach through arrays and then hold the list of
what they find there. A key that contains dots itself wins over nested ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.exact import Record, Value
from connectors.formats.json_lines import Lines, Read, Reading, framed, read
from connectors.formats.layout import ANY, ODD_VALUE, Layout, Path, Place

DOTS: Final = 8  # in a name; one with more can be cut in too many ways to look for each, so all is read exactly then


@dataclass(frozen=True, slots=True)
class Ndjson:
    """Reads any JSON object per line."""

    name: ClassVar[str] = "ndjson"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return framed(self.read(Lines(original), wanted), wanted)

    def read(self, lines: Lines, wanted: frozenset[str] | None) -> Read:
        """Do the same with lines that their source may have in one piece; columns are made when they are asked for."""
        return read(lines, Reading(layout, pick), wanted)


def layout(wanted: frozenset[str]) -> Layout:
    """Return where `find` would look for the wanted columns, in its order."""
    shape = {name: [*map(Place, _paths(name))] for name in sorted(wanted) if name.count(".") <= DOTS}
    return Layout([shape], others={(ANY,): ODD_VALUE} if len(shape) < len(wanted) else {}, through=True)


def _paths(name: str) -> Iterator[Path]:
    yield (name,)
    for cut in _dots(name):
        yield from ((name[:cut], *rest) for rest in _paths(name[cut + 1 :]))


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
