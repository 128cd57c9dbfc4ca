"""Strings, numbers and words of JSON, checked by the letter: each returns where it ends, and its kind.

Invariant: no byte beyond the data is read.
"""

from __future__ import annotations

from connectors.native import WIDTH, Bytes, compiled, lowest, vector

# kinds of values; a TEXT stands in the data as it is meant, REAL (a number, or a text with escapes) and WHOLE as JSON
NOTHING, TEXT, REAL, WHOLE, NULL = range(5)
QUOTE, BACKSLASH = b'"\\'


@compiled
def blank(data: Bytes, at: int, end: int) -> int:
    """Return where blanks end."""
    while at < end and (data[at] == 32 or data[at] == 9 or data[at] == 10 or data[at] == 13):
        at += 1
    return at


@compiled
def digits(data: Bytes, at: int, end: int) -> int:
    """Return where decimal digits end."""
    while at < end and 48 <= data[at] <= 57:
        at += 1
    return at


@compiled
def string(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the text whose first character stands here has its closing quote, and its kind."""
    kind = TEXT
    while at < end:
        if at + WIDTH <= data.size:
            found = vector(data, at)
            if found == 0:
                at += WIDTH
                continue
            at += lowest(found)
            if at >= end:
                break
        byte = data[at]
        if byte == QUOTE:
            return at, kind
        if byte < 32:
            break
        if byte != BACKSLASH:
            at += 1
            continue
        kind = REAL
        size = escape(data, at, end)
        if size == 0:
            break
        at += size
    return at, NOTHING


@compiled
def escape(data: Bytes, at: int, end: int) -> int:
    """Return the size of the escape that begins here, 0 where it is none."""
    if at + 1 >= end:
        return 0
    byte = data[at + 1]
    if byte == 117:
        if at + 6 > end:
            return 0
        for place in range(at + 2, at + 6):
            lower = data[place] | 32
            if not (48 <= data[place] <= 57 or 97 <= lower <= 102):
                return 0
        return 6
    known = byte == 34 or byte == 92 or byte == 47 or byte == 98 or byte == 102 or byte == 110 or byte == 114
    return 2 if known or byte == 116 else 0


@compiled
def scalar(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a number, true, false or null ends, and its kind."""
    byte = data[at]
    if byte == 116 and at + 4 <= end and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return at + 4, TEXT
    if byte == 110 and at + 4 <= end and data[at + 1] == 117 and data[at + 2] == 108 and data[at + 3] == 108:
        return at + 4, NULL
    if (
        byte == 102
        and at + 5 <= end
        and data[at + 1] == 97
        and data[at + 2] == 108
        and data[at + 3] == 115
        and data[at + 4] == 101
    ):
        return at + 5, TEXT
    return number(data, at, end)


@compiled
def number(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return where a number ends, and its kind: an integer is its own text."""
    begin = at
    if data[at] == 45:
        at += 1
    first = at
    at = digits(data, at, end)
    if at == first or (data[first] == 48 and at > first + 1):
        return at, NOTHING
    kind = TEXT
    if at < end and data[at] == 46:
        kind, first = REAL, at + 1
        at = digits(data, first, end)
        if at == first:
            return at, NOTHING
    if at < end and data[at] | 32 == 101:
        kind, first = REAL, at + 1
        if first < end and (data[first] == 43 or data[first] == 45):
            first += 1
        at = digits(data, first, end)
        if at == first:
            return at, NOTHING
    if kind == TEXT and data[begin] == 45 and data[begin + 1] == 48:
        kind = WHOLE  # -0 is 0
    return at, kind
