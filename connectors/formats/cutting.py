"""Cuts lines into a column per key, as machine code finds them (`tokens`, `extension`, `structured`, `elements`)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Piece, piece, texts_at
from connectors.formats import audit_pairs, elements, extension, tokens
from connectors.formats import structured as fields
from connectors.formats.pairs import NAMES
from connectors.formats.signs import Signs
from connectors.native import WIDTH, Bytes
from connectors.patterns.letters import LETTERS, NO, SIZE, YES, known, one, union

SALT: Final = np.uint64(secrets.randbits(64) | 1)
INNER: Final = frozenset(b".-/[]0123456789") | LETTERS
SPARE: Final = 1 << 18  # bytes for keys that are put together
Scan = Callable[[Bytes, tokens.Keys, tokens.Found], int]  # returns how many pairs have columns


class Search(NamedTuple):
    """What finds pairs in a text: so many at most, with so many bytes to put keys together."""

    texts: Piece
    room: int
    scan: Scan
    spare: int = 0


class Cut(NamedTuple):
    """Columns by key, which lines have pairs, and the places of lines that only patterns can tell."""

    columns: dict[str, pl.Series]
    good: pl.Series
    odd: pl.Series


def cut(texts: Piece, signs: Signs, wanted: Collection[str] | None) -> Cut:
    """Return the wanted columns, or one of every key; of equal keys in a line the first counts."""
    room = sum(int(np.count_nonzero(texts.data == sign)) for sign in signs.equals.encode()) + 1
    meant = _bytes(signs)

    def scan(data: Bytes, keys: tokens.Keys, found: tokens.Found) -> int:
        return tokens.pairs(data, texts.starts, texts.ends, meant, keys, wanted is None, found)

    columns, found = _placed(Search(texts, room, scan), sorted(wanted or ()), opened=wanted is None)
    return Cut(columns, pl.Series(found.pairs > 0), pl.Series(np.flatnonzero(found.pairs == tokens.ODD)))


class Extended(NamedTuple):
    """The same with parts of headers that were asked for; `escaped` are keys whose values hold escapes."""

    cut: Cut
    heads: pl.DataFrame
    escaped: frozenset[str]


def extended(lines: pl.Series, wanted: Collection[str] | None, parts: Sequence[str]) -> Extended:
    """Return the wanted keys of CEF's extensions, or all; and parts of its headers."""
    letters = extension.Letters(_class(INNER - frozenset(b"/")), _class(LETTERS))

    def read(texts: Piece, data: Bytes, keys: tokens.Keys, made: Made) -> int:
        return extension.read(data, texts.starts, texts.ends, letters, keys, wanted is None, *made)

    return _extended(lines, wanted, parts, Form(extension.PARTS, extension.EQUALS, read))


def structured(lines: pl.Series, wanted: Collection[str] | None, parts: Sequence[str]) -> Extended:
    """Return the wanted parameters of RFC 5424, or all, as `element.name`; and parts of its header."""

    def read(texts: Piece, data: Bytes, keys: tokens.Keys, made: Made) -> int:
        room = fields.Room(data.size, np.array([data.size - SPARE], np.int64))
        return fields.read(data, texts.starts, texts.ends, keys, wanted is None, room, *made)

    return _extended(lines, wanted, parts, Form(fields.PARTS, fields.EQUALS, read, SPARE))


def tagged(lines: pl.Series, asked: Mapping[str, str], wanted: Collection[str] | None) -> tuple[Cut, frozenset[str]]:
    """Return elements' texts or attributes, and named data, all or wanted; and which columns may hold entities.

    `asked` has an attribute, or nothing for the text, per element; its columns are named `<element`.
    """
    texts = piece(lines)
    names = [*(f"<{element}" for element in asked), *sorted(wanted or ())]
    escaped = np.zeros(NAMES if wanted is None else len(names), np.uint8)
    sizes = np.array([*map(len, asked.values())] + [0] * (len(names) - len(asked)), np.int64)
    letters = np.frombuffer("".join(asked.values()).encode(), np.uint8)
    attributes = elements.Attributes(letters, np.cumsum(sizes) - sizes, sizes)

    def scan(data: Bytes, keys: tokens.Keys, found: tokens.Found) -> int:
        opened = wanted is None
        inner = _class(elements.INNER)
        return elements.read(data, texts.starts, texts.ends, inner, keys, opened, attributes, found, escaped)

    room = int(np.count_nonzero(texts.data == elements.LESS)) + 1
    columns, found = _placed(Search(texts, room, scan, WIDTH), names, opened=wanted is None)
    cut = Cut(columns, pl.Series(found.pairs >= 0), pl.Series(np.flatnonzero(found.pairs == tokens.ODD)))
    return cut, frozenset(name for name, holds in zip(columns, escaped, strict=False) if holds)


class Audited(NamedTuple):
    """Columns by key, the places of lines that only patterns can tell, and those where a key has hexadecimal digits."""

    columns: dict[str, pl.Series]
    odd: pl.Series
    digits: dict[str, pl.Series]


def audited(texts: Piece, wanted: Collection[str] | None) -> Audited:
    """Return the wanted keys of audit records, or all; of equal keys in a record the first counts."""
    room = int(np.count_nonzero(texts.data == audit_pairs.EQUALS)) + 1
    ends = np.frombuffer(union(known("s"), union(one("'"), one('"'))), np.uint8)
    letters = audit_pairs.Letters(_class(LETTERS | frozenset(b"-0123456789")), _class(LETTERS), ends)
    rows = np.full(NAMES if wanted is None else len(wanted), tokens.NOWHERE, np.int32)
    told = audit_pairs.Told(rows, np.zeros(room, np.uint8))

    def scan(data: Bytes, keys: tokens.Keys, found: tokens.Found) -> int:
        total = audit_pairs.read(data, texts.starts, texts.ends, letters, keys, wanted is None, told, found)
        told.digits[total:] = NO
        return total

    columns, found = _placed(Search(texts, room, scan), sorted(wanted or ()), opened=wanted is None)
    there = np.flatnonzero(told.digits)
    owners = found.columns[there]
    digits = {name: pl.Series(found.rows[there[owners == place]]) for place, name in enumerate(columns)}
    return Audited(columns, pl.Series(np.flatnonzero(found.pairs == tokens.ODD)), digits)


class Made(NamedTuple):
    """What a reader of headers and of pairs fills: places of parts, pairs, and which keys hold escapes."""

    heads: extension.Heads
    found: tokens.Found
    escaped: Bytes


class Form(NamedTuple):
    """How lines with a header and pairs are read: the parts of the header, the sign between a key and its value."""

    parts: Sequence[str]
    equals: int
    read: Callable[[Piece, Bytes, tokens.Keys, Made], int]
    spare: int = 0


def _extended(lines: pl.Series, wanted: Collection[str] | None, parts: Sequence[str], form: Form) -> Extended:
    texts = piece(lines)
    heads = extension.Heads(*(np.empty((len(form.parts), lines.len()), np.int32) for _ in range(2)))
    escaped = np.zeros(NAMES if wanted is None else len(wanted), np.uint8)

    def scan(data: Bytes, keys: tokens.Keys, found: tokens.Found) -> int:
        return form.read(texts, data, keys, Made(heads, found, escaped))

    room = int(np.count_nonzero(texts.data == form.equals)) + 1
    made = _placed(Search(texts, room, scan, form.spare), sorted(wanted or ()), opened=wanted is None)
    heads.sizes[:, made[1].pairs < 0] = tokens.NOWHERE
    return _with_heads(texts, made, heads, {part: form.parts.index(part) for part in parts}, escaped)


def _with_heads(
    texts: Piece,
    made: tuple[dict[str, pl.Series], tokens.Found],
    heads: extension.Heads,
    parts: Mapping[str, int],
    escaped: Bytes,
) -> Extended:
    columns, found = made
    places = [*parts.values()]
    headers = texts_at(texts, [*parts], heads.begins[places], heads.sizes[places])
    told = Cut(columns, pl.Series(found.pairs >= 0), pl.Series(np.flatnonzero(found.pairs == tokens.ODD)))
    return Extended(told, headers, frozenset(name for name, holds in zip(columns, escaped, strict=False) if holds))


def _placed(search: Search, names: list[str], *, opened: bool) -> tuple[dict[str, pl.Series], tokens.Found]:
    """Return a column per key of these names, and where it's `opened`, of all others that are found."""
    texts, room, scan, spare = search
    lines = texts.starts.size
    data = np.concatenate([texts.data, np.frombuffer("".join(names).encode(), np.uint8), np.zeros(spare, np.uint8)])
    keys = _keys(data, texts.data.size, [len(name.encode()) for name in names], opened=opened)
    found = tokens.Found(*(np.empty(size, np.int32) for size in (room, room, room, room, lines)))
    total = scan(data, keys, found)
    count = int(keys.total[0])
    begins, sizes = np.zeros((count, lines), np.int32), np.full((count, lines), tokens.NOWHERE, np.int32)
    tokens.placed(found, total, begins, sizes)
    if opened:
        places = zip(keys.starts[:count].tolist(), keys.sizes[:count].tolist(), strict=True)
        names = [data[at : at + size].tobytes().decode() for at, size in places]
    return {column.name: column for column in texts_at(texts, names, begins, sizes).iter_columns()}, found


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
    inner = INNER | frozenset(b" ()") if signs.blanks else INNER
    last = LETTERS | frozenset(b"0123456789)") if signs.blanks else INNER
    equals = _class(frozenset(signs.equals.encode()))
    return tokens.Signs(_class(inner), _class(LETTERS), _class(last), equals, ends, quotes)


def _class(members: frozenset[int]) -> npt.NDArray[np.uint8]:
    return np.array([YES if byte in members else NO for byte in range(SIZE)], np.uint8)
