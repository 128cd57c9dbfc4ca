"""Runs the patterns and tables of source definitions over frames.

The values of a block's `by` column tell which patterns are tried on which rows, so a catalogue of a thousand messages
costs each row only the patterns of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from connectors.expressions import LISTS, SEPARATOR, coerced, flat, holds
from connectors.formats.frames import nulls, placed, scatter
from connectors.mapping import Extraction, Lookup, Reading
from connectors.patterns.fit import fit

ROW: Final = "_row"
LINE: Final = "event.original"  # patterns may look at the whole line


def filled(frame: pl.DataFrame, step: Extraction | Lookup, wanted: frozenset[str] | None = None) -> pl.DataFrame:
    """Add the columns that patterns or a table fill, those wanted of them, or all."""
    names = step.columns if wanted is None else step.columns & wanted
    return extracted(frame, step, names) if isinstance(step, Extraction) else looked_up(frame, step, names)


def extracted(frame: pl.DataFrame, block: Extraction, names: frozenset[str]) -> pl.DataFrame:
    """Add these of the columns that the patterns fill; rows of which none holds keep what they have."""
    if block.source not in frame.columns:
        return _completed(frame, names)
    text = _text(frame[block.source])
    pieces = [_read(text, rows, readings, block, names) for rows, readings in _parts(frame, block, text)]
    if pieces:
        found = pl.concat(pieces, how="diagonal")
        frame = _merged(frame, found[ROW], found.drop(ROW))
    return _completed(frame, names)


def looked_up(frame: pl.DataFrame, table: Lookup, names: frozenset[str]) -> pl.DataFrame:
    """Add these of the columns of a table; rows that it doesn't have keep what they have."""
    if table.column not in frame.columns:
        return _completed(frame, names)
    key = _text(frame[table.column])
    if table.when:
        key = frame.select(pl.when(holds(frame.schema, table.when)).then(key)).to_series()
    distinct = key.unique().drop_nulls()
    present = set(distinct.to_list()) & table.rows.keys()
    for name in sorted(names):
        values = {each: value for each, value in table.values(name) if each in present}
        if not values:
            continue
        made = _translated(key, values)
        rows = made.is_not_null().arg_true()
        frame = _merged(frame, rows, made.gather(rows).alias(name).to_frame())
    return _completed(frame, names)


def _text(column: pl.Series) -> pl.Series:
    return column.list.first() if column.dtype == LISTS else column


def _parts(frame: pl.DataFrame, block: Extraction, text: pl.Series) -> Iterator[tuple[pl.Series, Sequence[Reading]]]:
    """Yield rows and the patterns to try on them."""
    rows = text.is_not_null().arg_true()
    if block.by is None or block.by not in frame.columns:
        yield rows, [reading for reading in block.patterns if not reading.of]
        return
    known = {value for reading in block.patterns for value in reading.of}
    key = _text(frame[block.by]).gather(rows)
    key = key.to_frame("key").select(pl.when(pl.col("key").is_in(known)).then("key")).to_series()
    for (value,), part in pl.DataFrame([key.alias("key"), rows.alias(ROW)]).group_by("key", maintain_order=True):
        yield part[ROW], [reading for reading in block.patterns if not reading.of or value in reading.of]


def _read(
    text: pl.Series, rows: pl.Series, readings: Sequence[Reading], block: Extraction, names: frozenset[str]
) -> pl.DataFrame:
    """Return what the first pattern of each text that holds says: its groups, and what is set where it holds."""
    which, columns = fit(text.gather(rows), [reading.pattern for reading in readings], names)
    held = pl.Series(which >= 0)
    columns, number = columns.filter(held), pl.Series(which).filter(held)
    columns = columns.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in columns.columns)
    columns = columns.with_columns(rows.filter(held).alias(ROW))
    for name in sorted(names):
        values = {place: reading.set[name] for place, reading in enumerate(readings) if name in reading.set}
        if values:
            columns = columns.with_columns(_over(columns, name, _translated(number, values)))
    single = [name for name in columns.columns if name in block.lists and columns[name].dtype == pl.String]
    return columns.with_columns(coerced(pl.col(name), pl.String, LISTS).alias(name) for name in single)


def _over(frame: pl.DataFrame, name: str, made: pl.Series) -> pl.Expr:
    """Return a column that counts before what the frame has of that name."""
    if name not in frame.columns:
        return pl.lit(made).alias(name)
    own = coerced(pl.col(name), pl.String, LISTS) if made.dtype == LISTS else pl.col(name)
    return pl.coalesce(pl.lit(made), own).alias(name)


def _translated(key: pl.Series, values: Mapping[Any, str | Sequence[str]]) -> pl.Series:
    """Return what a table says of keys: texts, or lists of them if it says any."""
    made = key.replace_strict({k: flat(v) for k, v in values.items()}, default=None, return_dtype=pl.String)
    return made.str.split(SEPARATOR) if any(not isinstance(value, str) for value in values.values()) else made


def _merged(frame: pl.DataFrame, rows: pl.Series, found: pl.DataFrame) -> pl.DataFrame:
    """Put values into rows; where there is none, the row keeps its own."""
    return frame.with_columns(_column(frame, column, rows) for column in found)


def _column(frame: pl.DataFrame, column: pl.Series, rows: pl.Series) -> pl.Series:
    if column.name not in frame.columns:
        return placed(column, rows, frame.height)
    if column.has_nulls():
        rows, column = rows.filter(column.is_not_null()), column.drop_nulls()
    return scatter(frame[column.name].to_frame(), rows, column.to_frame()).to_series()


def _completed(frame: pl.DataFrame, names: frozenset[str]) -> pl.DataFrame:
    return frame.with_columns(nulls(name, frame.height) for name in sorted(names) if name not in frame.columns)
