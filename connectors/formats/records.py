"""Reads JSON lines record by record: whatever is in them, as deep as it is.

orjson reads most lines. Those that it would take otherwise than the exact reader go to that one: with equal keys, or
with integers beyond 64 bits.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, TypeAlias

import polars as pl

from connectors.formats.exact import Pick, Record, Text, Value, loads, text
from connectors.formats.frames import listed, placed
from connectors.once import DEPTH, KEY, loads_canonical, loads_once

NAMES: Final = 2000  # distinct names that one batch may bring; a hostile log could name a million
APART: Final = ('" ', '"\t', '"\r', '"\n')  # where a key may stand apart from its colon
APART_KEY: Final = r'"\s*:'
ESCAPED: Final = r"\\u00(?:22|3[aA])"  # a quote or a colon: what looks like a key may be hidden
PLAIN: Final[set[type]] = {str, int}  # values that `str` turns into their text
LONG_NUMBER: Final = r"[:\[,]\s*-?\d{19}"
STRING: Final = r'(?s)"(?:[^"\\]|\\.)*"'

Cells: TypeAlias = "tuple[list[Value | Text], list[int]]"  # the values of a column, and their rows
Texts: TypeAlias = "tuple[list[Text], list[int]]"


def cells(lines: pl.Series, pick: Pick, wanted: Collection[str] | None) -> tuple[dict[str, Texts], pl.Series]:
    """Return per column that any line has texts and their rows, and why a line is no record (null where it is one)."""
    columns, errors = _read(lines, pick, wanted)
    return {name: ([*map(text, values)], rows) for name, (values, rows) in columns.items()}, errors


def read(lines: pl.Series, pick: Pick, wanted: Collection[str] | None) -> tuple[dict[str, pl.Series], pl.Series]:
    """Return the columns that any line has, and why a line is no record (null where it is one)."""
    columns, errors = _read(lines, pick, wanted)
    return {name: _column(name, *cells, lines.len()) for name, cells in columns.items()}, errors


def _read(lines: pl.Series, pick: Pick, wanted: Collection[str] | None) -> tuple[dict[str, Cells], pl.Series]:
    columns: dict[str, Cells] = {}
    errors: list[str | None] = [None] * lines.len()
    for row, line, record in _records(lines):
        try:
            found: Mapping[str, Value | Text]
            found = _exactly(line, pick, wanted) if record is None else pick(record, wanted)
        except ValueError as error:
            errors[row] = str(error)
            continue
        for name, value in found.items():
            if (cells := columns.get(name)) is None:
                if len(columns) == NAMES and wanted is None:
                    continue
                cells = columns[name] = ([], [])
            cells[0].append(value)
            cells[1].append(row)
    return columns, pl.Series(errors, dtype=pl.String)


def _records(lines: pl.Series) -> Iterator[tuple[int, bytes, Record | None]]:
    """Yield the row, the line and the record of each, in any order; None where only the exact reader can tell."""
    others: list[int] = []
    for row, line in enumerate(_bytes(lines)):
        if (record := loads_canonical(line)) is None:
            others.append(row)
        else:
            yield row, line, record
    if not others:
        return
    left = lines.gather(others).fill_null("")
    for row, line, keys in zip(others, _bytes(left), _keys(left).to_list(), strict=True):
        yield row, line, loads_once(line, keys) if keys >= 0 else None


def _bytes(lines: pl.Series) -> list[bytes]:
    return [(line or "").encode() for line in lines.to_list()]


def _keys(lines: pl.Series) -> pl.Series:
    """Count the texts in each line that look like keys; -1 says that only the exact reader can read it."""
    line = pl.col("line")
    seen = (
        lines.alias("line")
        .to_frame()
        .select(
            keys=line.str.count_matches(KEY.decode(), literal=True).cast(pl.Int32),
            apart=line.str.contains_any(list(APART)),
            doubt=line.str.contains(ESCAPED) | line.str.contains(LONG_NUMBER),
        )
    )
    keys, apart = seen["keys"], seen["apart"].arg_true()
    if apart.len():
        keys = keys.scatter(apart, lines.gather(apart).str.count_matches(APART_KEY).cast(pl.Int32))
    return keys.scatter((seen["doubt"] | _is_deep(lines)).arg_true(), -1)


def _is_deep(lines: pl.Series) -> pl.Series:
    """Say which lines have so many brackets outside of texts that they may be nested deeper than any log."""
    deep = _brackets(lines)
    places = deep.arg_true()
    if places.is_empty():
        return deep
    return deep.scatter(places, _brackets(lines.gather(places).str.replace_all(STRING, "")))


def _brackets(lines: pl.Series) -> pl.Series:
    return lines.str.count_matches("[", literal=True) + lines.str.count_matches("{", literal=True) > DEPTH


def _exactly(line: bytes, pick: Pick, wanted: Collection[str] | None) -> Mapping[str, Text]:
    return {name: text(value) for name, value in pick(loads(line.decode()), wanted).items()}


def _column(name: str, values: list[Value | Text], rows: list[int], height: int) -> pl.Series:
    return placed(_texts(values).alias(name), pl.Series(rows, dtype=pl.UInt32), height)


def _texts(values: list[Value | Text]) -> pl.Series:
    kinds = set(map(type, values))
    if kinds <= PLAIN:
        return pl.Series([*map(str, values)], dtype=pl.String)
    cells = [text(value) for value in values]
    if list not in kinds:
        return pl.Series(cells, dtype=pl.String)
    lists = [cell if cell is None or isinstance(cell, list) else [cell] for cell in cells]
    return listed(lists)
