r"""Finds elements of events in XML as machine code: texts, attributes and named data, in one pass over each line.

    <EventID>1</EventID><TimeCreated SystemTime="2026-…"/><Data Name="Image">/usr/bin/curl</Data></Event>

Names of data are keys, and so are elements, with the `<` before them, which no name of data has. A line is walked from
`<` to `<`. One whose tags don't end, or that holds what only a pattern can tell (names of data beyond ASCII, attributes
without their second quote), is *odd*. Entities stay as they are: `escaped` says which keys hold any.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from connectors.formats.hashing import same, stands
from connectors.formats.tokens import NOWHERE, ODD, Found, Keys, numbered
from connectors.native import WIDTH, Bytes, Places, compiled, equal, lowest
from connectors.patterns.letters import DIGITS, LETTERS

LESS, GREATER, SLASH, AMPERSAND, EQUALS, BLANK, QUOTE, APOSTROPHE = b"<>/&= \"'"
DATA, NEXT, EVENT, END = (
    np.frombuffer(text, np.uint8) for text in (b"<Data Name=", b"</Data><", b"<Event", b"</Event>")
)
LONGEST: Final = 100  # characters of a name of data, each of which may be four bytes
INNER: Final = LETTERS | frozenset(DIGITS + b". -")  # what names of data consist of


class Attributes(NamedTuple):
    """Of each element, by its key's number: the attribute that is asked for; without a size, its text is."""

    names: Bytes
    starts: Places
    sizes: Places


@compiled
def read(
    data: Bytes, starts: Places, ends: Places, inner: Bytes, keys: Keys, open_: bool, attributes: Attributes,
    found: Found, escaped: Bytes,
) -> int:  # fmt: skip
    """Read all lines, `WIDTH` bytes behind which may be looked at; return how many values have columns.

    A line that has no whole event has as many `pairs` as NOWHERE.
    """
    total = 0
    for row in range(starts.size):
        start, end = starts[row], ends[row]
        after, whole = elements(data, start, end, row, inner, keys, open_, attributes, found, total, escaped)
        if after < 0 or end < start:
            found.pairs[row] = ODD
        elif not whole:
            found.pairs[row] = NOWHERE
        else:
            found.pairs[row], total = after - total, after
    return total


@compiled
def elements(
    data: Bytes, start: int, end: int, row: int, inner: Bytes, keys: Keys, open_: bool, attributes: Attributes,
    found: Found, total: int, escaped: Bytes,
) -> tuple[int, bool]:  # fmt: skip
    """Find a line's elements behind so many values; return how many there are then, or ODD, and if it is whole."""
    begun, ended = False, False
    at, _ = text(data, start, end)
    while at < end:
        number, size = NOWHERE, NOWHERE
        begin = name(data, at, end, inner, open_)
        if begin == ODD:
            return ODD, False
        if begin >= 0:
            first = at + DATA.size + 1
            number = numbered(data, first, begin - 2 - first, keys, open_)
        else:
            last, stop = tag(data, at, end)
            if stop == ODD:
                return ODD, False
            if data[at + 1] == SLASH:
                ended |= stands(data, at, end, END)
            else:
                begun |= last - at == EVENT.size and stands(data, at, end, EVENT)
                number = numbered(data, at, last - at, keys, False)
            begin = stop + 1
            if number >= 0 and attributes.sizes[number] > 0:
                begin, size = attribute(data, last, stop, attributes, number)
                if size == ODD:
                    return ODD, False
                if begin < 0:
                    number, begin = NOWHERE, stop + 1
            elif number >= 0 and last < stop and (last + 1 == stop or data[stop - 1] == SLASH):
                number = NOWHERE
        at, entities = text(data, begin, end)
        if number >= 0 and (size >= 0 or at < end):
            found.rows[total], found.columns[total] = row, number
            found.begins[total], found.sizes[total] = begin - start, size if size >= 0 else at - begin
            escaped[number] |= entities
            total += 1
        if stands(data, at, end, NEXT):
            at += NEXT.size - 1
    return total, begun and ended


@compiled
def text(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    """Return where the next tag begins, or the end, and whether an entity may stand before it."""
    entities = False
    while at < end:
        tags, signs = equal(data, at, LESS), equal(data, at, AMPERSAND)
        if tags:
            place = lowest(tags)
            return min(at + place, end), entities or below(signs, place) != 0
        entities |= signs != 0
        at += WIDTH
    return end, entities


@compiled
def below(bits: np.uint32, place: int) -> np.uint32:
    """Return the bits that stand before a place."""
    return np.uint32(bits & ((np.uint64(1) << np.uint64(place)) - np.uint64(1)))


@compiled
def name(data: Bytes, at: int, end: int, inner: Bytes, open_: bool) -> int:
    """Return where the text of named data begins, NOWHERE if no such tag stands here, ODD where letters only tell."""
    if not stands(data, at, end, DATA) or at + DATA.size >= end or not quote(data[at + DATA.size]):
        return NOWHERE
    first = last = at + DATA.size + 1
    while last < end and last - first <= 4 * LONGEST:
        quotes = equal(data, last, QUOTE) | equal(data, last, APOSTROPHE)
        step = lowest(quotes) if quotes else WIDTH
        tags = equal(data, last, LESS)
        if tags and lowest(tags) < step:
            return NOWHERE
        last += step
        if quotes:
            break
    if last == first or last + 1 >= end or not quote(data[last]) or data[last + 1] != GREATER:
        return NOWHERE
    if open_:  # other names are those that are asked for, or have no column
        if last - first > LONGEST:
            return ODD
        for place in range(first, last):
            if not inner[data[place]]:
                return ODD
    return last + 2


@compiled
def tag(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the name of a tag ends, and where the tag does; or ODD, where it doesn't."""
    last = NOWHERE
    at += 1
    while at < end:
        stops, tags, blanks = equal(data, at, GREATER), equal(data, at, LESS), equal(data, at, BLANK)
        step = lowest(stops) if stops else WIDTH
        if tags and lowest(tags) < step:
            return last, ODD
        if last < 0 and blanks and lowest(blanks) < step:
            last = at + lowest(blanks)
        if stops:
            at += step
            return last if last >= 0 else at, at if at < end else ODD
        at += WIDTH
    return last, ODD


@compiled
def attribute(data: Bytes, at: int, stop: int, attributes: Attributes, number: int) -> tuple[int, int]:
    """Return where in a tag the value of an attribute begins, NOWHERE if it has none, and its size, or ODD."""
    first, size = attributes.starts[number], attributes.sizes[number]
    at += 1
    while at + size + 1 < stop:
        if data[at + size] == EQUALS and quote(data[at + size + 1]) and same(attributes.names, first, data, at, size):
            if data[at - 1] >= 128:
                return NOWHERE, ODD
            if not word(data[at - 1]):
                begin = last = at + size + 2
                while last < stop and not quote(data[last]):
                    last += 1
                return begin, last - begin if last < stop else ODD
        at += 1
    return NOWHERE, NOWHERE


@compiled
def quote(byte: int) -> bool:
    """Say whether it is a quote."""
    return byte in (QUOTE, APOSTROPHE)


@compiled
def word(byte: int) -> bool:
    """Say whether it is a letter, a digit or an underscore of ASCII."""
    return 48 <= byte <= 57 or 65 <= (byte & 0xDF) <= 90 or byte == 95
