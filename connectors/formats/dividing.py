"""Cuts delimited lines into columns, as machine code finds their values (`values`)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Piece, piece, texts_at
from connectors.formats import values
from connectors.native import Places, Spans
from connectors.patterns import fit

WHOLE: Final = "^(.*)$"
GROUP: Final = re.compile(r"(?<!\\)\((?!\?)")
Flags = npt.NDArray[np.bool_]


class Options(Protocol):
    """What tells how lines are cut: those of `delimited`."""

    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def layouts(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def by(self) -> int: ...
    @property
    def separator(self) -> str: ...
    @property
    def start(self) -> str: ...
    @property
    def least(self) -> int: ...


class Divided(NamedTuple):
    """Columns, what stands before the values, which lines have any, and the places of those that patterns can tell."""

    columns: dict[str, pl.Series]
    head: pl.Series
    good: pl.Series
    odd: pl.Series


def divided(lines: pl.Series, options: Options, wanted: Collection[str] | None) -> Divided | None:
    """Return the wanted columns, or all; None where the machine can't tell where values begin."""
    texts = piece(lines)
    body = _body(texts, options.start)
    if body is None:
        return None
    starts, ends, doubt = body
    separator, good = ord(options.separator), np.empty(lines.len(), np.uint8)
    values.counted(texts.data, starts, ends, separator, options.least, good)
    kinds, names = _layouts(lines, texts, (starts, ends), options)
    kinds[good == 0] = values.NOWHERE
    chosen, slots = _slots(names, wanted)
    begins, sizes = np.zeros((2, len(chosen), lines.len()), np.int32)
    sizes[:] = values.NOWHERE
    doubled, odd = np.zeros(len(chosen), np.uint8), np.empty(lines.len(), np.uint8)
    values.read(texts.data, starts, ends, separator, kinds, slots, begins, sizes, doubled, odd)
    begins += (starts - texts.starts).astype(np.int32)
    made = {column.name: column for column in texts_at(texts, chosen, begins, sizes).iter_columns()}
    for name, twice in zip(chosen, doubled, strict=True):
        made[name] = made[name].str.replace_all('""', '"', literal=True) if twice else made[name]
    head = np.where(good == 1, starts - texts.starts, values.NOWHERE).astype(np.int32)
    heads = texts_at(texts, ["head"], np.zeros((1, lines.len()), np.int32), head[None])["head"]
    return Divided(made, heads, pl.Series(good == 1), pl.Series(np.flatnonzero(doubt | (odd == 1))))


def _body(texts: Piece, start: str) -> tuple[Places, Places, Flags] | None:
    """Return where the values of each line begin and end, and where only Polars can tell."""
    if start == WHOLE:
        return texts.starts, texts.ends, np.zeros(texts.starts.size, np.bool_)
    found = fit.place(texts, "(?s)" + GROUP.sub("(?P<body>", start, count=1), "body")
    if found is None:
        return None
    starts = texts.starts + np.where(found.sizes < 0, 0, found.begins)
    return starts, np.where(found.sizes < 0, -1, starts + found.sizes), found.odd


def _layouts(
    lines: pl.Series, texts: Piece, body: tuple[Places, Places], options: Options
) -> tuple[Spans, list[Sequence[str]]]:
    """Return the number of each line's layout, and the names of each; the last is for lines of no other."""
    names = [*options.layouts.values(), options.columns]
    if not options.layouts:
        return np.zeros(lines.len(), np.int32), names
    starts, ends = body
    begins, sizes = np.empty((2, lines.len()), np.int32)
    values.nth(texts.data, starts, ends, ord(options.separator), options.by, begins, sizes)
    begins += (starts - texts.starts).astype(np.int32)
    key = texts_at(texts, ["key"], begins[None], sizes[None])["key"]
    known: dict[str, int] = {}
    for number, kinds in enumerate(options.layouts):
        known |= dict.fromkeys(kinds.split("|"), number)
    told = key.replace_strict(known, default=len(options.layouts), return_dtype=pl.Int32)
    return told.fill_null(len(options.layouts)).to_numpy().copy(), names


def _slots(layouts: Sequence[Sequence[str]], wanted: Collection[str] | None) -> tuple[list[str], Spans]:
    """Return the columns that are made, and the number of each by layout and place."""
    every = [{name: place for place, name in enumerate(names) if name != "_"} for names in layouts]
    chosen = [
        name for name in dict.fromkeys(name for each in every for name in each) if wanted is None or name in wanted
    ]
    numbers = {name: number for number, name in enumerate(chosen)}
    places = [
        (layout, place, numbers[name])
        for layout, each in enumerate(every)
        for name, place in each.items()
        if name in numbers
    ]
    slots = np.full((len(layouts), max((place for _, place, _ in places), default=-1) + 1), values.NOWHERE, np.int32)
    for layout, place, number in places:
        slots[layout, place] = number
    return chosen, slots
