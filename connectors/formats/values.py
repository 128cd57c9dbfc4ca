"""Finds values between separators in lines as machine code, quoted or not.

A value that begins with a quote ends with one; quotes written twice within stay so, and `doubled` says which columns
hold any. Lines with quotes at other places, of which only patterns can tell what they mean, are *odd*.
"""

from __future__ import annotations

from connectors.native import WIDTH, Bytes, Places, Spans, compiled, equal, lowest

QUOTE = ord('"')
NOWHERE = -1


@compiled
def counted(data: Bytes, starts: Places, ends: Places, separator: int, least: int, good: Bytes) -> None:
    """Set which lines have so many values or more."""
    for row in range(starts.size):
        at, count = starts[row], 1
        while at < ends[row] and count < least:
            if data[at] == separator:
                count += 1
            at += 1
        good[row] = ends[row] >= starts[row] and count >= least


@compiled
def nth(
    data: Bytes, starts: Places, ends: Places, separator: int, place: int, begins: Spans, sizes: Spans
) -> None:  # fmt: skip
    """Set where the value at a place stands, quotes or not; a size is NOWHERE where there is none."""
    for row in range(starts.size):
        at, left = starts[row], place
        while at < ends[row] and left:
            if data[at] == separator:
                left -= 1
            at += 1
        begins[row], sizes[row] = at - starts[row], NOWHERE
        if left == 0 and ends[row] >= starts[row]:
            begin = at
            while at < ends[row] and data[at] != separator:
                at += 1
            sizes[row] = at - begin


@compiled
def read(
    data: Bytes, starts: Places, ends: Places, separator: int, layouts: Spans, slots: Spans, begins: Spans,
    sizes: Spans, doubled: Bytes, odd: Bytes,
) -> None:  # fmt: skip
    """Set where the values of each line stand, by column: `slots` are columns by layout and place, NOWHERE for none."""
    for row in range(starts.size):
        odd[row] = 0
        if layouts[row] >= 0:
            at, end = starts[row], ends[row]
            for place in range(slots.shape[1]):
                begin, last, at, twice = value(data, at, end, separator)
                if last < 0:
                    odd[row] = 1
                    break
                slot = slots[layouts[row], place]
                if slot >= 0 and last > begin:
                    begins[slot, row], sizes[slot, row] = begin - starts[row], last - begin
                    doubled[slot] |= twice
                if at >= end:
                    break
                at += 1


@compiled
def value(data: Bytes, at: int, end: int, separator: int) -> tuple[int, int, int, bool]:
    """Return where the value that begins here stands, where its separator does, and whether quotes stand in it twice.

    Its end is NOWHERE where only a pattern can tell.
    """
    begin = at
    if at < end and data[at] == QUOTE:
        at, twice = at + 1, False
        while at < end:
            if data[at] == QUOTE:
                if at + 1 == end or data[at + 1] != QUOTE:
                    break
                twice = True
                at += 1
            at += 1
        if at >= end or (at + 1 < end and data[at + 1] != separator):
            return begin, NOWHERE, at, twice
        return begin + 1, at, at + 1, twice
    at = min(sign(data, at, end, separator), end)
    if at < end and data[at] == QUOTE:
        return begin, NOWHERE, at, False
    return begin, at, at, False


@compiled
def sign(data: Bytes, at: int, end: int, separator: int) -> int:
    """Return where the next separator or quote stands; the end or beyond it where there is none before."""
    while at < end and at + WIDTH <= data.size:
        bits = equal(data, at, separator) | equal(data, at, QUOTE)
        if bits:
            return at + lowest(bits)
        at += WIDTH
    while at < end and data[at] != separator and data[at] != QUOTE:
        at += 1
    return at
