"""Runs the patterns and tables of source definitions over frames.

The values of a block's `by` column tell which patterns are tried on which rows, so a catalogue of a thousand messages
costs each row only the patterns of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from connectors.bytewise import Piece, piece, some
from connectors.expressions import LISTS, SEPARATOR, coerced, flat, holds
from connectors.formats.frames import nulls, placed, scatter
from connectors.mapping import Constant, Extraction, Lookup, Reading
from connectors.patterns.fit import fit
from connectors.warm import WARMTH

ROW: Final = "_row"
LINE: Final = "event.original"  # patterns may look at the whole line


Pieces = dict[str, Piece]  # by column, of those that stand in one piece already


def completed(frame: pl.DataFrame, steps: Iterable[Extraction | Lookup], wanted: frozenset[str] | None) -> pl.DataFrame:
    """Add the columns that patterns and tables fill one after the other, those wanted of them, or all."""
    pieces: Pieces = {}
    for step in steps:
        frame = filled(frame, step, wanted, pieces)
    return frame


def filled(
    frame: pl.DataFrame, step: Extraction | Lookup, wanted: frozenset[str] | None = None, pieces: Pieces | None = None
) -> pl.DataFrame:
    """Add the columns that patterns or a table fill, those wanted of them, or all."""
    names = step.columns if wanted is None else step.columns & wanted
    pieces = {} if pieces is None else pieces
    if isinstance(step, Extraction):
        return extracted(frame, step, names, pieces)
    for name in names:
        pieces.pop(name, None)
    return looked_up(frame, step, names)


def extracted(frame: pl.DataFrame, block: Extraction, names: frozenset[str], pieces: Pieces) -> pl.DataFrame:
    """Add these of the columns that the patterns fill; rows of which none holds keep what they have."""
    if block.source not in frame.columns:
        return _with_all(frame, names)
    text = _text(frame[block.source])
    if block.source not in pieces and WARMTH.worth(text.len()):
        pieces[block.source] = piece(text)
    whole = pieces.get(block.source)
    if block.by is None or block.by not in frame.columns:
        frame = _of_all(frame, text, block, names, pieces)
    else:
        frame = _of_some(frame, text, block, names, whole)
        for name in names:
            pieces.pop(name, None)
    return _with_all(frame, names)


def _of_all(
    frame: pl.DataFrame, text: pl.Series, block: Extraction, names: frozenset[str], pieces: Pieces
) -> pl.DataFrame:
    """Try the same patterns on all rows."""
    readings = [reading for reading in block.patterns if not reading.of]
    found, made = _read(text, readings, block, names, pieces.get(block.source))
    for name in names:
        pieces.pop(name, None)
        if name in made and name not in frame.columns:
            pieces[name] = made[name]
    return frame.with_columns(_over_own(frame, column) for column in found)


def _of_some(
    frame: pl.DataFrame, text: pl.Series, block: Extraction, names: frozenset[str], whole: Piece | None
) -> pl.DataFrame:
    """Try on each row the patterns for the value of the `by` column there."""
    parts = [
        _read(text.gather(rows), readings, block, names, whole and some(whole, rows))[0].with_columns(rows.alias(ROW))
        for rows, readings in _parts(frame, block, text)
    ]
    if not parts:
        return frame
    found = pl.concat(parts, how="diagonal")
    return _merged(frame, found[ROW], found.drop(ROW))


def looked_up(frame: pl.DataFrame, table: Lookup, names: frozenset[str]) -> pl.DataFrame:
    """Add these of the columns of a table; rows that it doesn't have keep what they have."""
    if table.column not in frame.columns:
        return _with_all(frame, names)
    key = _text(frame[table.column])
    if table.when:
        key = frame.select(pl.when(holds(frame.schema, table.when)).then(key)).to_series()
    present = sorted(set(key.unique().to_list()) & table.rows.keys())
    numbers = key.replace_strict(present, range(len(present)), default=len(present), return_dtype=pl.UInt32)
    rows = pl.arange(frame.height, eager=True)
    told = {name: [table.rows[each].get(name) for each in present] for name in sorted(names)}
    made = (_told(name, values)[numbers] for name, values in told.items() if any(value is not None for value in values))
    there = frozenset(frame.columns)
    columns = [_column(frame, column, rows) if column.name in there else column for column in made]
    return _with_all(frame.with_columns(columns), names)


def _told(name: str, values: Sequence[Constant | None]) -> pl.Series:
    """Return what rows of a table say of a column, in order, and null after them; lists, if any of them says one."""
    texts = pl.Series(name, [*(None if value is None else flat(value) for value in values), None], pl.String)
    return texts.str.split(SEPARATOR) if any(isinstance(value, tuple) for value in values) else texts


def _text(column: pl.Series) -> pl.Series:
    return column.list.first() if column.dtype == LISTS else column


def _parts(frame: pl.DataFrame, block: Extraction, text: pl.Series) -> Iterator[tuple[pl.Series, Sequence[Reading]]]:
    """Yield rows and the patterns to try on them."""
    rows = text.is_not_null().arg_true()
    known = {value for reading in block.patterns for value in reading.of}
    key = _text(frame[str(block.by)]).gather(rows)
    key = key.to_frame("key").select(pl.when(pl.col("key").is_in(known)).then("key")).to_series()
    for (value,), part in pl.DataFrame([key.alias("key"), rows.alias(ROW)]).group_by("key", maintain_order=True):
        yield part[ROW], [reading for reading in block.patterns if not reading.of or value in reading.of]


def _read(
    text: pl.Series, readings: Sequence[Reading], block: Extraction, names: frozenset[str], whole: Piece | None = None
) -> tuple[pl.DataFrame, Mapping[str, Piece]]:
    """Return what the first pattern of each text that holds says: its groups, and what is set where it holds.

    An empty group is null. Beside it stand the pieces of the groups that nothing is set over.
    """
    which, columns, pieces = fit(text, [reading.pattern for reading in readings], names, whole, filled=True)
    fixed = [name for name in sorted(names) if any(name in reading.set for reading in readings)]
    for name in fixed:
        values = {place: reading.set[name] for place, reading in enumerate(readings) if name in reading.set}
        columns = columns.with_columns(_over(columns, name, _translated(pl.Series(which), values)))
    single = [name for name in columns.columns if name in block.lists and columns[name].dtype == pl.String]
    columns = columns.with_columns(coerced(pl.col(name), pl.String, LISTS).alias(name) for name in single)
    return columns, {name: each for name, each in pieces.items() if name not in fixed and name not in single}


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


def _over_own(frame: pl.DataFrame, column: pl.Series) -> pl.Series | pl.Expr:
    """Return a column, and where it has no value what the frame has."""
    if column.name not in frame.columns or not column.has_nulls():
        return column
    if pl.List in (column.dtype, frame.schema[column.name]):
        return _column(frame, column, pl.arange(frame.height, eager=True))
    return pl.coalesce(pl.lit(column), pl.col(column.name)).alias(column.name)


def _with_all(frame: pl.DataFrame, names: frozenset[str]) -> pl.DataFrame:
    return frame.with_columns(nulls(name, frame.height) for name in sorted(names) if name not in frame.columns)
