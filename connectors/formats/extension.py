r"""Reads CEF lines as machine code: where the head, the six fields and the values of the extension stand.

    <13>host CEF:0|Vendor|Product|1.0|100|Port scan|5|src=192.0.2.7 msg=a\=b and more

Lines that hold what only a pattern can tell (letters beyond ASCII in a key, blanks and digits beyond ASCII) are *odd*.
Escapes stay as they are; `escaped` says which columns hold any.
"""

from __future__ import annotations

from typing import NamedTuple

from connectors.formats.literals import digits
from connectors.formats.tokens import NOWHERE, ODD, Found, Keys, numbered
from connectors.native import Bytes, Places, Spans, compiled

BAR, BACKSLASH, EQUALS = b"|\\="
PARTS = ("head", "vendor", "product", "version", "signature", "name", "severity")
FIELDS = 6


class Letters(NamedTuple):
    """What bytes mean in keys: those that may stand in one, and those that begin one."""

    inner: Bytes
    first: Bytes


class Heads(NamedTuple):
    """Where the head and the fields of each line stand, by part and row."""

    begins: Spans
    sizes: Spans


@compiled
def read(
    data: Bytes, starts: Places, ends: Places, letters: Letters, keys: Keys, open_: bool, heads: Heads, found: Found,
    escaped: Bytes,
) -> int:  # fmt: skip
    """Read all lines; return how many pairs have columns. A line that isn't CEF has as many `pairs` as NOWHERE."""
    total = 0
    for row in range(starts.size):
        at = headed(data, starts[row], ends[row], row, heads)
        found.pairs[row] = min(0, at)
        if at < 0 or at >= ends[row]:
            continue
        after = pairs(data, at + 1, ends[row], starts[row], row, letters, keys, open_, found, total, escaped)
        if after < 0:
            found.pairs[row] = ODD
        else:
            found.pairs[row], total = after - total, after
    return total


@compiled
def headed(data: Bytes, start: int, end: int, row: int, heads: Heads) -> int:
    """Read the first header of a line that is one; return where it ends, NOWHERE where there is none, or ODD."""
    at = start
    while at + 4 <= end:
        if data[at] == 67 and data[at + 1] == 69 and data[at + 2] == 70 and data[at + 3] == 58:
            found = fields(data, at + 4, end, start, row, heads)
            if found != NOWHERE:
                heads.begins[0, row], heads.sizes[0, row] = 0, at - start
                return found
        at += 1
    return NOWHERE


@compiled
def fields(data: Bytes, at: int, end: int, start: int, row: int, heads: Heads) -> int:
    """Read the version and the fields behind it; return where they end, NOWHERE where they don't stand here, or ODD."""
    if at < end and data[at] == 32:
        at += 1
    first = at
    at = digits(data, at, end)
    if at < end and data[at] >= 128:
        return ODD
    if at == first or at >= end or data[at] != BAR:
        return NOWHERE
    for part in range(1, FIELDS + 1):
        at += 1
        begin = at
        while at < end and data[at] != BAR:
            at += 2 if data[at] == BACKSLASH else 1
        if at > end or (at == end and part < FIELDS):
            return NOWHERE
        heads.begins[part, row], heads.sizes[part, row] = begin - start, at - begin
    return at


@compiled
def pairs(
    data: Bytes, at: int, end: int, start: int, row: int, letters: Letters, keys: Keys, open_: bool, found: Found,
    total: int, escaped: Bytes,
) -> int:  # fmt: skip
    """Find the pairs of an extension behind so many others; return how many there are then, or ODD."""
    begin, number, edge, escapes = NOWHERE, NOWHERE, True, False
    while at < end:
        byte = data[at]
        if edge and letters.first[byte]:
            last, doubt = at, False
            while last < end and (letters.inner[data[last]] or data[last] >= 128):
                doubt |= data[last] >= 128
                if doubt and wide(data, last, end):
                    return ODD
                last += 1
            edge = False
            if last == end or data[last] != EQUALS:
                at = last
                continue
            if doubt:
                return ODD
            if number >= 0:
                total = noted(data, begin, at, start, row, number, found, total)
                escaped[number] |= escapes
            number, escapes = numbered(data, at, last - at, keys, open_), False
            begin = at = last + 1
            continue
        edge = byte == 32 or 9 <= byte <= 13
        escapes |= byte == BACKSLASH
        if byte >= 128 and wide(data, at, end):
            return ODD
        at += 1
    if number >= 0:
        total = noted(data, begin, end, start, row, number, found, total)
        escaped[number] |= escapes
    return total


@compiled
def noted(data: Bytes, begin: int, end: int, start: int, row: int, number: int, found: Found, total: int) -> int:
    """Note a value without the blanks around it; return how many there are then."""
    while end > begin and (data[end - 1] == 32 or 9 <= data[end - 1] <= 13):
        end -= 1
    while begin < end and (data[begin] == 32 or 9 <= data[begin] <= 13):
        begin += 1
    found.rows[total], found.columns[total] = row, number
    found.begins[total], found.sizes[total] = begin - start, end - begin
    return total + 1


@compiled
def wide(data: Bytes, at: int, end: int) -> bool:
    """Say whether a blank beyond ASCII begins here."""
    lead = data[at]
    if lead == 0xC2:
        return at + 1 < end and (data[at + 1] == 0x85 or data[at + 1] == 0xA0)
    if at + 2 >= end or not 0xE1 <= lead <= 0xE3:
        return False
    second, third = data[at + 1], data[at + 2]
    if lead == 0xE2:
        general = third <= 0x8A or third == 0xA8 or third == 0xA9 or third == 0xAF
        return bool((second == 0x80 and general) or (second == 0x81 and third == 0x9F))
    return bool(third == 0x80 and second == (0x9A if lead == 0xE1 else 0x80))
