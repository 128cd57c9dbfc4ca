"""Finds `key=value` pairs in lines as machine code: the pairs that the patterns of `keyvalue` find, in one pass.

Keys have numbers, found through a table of hashes. Lines that hold what only a pattern can tell (letters beyond ASCII
in a key, blanks beyond ASCII, escapes within quotes) are *odd*.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.formats.hashing import Ints, Salt, hashed, same
from connectors.native import Bytes, Places, compiled
from connectors.patterns.letters import NO, UNSURE, YES
from connectors.patterns.reading import belongs

QUOTE, BACKSLASH, NEWLINE = b'"\\\n'
NOWHERE, ODD = -1, -2


class Signs(NamedTuple):
    """What bytes mean: those of keys, those that begin or end one, those between key and value, blanks; the quotes."""

    inner: Bytes
    first: Bytes
    last: Bytes
    equals: Bytes
    ends: Bytes  # of values without quotes
    quotes: Bytes


class Keys(NamedTuple):
    """Keys that have columns: where each stands in the data, and a table of them by hash; `total` is one number."""

    starts: Places
    sizes: Places
    table: Ints
    total: Places
    salt: Salt


class Found(NamedTuple):
    """Pairs in the order of lines: row, column, where the value begins, its size; and of each row how many, or ODD."""

    rows: Ints
    columns: Ints
    begins: Ints
    sizes: Ints
    pairs: Ints


@compiled
def numbered(data: Bytes, at: int, size: int, keys: Keys, open_: bool) -> int:
    """Return the number of a key, NOWHERE for one that has none; where it is `open_` a new one gets the next."""
    starts, sizes, table, total, salt = keys
    last = np.uint64(table.size - 1)
    place = hashed(data, at, size, salt, 0) & last
    while table[place] >= 0:
        number = table[place]
        if sizes[number] == size and same(data, starts[number], data, at, size):
            return int(number)
        place = (place + np.uint64(1)) & last
    if not open_ or total[0] == starts.size:
        return NOWHERE
    number = total[0]
    table[place] = number
    starts[number], sizes[number] = at, size
    total[0] += 1
    return int(number)


@compiled
def quoted(data: Bytes, at: int, end: int) -> tuple[int, bool]:
    """Return where the text whose quote stands here ends, -1 where it doesn't; and whether it holds escapes."""
    quote, escapes = data[at], False
    at += 1
    while at < end:
        if data[at] == quote:
            return at + 1, escapes
        if data[at] == BACKSLASH:
            escapes = True
            at += 1
            if at >= end or data[at] == NEWLINE:
                return NOWHERE, escapes
        at += 1
    return NOWHERE, escapes


@compiled
def value(data: Bytes, at: int, end: int, signs: Signs) -> tuple[int, int, int]:
    """Return where the value that begins here stands without its quotes, its size, and where it ends; ODD, or such."""
    _, _, _, _, ends, quotes = signs
    quote = NOWHERE
    for place in range(quotes.size):
        if at < end and data[at] == quotes[place]:
            quote = place
    if quote >= 0:
        last, escapes = quoted(data, at, end)
        if escapes:
            return 0, ODD, 0
        if last >= 0:
            return at + 1, last - at - 2, last
        if ends[data[at]] == NO and ends[32] == NO:  # values with blanks may begin with a quote
            return 0, ODD, 0
        return at, 0, at
    begin = at
    while at < end:
        state = belongs(data, at, end, ends)
        if state == UNSURE:
            return 0, ODD, 0
        if state == YES:
            break
        at += 1
    last = at
    while last > begin and blank(data[last - 1]):
        last -= 1
    while begin < last and blank(data[begin]):
        begin += 1
    for place in range(quotes.size):
        if begin < last and data[begin] == quotes[place]:
            return 0, ODD, 0
    return begin, last - begin, at


@compiled
def blank(byte: int) -> bool:
    """Say whether it is a blank of ASCII."""
    return byte in (32, 9, 10, 13)


@compiled
def pairs(data: Bytes, starts: Places, ends: Places, signs: Signs, keys: Keys, open_: bool, found: Found) -> int:
    """Find the pairs of all lines; return how many have columns."""
    inner, first, closing, equals, _, _ = signs
    rows, columns, begins, sizes, numbers = found
    total = 0
    for row in range(starts.size):
        at, end, numbers[row] = starts[row], ends[row], 0
        before = total
        while at < end:
            if inner[data[at]] == 0 and data[at] < 128:
                at += 1
                continue
            begin, doubt = NOWHERE, False
            while at < end and (inner[data[at]] or data[at] >= 128):
                doubt |= data[at] >= 128
                if begin < 0 and first[data[at]]:
                    begin = at
                at += 1
            if at == end or equals[data[at]] == 0:
                continue
            if doubt:
                numbers[row] = ODD
                break
            if begin < 0 or closing[data[at - 1]] == 0:
                continue
            number = numbered(data, begin, at - begin, keys, open_)
            start, size, at = value(data, at + 1, end, signs)
            if size == ODD:
                numbers[row] = ODD
                break
            numbers[row] += 1
            if number >= 0:
                rows[total], columns[total], begins[total], sizes[total] = row, number, start - starts[row], size
                total += 1
        if numbers[row] == ODD:
            total = before
    return total


@compiled
def placed(found: Found, total: int, begins: npt.NDArray[np.int32], sizes: npt.NDArray[np.int32]) -> None:
    """Set per column and row where the value stands; of equal keys the first counts."""
    for pair in range(total):
        column, row = found.columns[pair], found.rows[pair]
        if sizes[column, row] < 0:
            begins[column, row], sizes[column, row] = found.begins[pair], found.sizes[pair]
