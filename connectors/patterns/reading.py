"""What stands at a place of a text: characters of a class, runs of them, words and texts, as machine code."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from connectors.native import WIDTH, Bytes, compiled, item, lowest, pairs
from connectors.patterns.letters import NEARLY_NO, NO, UNSURE, YES
from connectors.patterns.syntax import MOST

Sets = npt.NDArray[np.uint8]

NONE, ODD = -1, -2  # what fits a text, if it is no number of a pattern: none, or what only Polars can tell


@compiled
def belongs(data: Bytes, at: int, end: int, states: Bytes) -> int:
    """Say whether the character that begins here is of a class."""
    state = item(states, item(data, at))
    if state <= UNSURE:
        return int(state)
    if at + 1 < end and data[at + 1] == 0x9A:
        return UNSURE
    return NO if state == NEARLY_NO else YES


@compiled
def width(data: Bytes, at: int, end: int) -> int:
    """Return where the character that begins here ends."""
    at += 1
    while at < end and item(data, at) & 0xC0 == 0x80:
        at += 1
    return at


@compiled
def guarded(data: Bytes, at: int, end: int, guard: int, sets: Sets) -> bool:
    """Say whether what is guarded may begin here."""
    if guard < 0:
        return True
    if at == end:
        return guard & 1 == 1
    return bool(item(sets[guard >> 1], item(data, at)) == YES)


@compiled
def certain(data: Bytes, at: int, end: int, states: Bytes) -> int:
    """Pass characters that are surely of a class, four at a time; up to three more of them may follow."""
    while at + 4 <= end:
        first, second = item(states, item(data, at)) ^ YES, item(states, item(data, at + 1)) ^ YES
        third, fourth = item(states, item(data, at + 2)) ^ YES, item(states, item(data, at + 3)) ^ YES
        if first | second | third | fourth:
            break
        at += 4
    return at


@compiled
def before(data: Bytes, at: int, end: int, states: Bytes, goals: Bytes) -> int:
    """Pass characters of ASCII that are of a class and not of another, four at a time; up to three more may follow."""
    while at + 4 <= end:
        first, second = item(data, at), item(data, at + 1)
        third, fourth = item(data, at + 2), item(data, at + 3)
        outside = (item(states, first) ^ YES) | (item(states, second) ^ YES)
        outside |= (item(states, third) ^ YES) | (item(states, fourth) ^ YES)
        reached = item(goals, first) | item(goals, second) | item(goals, third) | item(goals, fourth)
        if outside | reached | ((first | second | third | fourth) & 128):
            break
        at += 4
    return at


@compiled
def run(data: Bytes, at: int, end: int, states: Bytes, least: int, most: int) -> tuple[int, int]:
    """Return where as many characters of a class as there are end, and where the fewest do; -1 too few, -2 odd."""
    start = at
    if most == MOST and least <= 1:
        at = certain(data, at, end, states)
        while at < end:
            state = item(states, item(data, at))
            if state == YES:
                at += 1
                continue
            if state == NO:
                break
            state = belongs(data, at, end, states)
            if state == UNSURE:
                return ODD, 0
            if state == NO:
                break
            at += 1
        if least == 0:
            return at, start
        return (NONE, 0) if at == start else (at, width(data, start, end))
    count, low = 0, start
    while at < end and count < most:
        state = belongs(data, at, end, states)
        if state == UNSURE:
            return ODD, 0
        if state == NO:
            break
        at = width(data, at, end)
        count += 1
        if count == least:
            low = at
    return (NONE, 0) if count < least else (at, low)


@compiled
def word(data: Bytes, at: int) -> int:
    """Say whether a letter of a word stands here; -2 where it is none of ASCII."""
    byte = data[at]
    if byte >= 128:
        return ODD
    return int(48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95)


@compiled
def bounds(data: Bytes, at: int, begin: int, end: int) -> int:
    """Say whether a word begins or ends here."""
    before = word(data, at - 1) if at > begin else 0
    after = word(data, at) if at < end else 0
    return ODD if before == ODD or after == ODD else int(before != after)


@compiled
def found(data: Bytes, at: int, end: int, texts: Bytes, start: int, size: int) -> int:
    """Return where a text of two bytes or more stands first between two places; -1 where it doesn't."""
    first, second = texts[start], texts[start + 1]
    last = end - size
    while at <= last:
        if at + WIDTH < data.size:
            bits = pairs(data, at, first, second)
            while bits:
                place = at + lowest(bits)
                if place > last:
                    return NONE
                if alike(data, place, texts, start, size):
                    return place
                bits &= bits - np.uint32(1)
            at += WIDTH
        else:
            if alike(data, at, texts, start, size):
                return at
            at += 1
    return NONE


@compiled
def alike(data: Bytes, at: int, texts: Bytes, start: int, size: int) -> bool:
    """Say whether a text stands here."""
    same = 0
    while same < size and item(data, at + same) == item(texts, start + same):
        same += 1
    return same == size
