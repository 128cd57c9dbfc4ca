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

from connectors.formats.exact import DEPTH, Object, Text, Value, loads, text
from connectors.formats.frames import scatter

ERROR: Final = "error.message"
COLUMNS: Final = 2000  # distinct names that one batch may bring; a hostile log could name a million
FAILURES: Final = 40  # failed fast readings of one batch before the rest of it is read exactly
SMALL: Final = 64  # lines that are cheaper to read exactly than to halve again

CHUNK: Final = 8192  # lines read at once: larger texts cost more in memory than they save in calls

# What an array looks like in a text cell, and an XML element with attributes as the EVTX readers write it; and what a
# line has that holds one. A string may look the same, so the line is read again. Polars also writes control characters
# of an object's strings as they are.
DOUBTFUL_CELL: Final = r'^(?:\[(?:\]|["\[{\d-]|true|false|null)|\{"[#@]|(?s:\{.*[\x00-\x1f]))'
DOUBTFUL_LINE: Final = r":\s*[\[{]"

Path: TypeAlias = tuple[str, ...]
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


def read(original: pl.Series, reading: Reading, *, everything: bool = False) -> pl.DataFrame:
    """Return one column per name and `error.message`, as high as `original`.

    A name that no record has is an all-null column. `everything` asks for whatever the records hold.
    """
    lines = original.to_list()
    if everything or not lines or not reading.paths:
        return _exact(lines, reading, None if everything else reading.paths)
    doubtful = _doubtful_lines(original, reading.doubt)
    for row in doubtful.arg_true():
        lines[row] = "{}"
    fast, failed = _fast(lines, reading)
    rows = (doubtful | failed | _doubtful_cells(original, fast)).arg_true()
    fast = fast.with_columns(pl.lit(None, pl.String).alias(ERROR))
    if rows.is_empty():
        return fast
    return scatter(fast, rows, _exact(original.gather(rows).to_list(), reading, reading.paths))


def _doubtful_lines(original: pl.Series, doubt: pl.Expr | None) -> pl.Series:
    line = pl.col("line")
    told = (
        line.is_null()
        | line.str.contains("\n", literal=True)
        | ~line.str.contains(r"[^ \t\r]")
        | line.str.contains(r"\\u[dD][89a-fA-F]")  # half a pair would become a NUL
        | (line.str.count_matches("[", literal=True) > DEPTH // 2)
        | (line.str.count_matches("{", literal=True) > DEPTH // 2)
    )
    if doubt is not None:
        told = told | doubt
    return original.alias("line").to_frame().select(told.fill_null(value=True)).to_series()


def _doubtful_cells(original: pl.Series, frame: pl.DataFrame) -> pl.Series:
    rows = original.str.contains(DOUBTFUL_LINE).fill_null(value=False).arg_true()
    told = pl.any_horizontal(pl.col(name).str.contains(DOUBTFUL_CELL) for name in frame.columns)
    cells = frame[rows].select(told.fill_null(value=False)).to_series()
    return pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True).scatter(rows.filter(cells), values=True)


def _fast(lines: list[str], reading: Reading) -> tuple[pl.DataFrame, pl.Series]:
    frames: list[pl.DataFrame] = []
    failed = pl.repeat(value=False, n=len(lines), dtype=pl.Boolean, eager=True)
    for names in _compatible(reading.paths):
        tree = _tree(path for name in names for path in reading.paths[name])
        frame, bad = _project(lines, _schema(tree))
        frames.append(frame.select(_coalesced(names, reading.paths)))
        failed = failed | bad
        if reading.marker and reading.marker[0] in tree:
            failed = failed | frame.select(_at(reading.marker).is_null()).to_series()
    return pl.concat(frames, how="horizontal"), failed


def _coalesced(names: Sequence[str], paths: Mapping[str, Sequence[Path]]) -> Iterator[pl.Expr]:
    for name in names:
        yield pl.coalesce([_at(path) for path in paths[name]]).alias(name)


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


def _project(lines: list[str], schema: pl.Schema) -> tuple[pl.DataFrame, pl.Series]:
    """Read what can be read; say which lines couldn't."""
    failures = 0

    def halves(part: list[str]) -> Iterator[tuple[pl.DataFrame, bool]]:
        nonlocal failures
        if failures <= FAILURES or len(part) <= SMALL:
            try:  # a blank line first: Polars would unpack text that begins like zlib, gzip or zstd data
                frame = pl.read_ndjson("\n".join(["", *part]).encode(), schema=schema)
            except pl.exceptions.PolarsError:
                failures += 1
            else:
                if frame.height == len(part):
                    yield frame, False
                    return
        if len(part) <= SMALL or failures > FAILURES:
            yield pl.DataFrame({name: [None] * len(part) for name in schema}, schema=schema), True
            return
        middle = len(part) // 2
        yield from halves(part[:middle])
        yield from halves(part[middle:])

    pieces = [piece for start in range(0, len(lines), CHUNK) for piece in halves(lines[start : start + CHUNK])]
    bad = [pl.Series("failed", [failed]).new_from_index(0, frame.height) for frame, failed in pieces]
    return pl.concat(frame for frame, _ in pieces), pl.concat(bad)


def _exact(lines: Sequence[str | None], reading: Reading, names: Iterable[str] | None) -> pl.DataFrame:
    rows: list[dict[str, Text]] = []
    errors: list[str | None] = []
    columns = dict.fromkeys(names or ())
    for line in lines:
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
