"""Runs the patterns and tables of source definitions over frames.

The values of a block's `by` column tell which patterns are tried on which rows, so a catalogue of a thousand messages
costs each row only the patterns of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import polars as pl

from connectors.expressions import LISTS, SEPARATOR, coerced, flat, holds
from connectors.formats.frames import nulls, placed, scatter
from connectors.mapping import Extraction, Lookup, Reading

HELD: Final = "_held"  # a group that is there, and empty, where a pattern holds
ROW: Final = "_row"
LINE: Final = "event.original"  # patterns may look at the whole line


def filled(frame: pl.DataFrame, step: Extraction | Lookup) -> pl.DataFrame:
    """Add the columns that patterns or a table fill."""
    return extracted(frame, step) if isinstance(step, Extraction) else looked_up(frame, step)


def extracted(frame: pl.DataFrame, block: Extraction) -> pl.DataFrame:
    """Add the columns that the patterns fill; rows of which none holds keep what they have."""
    if block.source not in frame.columns:
        return _completed(frame, block.columns)
    text = _text(frame[block.source])
    parts = _parts(frame, block, text)
    pieces = [piece for rows, readings in parts for piece in _read(text, rows, readings, block.lists)]
    if pieces:
        found = pl.concat(pieces, how="diagonal")
        frame = _merged(frame, found[ROW], found.drop(ROW))
    return _completed(frame, block.columns)


def looked_up(frame: pl.DataFrame, table: Lookup) -> pl.DataFrame:
    """Add the columns of a table; rows that it doesn't have keep what they have."""
    if table.column not in frame.columns:
        return _completed(frame, table.columns)
    key = _text(frame[table.column])
    if table.when:
        key = frame.select(pl.when(holds(frame.schema, table.when)).then(key)).to_series()
    distinct = key.unique().drop_nulls()
    present = set(distinct.to_list()) & table.rows.keys()
    for name in sorted(table.columns):
        values = {each: value for each, value in table.values(name) if each in present}
        if not values:
            continue
        made = key.replace_strict({k: flat(v) for k, v in values.items()}, default=None, return_dtype=pl.String)
        if any(not isinstance(value, str) for value in values.values()):
            made = made.str.split(SEPARATOR)
        rows = made.is_not_null().arg_true()
        frame = _merged(frame, rows, made.gather(rows).alias(name).to_frame())
    return _completed(frame, table.columns)


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
    text: pl.Series, rows: pl.Series, readings: Sequence[Reading], lists: frozenset[str]
) -> Iterator[pl.DataFrame]:
    for reading in readings:
        if rows.is_empty():
            return
        texts = text.gather(rows)
        held = texts.str.contains(reading.pattern)  # most patterns hold for few rows: groups cost more than a look
        if not held.any():
            continue
        groups = texts.filter(held).str.extract_groups(f"(?P<{HELD}>)(?:{reading.pattern})").struct.unnest().drop(HELD)
        constants = [_constant(name, value) for name, value in reading.set.items()]
        found = rows.filter(held).alias(ROW).to_frame().hstack(groups)
        found = found.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in groups.columns)
        found = found.with_columns(constants)
        single = [name for name, kind in found.schema.items() if name in lists and kind == pl.String]
        yield found.with_columns(coerced(pl.col(name), pl.String, LISTS).alias(name) for name in single)
        rows = rows.filter(~held)


def _constant(name: str, value: str | Sequence[str]) -> pl.Expr:
    literal = pl.lit(value) if isinstance(value, str) else pl.lit(pl.Series([list(value)], dtype=LISTS)).first()
    return literal.alias(name)


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
