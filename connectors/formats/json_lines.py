"""Reads JSON lines into text columns: Polars for what it reads exactly, `exact` for every other line.

The fast way projects the wanted paths in one pass (`pl.read_ndjson` with a schema of them). It fails as a whole on one
bad line, and it can't tell an array from a string that looks like one; so bad lines are found by halving, and doubtful
cells are read again from their line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl

from connectors.formats.exact import Object, Text, Value, loads, text
from connectors.formats.frames import scatter
from connectors.formats.survey import Path, survey

ERROR: Final = "error.message"
COLUMNS: Final = 2000  # distinct names that one batch may bring; a hostile log could name a million
FAILURES: Final = 40  # failed fast readings of one batch before the rest of it is read exactly
SMALL: Final = 64  # lines that are cheaper to read exactly than to halve again

CHUNK: Final = 8192  # lines read at once: larger texts cost more where one line is bad than they save

# What an array looks like in a text cell, and an XML element with attributes as the EVTX readers write it. A string may
# look the same, so the line is read again; as when control characters stand in an object, which Polars doesn't escape.
DOUBTFUL_CELL: Final = r'^(?:\[(?:\]|["\[{\d-]|true|false|null)|\{"[#@]|(?s:\{.*[\x00-\x1f]))'

Tree: TypeAlias = "dict[str, Tree]"  # an empty tree is a leaf


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read a kind of record: where the fast reader looks for each name, and the exact reader's whole answer.

    `marker` is a path to an object that every record of this kind has; a record without it is read exactly.
    `values` gets the record and the names wanted (None: all it has).
    """

    paths: Mapping[str, Sequence[Path]]
    values: Callable[[Object, Iterable[str] | None], Mapping[str, Value]]
    marker: Path | None = None
    doubt: pl.Expr | None = None  # of a line: only the exact reader can tell


def read(original: pl.Series, reading: Reading) -> pl.DataFrame:
    """Return one column per name and `error.message`, as high as `original`; a name that no record has is all null."""
    if original.is_empty() or not reading.paths:
        return exactly(original, reading, reading.paths)
    seen = survey(original, reading.paths, reading.doubt)
    lines = original.set(seen.doubtful, "{}") if seen.doubtful.any() else original
    fast, failed = _fast(lines, seen.pruned(reading.paths), reading)
    rows = (seen.doubtful | failed | _doubtful_cells(seen.nested, fast)).arg_true()
    fast = fast.with_columns(pl.lit(None, pl.String).alias(ERROR))
    if not rows.is_empty():
        fast = scatter(fast, rows, exactly(original.gather(rows), reading, reading.paths))
    return fast.select(*[_there(name, fast) for name in reading.paths], ERROR)


def _there(name: str, frame: pl.DataFrame) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)


def _doubtful_cells(nested: pl.Series, frame: pl.DataFrame) -> pl.Series:
    rows = nested.arg_true()
    if rows.is_empty():
        return nested
    part = frame if rows.len() == frame.height else frame[rows]
    told = pl.any_horizontal(pl.col(name).str.contains(DOUBTFUL_CELL) for name in part.columns)
    return nested.scatter(rows, part.select(told.fill_null(value=False)).to_series())


def _fast(lines: pl.Series, pruned: dict[str, list[Path]], reading: Reading) -> tuple[pl.DataFrame, pl.Series]:
    """Return the columns that have any value, and which lines couldn't be read."""
    frames = []
    failed = pl.repeat(value=False, n=lines.len(), dtype=pl.Boolean, eager=True)
    paths = _kept(pruned, reading)
    for names in _compatible(paths):
        tree = _tree(path for name in names for path in paths[name])
        frame, bad = _project(lines, _schema(tree))
        frames.append(frame.select(_coalesced(names, paths)))
        failed = failed | bad
        if reading.marker and reading.marker[0] in tree:
            failed = failed | frame.select(_at(reading.marker).is_null()).to_series()
    return pl.concat(frames, how="horizontal"), failed


def _kept(paths: dict[str, list[Path]], reading: Reading) -> dict[str, list[Path]]:
    """Return the names that have a path: at least one name, below the marker if any was there, to tell bad lines."""
    kept = {name: places for name, places in paths.items() if places}
    every = [(name, path) for name, places in reading.paths.items() for path in places]
    below = [(name, path) for name, path in every if reading.marker and path[0] == reading.marker[0]] or every
    if not any(path in kept.get(name, ()) for name, path in below):
        name, path = below[0]
        kept[name] = [*kept.get(name, []), path]
    return kept


def _coalesced(names: Sequence[str], paths: Mapping[str, Sequence[Path]]) -> Iterator[pl.Expr]:
    for name in names:
        places = [_at(path) for path in paths[name]]
        yield (pl.coalesce(places) if len(places) > 1 else places[0]).alias(name)


def _at(path: Path) -> pl.Expr:
    column = pl.col(path[0])
    for key in path[1:]:
        column = column.struct.field(key)
    return column


def _compatible(paths: Mapping[str, Sequence[Path]]) -> list[list[str]]:
    """Group names so that within a group no path leads through another one's end (`a` beside `a.b`)."""
    groups: list[tuple[list[str], set[Path], set[Path]]] = []
    for name, places in paths.items():
        ends = set(places)
        inner = {path[:length] for path in ends for length in range(1, len(path))}
        for members, known_ends, known_inner in groups:
            if not (ends & known_inner or inner & known_ends or ends & inner):
                members.append(name)
                known_ends.update(ends)
                known_inner.update(inner)
                break
        else:
            groups.append(([name], ends, inner))
    return [members for members, _, _ in groups]


def _tree(paths: Iterable[Path]) -> Tree:
    root: Tree = {}
    for path in paths:
        node = root
        for key in path:
            node = node.setdefault(key, {})
    return root


def _schema(tree: Tree) -> pl.Schema:
    return pl.Schema({key: pl.Struct(_schema(below)) if below else pl.String() for key, below in tree.items()})


def _project(lines: pl.Series, schema: pl.Schema) -> tuple[pl.DataFrame, pl.Series]:
    """Read what can be read; say which lines couldn't."""
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
