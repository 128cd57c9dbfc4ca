"""Cuts lines of `key=value` pairs into a column per key, as machine code finds them (`tokens`)."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Bytes, piece, texts_at
from connectors.formats import tokens
from connectors.formats.pairs import NAMES
from connectors.formats.signs import Signs
from connectors.patterns.letters import LETTERS, NO, SIZE, YES, known

SALT: Final = np.uint64(secrets.randbits(64) | 1)
INNER: Final = frozenset(b".-/[]0123456789") | LETTERS


class Cut(NamedTuple):
    """Columns by key, which lines have pairs, and the places of lines that only patterns can tell."""

    columns: dict[str, pl.Series]
    good: pl.Series
    odd: pl.Series


def cut(lines: pl.Series, signs: Signs, wanted: Collection[str] | None) -> Cut:
    """Return the wanted columns, or one of every key; of equal keys in a line the first counts."""
    texts = piece(lines)
    names = sorted(wanted or ())
    data = np.concatenate([texts.data, np.frombuffer("".join(names).encode(), np.uint8)])
    keys = _keys(data, texts.data.size, [len(name.encode()) for name in names], opened=wanted is None)
    room = sum(int(np.count_nonzero(data == sign)) for sign in signs.equals.encode()) + 1
    found = tokens.Found(*(np.empty(size, np.int32) for size in (room, room, room, room, lines.len())))
    total = tokens.pairs(data, texts.starts, texts.ends, _bytes(signs), keys, wanted is None, found)
    count = int(keys.total[0])
    begins, sizes = np.zeros((count, lines.len()), np.int32), np.full((count, lines.len()), tokens.NOWHERE, np.int32)
    tokens.placed(found, total, begins, sizes)
    if wanted is None:
        places = zip(keys.starts[:count].tolist(), keys.sizes[:count].tolist(), strict=True)
        names = [data[at : at + size].tobytes().decode() for at, size in places]
    columns = {column.name: column for column in texts_at(lines, names, begins, sizes).iter_columns()}
    return Cut(columns, pl.Series(found.pairs > 0), pl.Series(np.flatnonzero(found.pairs == tokens.ODD)))


def _keys(data: Bytes, at: int, sizes: list[int], *, opened: bool) -> tokens.Keys:
    """Return a table of the keys that stand one after the other from a place on."""
    most = NAMES if opened else len(sizes)
    table = np.full(1 << (4 * most + 4).bit_length(), tokens.NOWHERE, np.int32)
    keys = tokens.Keys(np.empty(most, np.int64), np.empty(most, np.int64), table, np.zeros(1, np.int64), SALT)
    for size in sizes:
        tokens.numbered(data, at, size, keys, True)
        at += size
    return keys


def _bytes(signs: Signs) -> tokens.Signs:
    ends = _class(frozenset(signs.separator.encode())) if signs.separator else np.frombuffer(known("s"), np.uint8)
    quotes = np.frombuffer(signs.quotes.encode(), np.uint8)
    return tokens.Signs(_class(INNER), _class(LETTERS), _class(frozenset(signs.equals.encode())), ends, quotes)


def _class(members: frozenset[int]) -> npt.NDArray[np.uint8]:
    return np.array([YES if byte in members else NO for byte in range(SIZE)], np.uint8)
