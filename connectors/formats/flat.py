r"""Reads flat JSON lines with Polars: text columns of the keys asked for.

    {"EventID": 1, "Image": "C:\\\\a.exe"}

Polars reads flat text columns many times faster than anything nested. It fails as a whole on one bad line, so bad lines
are found by halving; and it writes arrays and objects as text that a string might hold as well, so lines with such
cells are given up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.formats.frames import placed
from connectors.formats.survey import Keys

FAILURES: Final = 40  # failed readings of one batch before the rest of it is given up
SMALL: Final = 64  # lines that are not worth halving again
CHUNK: Final = 8192  # lines read at once: larger texts cost more where one line is bad than they save
DOUBTFUL_CELL: Final = r'^(?:\[(?:\]|["\[{\d-]|true|false|null)|\{["}])'  # what an array or object looks like


@dataclass(frozen=True, slots=True)
class Columns:
    """A column per key, and the lines that another reader must read."""

    columns: dict[str, pl.Series]
    failed: pl.Series


def read(lines: pl.Series, keys: Keys, nested: pl.Series, text: bytes | None = None) -> Columns:
    """Read the keys; `nested` says which lines have an array or an object as a value.

    `text` may hold the lines as they stood in one piece; what is found in it where a line was changed doesn't count.
    """
    common = keys.common or ("",)  # one key at least, to tell bad lines
    frame, failed = _whole(text, lines.len(), common) or _read(lines, common)
    columns = {key: frame[key] for key in keys.common}
    if keys.rare:
        part, lost = _read(lines.gather(keys.rows), keys.rare)
        columns.update({column.name: placed(column, keys.rows, lines.len()) for column in part})
        failed = failed.scatter(keys.rows.filter(lost), values=True) if lost.any() else failed
    if nested.any():
        rows = nested.arg_true()
        failed = failed.scatter(rows, failed.gather(rows) | _doubtful([one.gather(rows) for one in columns.values()]))
    return Columns(columns, failed)


def _doubtful(columns: Sequence[pl.Series]) -> pl.Series:
    """Say which lines have a cell that may be an array or an object."""
    frame = pl.DataFrame([column.alias(str(number)) for number, column in enumerate(columns)])
    told = frame.select(pl.any_horizontal(pl.all().str.contains(DOUBTFUL_CELL)).alias("told"))
    return told.to_series().fill_null(value=False)


def _whole(text: bytes | None, height: int, keys: Collection[str]) -> tuple[pl.DataFrame, pl.Series] | None:
    """Read all lines at once from their text; None where that doesn't go."""
    if text is None or not text.startswith(b"{"):
        return None
    try:
        frame = pl.read_ndjson(text, schema=dict.fromkeys(keys, pl.String()))
    except pl.exceptions.PolarsError:
        return None
    return (frame, pl.repeat(value=False, n=height, dtype=pl.Boolean, eager=True)) if frame.height == height else None


def _read(lines: pl.Series, keys: Collection[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Read what can be read; say which lines couldn't."""
    schema = pl.Schema(dict.fromkeys(keys, pl.String()))
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
