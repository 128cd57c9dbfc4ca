"""Finds the pairs of audit records as machine code: those that the patterns of `auditd` find, in one pass.

    type=USER_AUTH msg=audit(1772414222.001:93778): pid=2057 uid=0 msg='op=PAM:authentication acct="lan" exe="/bin/su"'

A key stands behind a blank, be it within a value, and behind the first `msg='`; of equal keys in a record the first
counts. Records that hold what only a pattern can tell (letters beyond ASCII in a key, blanks beyond ASCII behind one,
`msg='` within quotes) are *odd*.
"""

from __future__ import annotations

from typing import NamedTuple

from connectors.formats.hashing import Ints
from connectors.formats.tokens import NOWHERE, ODD, Found, Keys, numbered
from connectors.native import Bytes, Places, compiled
from connectors.patterns.letters import NO, UNSURE
from connectors.patterns.reading import belongs

BLANK, APOSTROPHE, QUOTE, EQUALS, QUESTION = b" '\"=?"


class Letters(NamedTuple):
    """What bytes mean: those that may stand in a key, those that begin one, those that end a value without quotes."""

    inner: Bytes
    first: Bytes
    ends: Bytes


class Told(NamedTuple):
    """Per key the last record that had it; and per pair that was found whether its value is hexadecimal digits."""

    rows: Ints
    digits: Bytes


@compiled
def read(
    data: Bytes, starts: Places, ends: Places, letters: Letters, keys: Keys, open_: bool, told: Told, found: Found
) -> int:  # fmt: skip
    """Read all records; return how many pairs have columns."""
    total = 0
    for row in range(starts.size):
        after = pairs(data, starts[row], ends[row], row, letters, keys, open_, told, found, total)
        if after == ODD:
            found.pairs[row] = ODD
        else:
            found.pairs[row], total = after - total, after
    return total


@compiled
def pairs(
    data: Bytes, start: int, end: int, row: int, letters: Letters, keys: Keys, open_: bool, told: Told, found: Found,
    total: int,
) -> int:  # fmt: skip
    """Find the pairs of a record behind so many others; return how many there are then, or ODD."""
    at, inside, within = start, False, start
    while at < end:
        byte = data[at]
        at += 1
        if byte == APOSTROPHE and not inside and message(data, at - 5, start):
            inside = True
            if at <= within:
                return ODD
        elif byte != BLANK:
            continue
        if at == end or letters.first[data[at]] == NO:
            continue
        begin, doubt = at, False
        while at < end and (letters.inner[data[at]] != NO or data[at] >= 128):
            doubt |= data[at] >= 128
            at += 1
        if at == end or data[at] != EQUALS:
            continue
        if doubt:
            return ODD
        number = numbered(data, begin, at - begin, keys, open_)
        at += 1
        if number < 0 or told.rows[number] == row:
            continue
        told.rows[number] = row
        if at < end and data[at] == QUOTE:
            first, size = at + 1, quoted(data, at + 1, end)
            within = max(within, first + size)
            size = max(size, 0)
            missing, digits = size == 1 and data[first] == QUESTION, False
        else:
            first, size = at, plain(data, at, end, letters.ends)
            if size == ODD:
                return ODD
            at += size
            missing, digits = nothing(data, first, size), hexadecimal(data, first, size)
        if not missing:
            found.rows[total], found.columns[total] = row, number
            found.begins[total], found.sizes[total] = first - start, size
            told.digits[total] = digits
            total += 1
    return total


@compiled
def message(data: Bytes, at: int, start: int) -> bool:
    """Say whether `msg=` stands here, of a record that begins so."""
    return bool(
        at >= start and data[at] == 109 and data[at + 1] == 115 and data[at + 2] == 103 and data[at + 3] == EQUALS
    )


@compiled
def quoted(data: Bytes, at: int, end: int) -> int:
    """Return the size of the text whose first character stands here, NOWHERE where no quote ends it."""
    first = at
    while at < end:
        if data[at] == QUOTE:
            return at - first
        at += 1
    return NOWHERE


@compiled
def plain(data: Bytes, at: int, end: int, ends: Bytes) -> int:
    """Return the size of the value without quotes that begins here, or ODD."""
    first = at
    while at < end:
        state = belongs(data, at, end, ends)
        if state == UNSURE:
            return ODD
        if state != NO:
            break
        at += 1
    return at - first


@compiled
def nothing(data: Bytes, at: int, size: int) -> bool:
    """Say whether a value stands for none: `?`, `(null)`, `(none)`."""
    if size == 1:
        return bool(data[at] == QUESTION)
    if size != 6 or data[at] != 40 or data[at + 5] != 41 or data[at + 1] != 110:
        return False
    null = data[at + 2] == 117 and data[at + 3] == 108 and data[at + 4] == 108
    return bool(null or (data[at + 2] == 111 and data[at + 3] == 110 and data[at + 4] == 101))


@compiled
def hexadecimal(data: Bytes, at: int, size: int) -> bool:
    """Say whether a value is bytes as the kernel writes them, two digits each."""
    if size == 0 or size % 2 == 1:
        return False
    for place in range(at, at + size):
        if not (48 <= data[place] <= 57 or 65 <= data[place] <= 70):
            return False
    return True
