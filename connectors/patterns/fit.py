"""The groups of the first of some patterns that a text fits, as columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Piece, part, piece, texts_at
from connectors.grok import groups
from connectors.native import Spans
from connectors.needles import possible, seen_in
from connectors.warm import WARMTH

if TYPE_CHECKING:
    from connectors.patterns.program import Program

Which = npt.NDArray[np.int16]
NONE: Final = -1


class Fit(NamedTuple):
    """Per text the number of the first pattern that it fits, -1 for none; and a column per named group of any.

    `pieces` are those of the columns that stand where the texts do, so that nobody need put them together.
    """

    which: Which
    columns: pl.DataFrame
    pieces: Mapping[str, Piece] = {}


def fit(
    texts: pl.Series,
    patterns: Sequence[str],
    wanted: Collection[str] | None = None,
    whole: Piece | None = None,
    *,
    filled: bool = False,
) -> Fit:
    """Return what Polars would find with one pattern after the other: the wanted groups, or all.

    A group that took no part is null, and where all are to be `filled` an empty one as well. `whole` is the piece of
    the texts, where somebody has it.
    """
    names = tuple(name for name in named(patterns) if wanted is None or name in wanted)
    if patterns and WARMTH.worth(texts.len()):
        found = _as_machine_code(texts, whole, tuple(patterns), names, filled=filled)
        if found is not None:
            return found
    return _by_polars(texts, patterns, names, filled=filled)


def named(patterns: Sequence[str]) -> list[str]:
    """Return the names of the groups of patterns."""
    return list(dict.fromkeys(name for pattern in patterns for name in groups(pattern)))


def _as_machine_code(
    texts: pl.Series, whole: Piece | None, patterns: tuple[str, ...], names: tuple[str, ...], *, filled: bool
) -> Fit | None:
    from connectors.patterns.program import program  # noqa: PLC0415 - few texts do without
    from connectors.patterns.reading import ODD  # noqa: PLC0415

    instructions = program(patterns, names)
    if instructions is None:
        return None
    whole = piece(texts) if whole is None else whole
    which, begins, sizes = _run(whole, instructions, len(names))
    if filled:
        sizes[sizes == 0] = NONE
    columns = texts_at(whole, names, begins, sizes)
    odd = np.flatnonzero(which == ODD)
    if not odd.size:
        return Fit(which, columns, {name: part(whole, *at) for name, *at in zip(names, begins, sizes, strict=True)})
    other = _by_polars(texts.gather(odd), patterns, names, filled=filled)
    which[odd] = other.which
    columns = columns.with_columns(columns[column.name].scatter(odd, column) for column in other.columns.iter_columns())
    return Fit(which, columns)


def _run(texts: Piece, instructions: Program, count: int) -> tuple[Which, Spans, Spans]:
    from connectors.patterns import machine  # noqa: PLC0415

    which = np.empty(texts.starts.size, np.int16)
    begins, sizes = np.empty((2, count, texts.starts.size), np.int32)
    found = machine.Found(which, begins, sizes)
    machine.fit(*texts, instructions, found, machine.scratch(count, instructions.shares.depths.size))
    return which, begins, sizes


class Place(NamedTuple):
    """Where a group stands in each text, a size being negative where it does not; and which texts Polars must tell."""

    begins: Spans
    sizes: Spans
    odd: npt.NDArray[np.bool_]


def place(texts: Piece, pattern: str, name: str) -> Place | None:
    """Return where a pattern's group stands; None where the pattern is not for the machine."""
    from connectors.patterns.program import program  # noqa: PLC0415
    from connectors.patterns.reading import ODD  # noqa: PLC0415

    instructions = program((pattern,), (name,))
    if instructions is None:
        return None
    which, begins, sizes = _run(texts, instructions, 1)
    return Place(begins[0], sizes[0], which == ODD)


def _by_polars(texts: pl.Series, patterns: Sequence[str], names: Sequence[str], *, filled: bool) -> Fit:
    which = np.full(texts.len(), NONE, np.int16)
    nothing = pl.repeat(None, texts.len(), dtype=pl.String, eager=True)
    columns = pl.DataFrame(height=texts.len()).with_columns(nothing.alias(name) for name in names)
    left, seen = np.arange(texts.len()), seen_in(texts)
    for number, pattern in enumerate(patterns):
        if not possible(pattern, seen):
            continue
        some = texts.gather(left)
        held = some.str.contains(pattern).fill_null(value=False).to_numpy()  # groups cost more than a look
        rows, left = left[held], left[~held]
        if not rows.size:
            continue
        which[rows] = number
        if found := [name for name in groups(pattern) if name in names]:
            parts = texts.gather(rows).str.extract_groups(pattern).struct.unnest().select(found)
            columns = columns.with_columns(columns[part.name].scatter(rows, part) for part in parts.iter_columns())
        if not left.size:
            break
    if filled:
        columns = columns.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)) for name in names)
    return Fit(which, columns)
