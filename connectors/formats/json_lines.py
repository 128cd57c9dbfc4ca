"""Reads JSON lines into text columns: Polars for what it reads exactly, `exact` for every other line.

The fast way projects the wanted paths in one pass (`pl.read_ndjson` with a schema of them). It fails as a whole on one
bad line, and it can't tell an array from a string that looks like one; so bad lines are found by halving, and doubtful
cells are read again from their line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.formats.exact import Object, Text, Value, loads, text
from connectors.formats.frames import scatter
from connectors.formats.projected import project
from connectors.formats.survey import Path, Survey, survey

ERROR: Final = "error.message"
COLUMNS: Final = 2000  # distinct names that one batch may bring; a hostile log could name a million


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a kind of record: where the fast reader looks for each name, and the exact reader's whole answer.

    `marker` is the key of an object that every record of this kind has; a record without it is read exactly.
    `values` gets the record and the names wanted (None: all it has).
    """

    paths: Mapping[str, Sequence[Path]]
    values: Callable[[Object, Iterable[str] | None], Mapping[str, Value]]
    marker: str | None = None
    doubt: pl.Expr | None = None  # of a line: only the exact reader can tell


def read(original: pl.Series, reading: Reading) -> pl.DataFrame:
    """Return one column per name and `error.message`, as high as `original`; a name that no record has is all null."""
    if original.is_empty() or not reading.paths:
        return exactly(original, reading, reading.paths)
    seen = survey(original, reading.paths, reading.doubt)
    lines = original.set(seen.doubtful, "{}") if seen.doubtful.any() else original
    columns, failed = _fast(lines, seen, reading)
    fast = pl.DataFrame([pl.Series(ERROR, [None], pl.String).new_from_index(0, lines.len()), *columns])
    rows = (seen.doubtful | failed).arg_true()
    if not rows.is_empty():
        fast = scatter(fast, rows, exactly(original.gather(rows), reading, reading.paths))
    return fast.select(*[_there(name, fast) for name in reading.paths], ERROR)


def _there(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)


def _fast(lines: pl.Series, seen: Survey, reading: Reading) -> tuple[list[pl.Series], pl.Series]:
    """Return the columns that have any value, and which lines the exact reader must read."""
    paths = seen.pruned(reading.paths)
    told = next(path for places in reading.paths.values() for path in places)  # at least one, to tell bad lines
    wanted = dict.fromkeys([path for places in paths.values() for path in places] or [told])
    found = project(lines, wanted, seen.nested, reading.marker)
    columns = []
    for name, places in paths.items():
        there = [found.columns[path] for path in places if path in found.columns]
        if there:
            columns.append(there[0] if len(there) == 1 else _first(there))
            columns[-1] = columns[-1].alias(name)
    return columns, found.failed


def _first(columns: list[pl.Series]) -> pl.Series:
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])
    return frame.select(pl.coalesce(pl.all())).to_series()


def exactly(original: pl.Series, reading: Reading, names: Iterable[str] | None) -> pl.DataFrame:
    """Return what `read` returns, by the exact reader alone; without names, whatever the records hold."""
    rows: list[dict[str, Text]] = []
    errors: list[str | None] = []
    columns = dict.fromkeys(names or ())
    for line in original:
        try:
            found = reading.values(loads(line or ""), names)
        except ValueError as error:
            rows.append({})
            errors.append(str(error))
            continue
        rows.append({name: text(value) for name, value in found.items()})
        errors.append(None)
        if names is None and len(columns) < COLUMNS:
            columns.update(dict.fromkeys(found))
    cells = [_column(name, [row.get(name) for row in rows]) for name in columns if name != ERROR]
    return pl.DataFrame([*cells, pl.Series(ERROR, errors, pl.String)])


def _column(name: str, cells: list[Text]) -> pl.Series:
    if any(isinstance(cell, list) for cell in cells):
        lists = [cell if cell is None or isinstance(cell, list) else [cell] for cell in cells]
        return pl.Series(name, lists, pl.List(pl.String))
    return pl.Series(name, cells, pl.String)
