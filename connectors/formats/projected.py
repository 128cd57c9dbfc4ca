r"""Reads wanted paths of JSON lines with Polars, level by level.

Polars reads flat text columns many times faster than structs, and gives an inner object as JSON text: what stands below
is read from that text in the same way. A bad line makes a whole reading fail, so bad lines are found by halving.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.formats.survey import INNER_VALUE, Path

FAILURES: Final = 40  # failed readings of one batch before the rest of it is given up
SMALL: Final = 64  # lines that are not worth halving again
CHUNK: Final = 8192  # lines read at once: larger texts cost more where one line is bad than they save

# What an array looks like in a text cell, and an XML element with attributes as the EVTX readers write it. A string may
# look the same. Polars writes control characters of an object's strings as they are.
DOUBTFUL_CELL: Final = r'^(?:\[(?:\]|["\[{\d-]|true|false|null)|\{"[#@]|(?s:\{.*[\x00-\x1f]))'
# In an object's text Polars escapes quotes but not backslashes: where those are doubled before, the text is JSON again.
TWICE: Final = {"\\\\": "\\" * 4, '\\"': '\\"', "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Projected:
    """A column per path that any line has, and which lines couldn't be read or may hold something else."""

    columns: dict[Path, pl.Series]
    failed: pl.Series


def project(lines: pl.Series, paths: Iterable[Path], nested: pl.Series, marker: str | None = None) -> Projected:
    """Read the paths; `nested` says which lines hold an array or an object as a value.

    A line without an object under `marker` counts as failed.
    """
    below: dict[str, list[Path]] = {} if marker is None else {marker: []}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    ends = [key for key, rests in below.items() if () in rests]
    inner = [key for key, rests in below.items() if key == marker or any(rests)]
    frame, failed = _read(lines, ends)
    failed = failed | _doubtful(frame, nested)
    objects, bad = _read(lines.str.replace_many(TWICE, leftmost=True) if inner else lines, inner)
    failed = failed | bad
    if marker is not None:
        failed = failed | ~objects[marker].str.starts_with("{").fill_null(value=False)
    columns: dict[Path, pl.Series] = {(key,): frame[key] for key in ends}
    for key, rests in below.items():
        deeper = [rest for rest in rests if rest]
        if deeper:
            found = _inside(objects[key], deeper)
            failed = failed | found.failed
            columns.update({(key, *path): column for path, column in found.columns.items()})
    return Projected(columns, failed)


def _inside(cells: pl.Series, paths: Collection[Path]) -> Projected:
    """Read what stands in the objects of a column; an array may hold objects too, so its line is given up."""
    there = cells.str.starts_with("{").fill_null(value=False)
    failed = cells.str.starts_with("[").fill_null(value=False)
    if not there.any():
        return Projected({}, failed)
    if there.all():
        return _objects(cells, paths)
    found = _objects(cells.filter(there), paths)
    place = pl.when(pl.col("there")).then(pl.col("there").cum_sum() - 1)
    places = there.alias("there").to_frame().select(place.cast(pl.UInt32)).to_series()
    columns = {path: column.gather(places) for path, column in found.columns.items()}
    return Projected(columns, failed | found.failed.gather(places).fill_null(value=False))


def _objects(cells: pl.Series, paths: Collection[Path]) -> Projected:
    return project(cells, paths, cells.str.contains(INNER_VALUE))


def _doubtful(frame: pl.DataFrame, nested: pl.Series) -> pl.Series:
    """Say which lines have a cell that may be an array."""
    rows = nested.arg_true()
    if rows.is_empty() or not frame.width:
        return pl.repeat(value=False, n=nested.len(), dtype=pl.Boolean, eager=True)
    part = frame if rows.len() == frame.height else frame[rows]
    told = part.select(pl.col(name).str.contains(DOUBTFUL_CELL) for name in part.columns)
    return nested.scatter(rows, told.select(pl.any_horizontal(pl.all()).fill_null(value=False)).to_series())


def _read(lines: pl.Series, names: Collection[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Read what can be read as text columns; say which lines couldn't."""
    if not names:
        return pl.DataFrame(height=lines.len()), pl.repeat(value=False, n=lines.len(), dtype=pl.Boolean, eager=True)
    schema = pl.Schema(dict.fromkeys(names, pl.String()))
    failures = 0

    def halves(part: pl.Series) -> Iterator[tuple[pl.DataFrame, bool]]:
        nonlocal failures
        if failures <= FAILURES or part.len() <= SMALL:
            try:
                frame = pl.read_ndjson(_joined(part), schema=schema)
            except pl.exceptions.PolarsError:
                failures += 1
            else:
                if frame.height == part.len():
                    yield frame, False
                    return
        if part.len() <= SMALL or failures > FAILURES:
            yield pl.DataFrame({name: [None] * part.len() for name in schema}, schema=schema), True
            return
        middle = part.len() // 2
        yield from halves(part[:middle])
        yield from halves(part[middle:])

    pieces = [piece for start in range(0, lines.len(), CHUNK) for piece in halves(lines[start : start + CHUNK])]
    bad = [pl.Series("failed", [failed]).new_from_index(0, frame.height) for frame, failed in pieces]
    return pl.concat(frame for frame, _ in pieces), pl.concat(bad)


def _joined(lines: pl.Series) -> bytes:
    """Return lines as one text; Polars would unpack one that begins like zlib, gzip or zstd data."""
    text: bytes = lines.str.join("\n").cast(pl.Binary).item()
    return text if text.startswith(b"{") else b"\n" + text
