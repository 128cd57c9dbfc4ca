r"""Reads lines of RFC 5424 as machine code: the header, the parameters of structured data, the message.

    <165>1 2025-06-14T15:16:01.003Z srv01 app 4711 ID47 [origin ip="192.0.2.1"][a b="c \"d\""] started

A parameter's key is the name of its element, a point, and its own; such keys are put together in the room behind the
lines and the keys that are asked for. Lines that aren't of this form by the letter are *odd*, and escapes stay as
they are: `escaped` says which keys hold any.
"""

from __future__ import annotations

from typing import NamedTuple

from connectors.formats.extension import Heads, wide
from connectors.formats.tokens import NOWHERE, ODD, Found, Keys, numbered
from connectors.native import Bytes, Places, compiled

QUOTE, BACKSLASH, EQUALS, OPEN, CLOSE, POINT, LESS, GREATER, DASH = b'"\\=[].<>-'
PARTS = ("priority", "timestamp", "hostname", "program", "pid", "msgid", "structured_data", "message")
WORDS, DATA, MESSAGE = 5, 6, 7  # how many words the header has, and the places of what follows them


class Room(NamedTuple):
    """Where keys may be put together, and up to where that is done (one number)."""

    end: int
    at: Places


@compiled
def read(
    data: Bytes, starts: Places, ends: Places, keys: Keys, open_: bool, room: Room, heads: Heads, found: Found,
    escaped: Bytes,
) -> int:  # fmt: skip
    """Read all lines; return how many parameters have columns. `pairs` is ODD for lines that are left to patterns."""
    total = 0
    for row in range(starts.size):
        at = headed(data, starts[row], ends[row], row, heads)
        after = ODD
        if at >= 0:
            after, at = parameters(data, at, ends[row], starts[row], row, keys, open_, room, found, total, escaped)
        if after >= 0 and not rest(data, at, ends[row], starts[row], row, heads):
            after = ODD
        if after < 0:
            found.pairs[row] = ODD
            heads.sizes[:, row] = NOWHERE
        else:
            found.pairs[row], total = after - total, after
    return total


@compiled
def headed(data: Bytes, start: int, end: int, row: int, heads: Heads) -> int:
    """Read the header; return where structured data begins, or ODD."""
    at = start
    while at < end and (data[at] == 32 or 9 <= data[at] <= 13):
        at += 1
    first = at
    while at < end and at - first < 8 and 48 <= data[at] <= 57:
        at += 1
    if at > first:
        if at - first > 7 or at == end or data[at] != 32:
            return ODD
        at += 1
    if at == end or data[at] != LESS:
        return ODD
    first = at = at + 1
    while at < end and 48 <= data[at] <= 57:
        at += 1
    if not 1 <= at - first <= 3 or at + 3 > end or data[at] != GREATER or data[at + 1] != 49 or data[at + 2] != 32:
        return ODD
    heads.begins[0, row], heads.sizes[0, row] = first - start, at - first
    at += 3
    for word in range(1, WORDS + 1):
        first = at
        while at < end and data[at] != 32:
            if 9 <= data[at] <= 13 or (data[at] >= 128 and wide(data, at, end)):
                return ODD
            at += 1
        if at == first or at == end:
            return ODD
        heads.begins[word, row], heads.sizes[word, row] = first - start, at - first
        at += 1
    heads.begins[DATA, row] = at - start
    return at


@compiled
def rest(data: Bytes, at: int, end: int, start: int, row: int, heads: Heads) -> bool:
    """Read what follows structured data; say whether it may."""
    heads.sizes[DATA, row] = at - start - heads.begins[DATA, row]
    heads.begins[MESSAGE, row], heads.sizes[MESSAGE, row] = 0, NOWHERE
    if at == end:
        return True
    if data[at] != 32:
        return False
    at += 1
    if at + 3 <= end and data[at] == 0xEF and data[at + 1] == 0xBB and data[at + 2] == 0xBF:
        at += 3
    heads.begins[MESSAGE, row], heads.sizes[MESSAGE, row] = at - start, end - at
    return True


@compiled
def name(data: Bytes, at: int, end: int) -> int:
    """Return where the name that begins here ends, ODD where none does."""
    first = at
    while at < end:
        byte = data[at]
        if byte == 32 or byte == CLOSE or byte == EQUALS:
            break
        if byte == QUOTE or 9 <= byte <= 13 or (byte >= 128 and wide(data, at, end)):
            return ODD
        at += 1
    return at if at > first else ODD


@compiled
def parameters(
    data: Bytes, at: int, end: int, start: int, row: int, keys: Keys, open_: bool, room: Room, found: Found,
    total: int, escaped: Bytes,
) -> tuple[int, int]:  # fmt: skip
    """Read structured data; return how many parameters have columns then, or ODD, and where it ends."""
    if at < end and data[at] == DASH:
        return total, at + 1
    if at == end or data[at] != OPEN:
        return ODD, at
    while at < end and data[at] == OPEN:
        element = at + 1
        at = name(data, element, end)
        if at == ODD:
            return ODD, at
        size = at - element
        while at < end and data[at] == 32:
            first = at + 1
            at = name(data, first, end)
            if at == ODD or at + 2 > end or data[at] != EQUALS or data[at + 1] != QUOTE:
                return ODD, at
            number = key(data, element, size, first, at - first, keys, open_, room)
            if number == ODD:
                return ODD, at
            begin, escapes = at + 2, False
            at = begin
            while at < end and data[at] != QUOTE:
                if data[at] == CLOSE:
                    return ODD, at
                if data[at] == BACKSLASH:
                    escapes = True
                    at += 1
                at += 1
            if at >= end:
                return ODD, at
            if number >= 0:
                found.rows[total], found.columns[total] = row, number
                found.begins[total], found.sizes[total] = begin - start, at - begin
                escaped[number] |= escapes
                total += 1
            at += 1
        if at >= end or data[at] != CLOSE:
            return ODD, at
        at += 1
    return total, at


@compiled
def key(
    data: Bytes, element: int, size: int, first: int, length: int, keys: Keys, open_: bool, room: Room
) -> int:  # fmt: skip
    """Return the number of a parameter's key, NOWHERE where it has none, ODD where there is no room for it."""
    begin, whole = room.at[0], size + 1 + length
    if begin + whole > room.end:
        return ODD
    for place in range(size):
        data[begin + place] = data[element + place]
    data[begin + size] = POINT
    for place in range(length):
        data[begin + size + 1 + place] = data[first + place]
    known = keys.total[0]
    number = numbered(data, begin, whole, keys, open_)
    if keys.total[0] > known:
        room.at[0] = begin + whole
    return number
