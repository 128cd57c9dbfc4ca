"""Arrow's views of texts that stand in blocks of bytes, as machine code: made of places, and followed to the texts."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.native import Bytes, Places, Spans, compiled, copy

Views = npt.NDArray[np.uint32]  # a row per text: its size, its first four bytes, the number of its block, its place

INLINE: Final = 12  # bytes of a text that its view holds itself
MISSING: Final = -1  # where a text ends that isn't there


class Parts(NamedTuple):
    """Parts of texts: where each text begins, where in it the part does, and how long it is, negative for none."""

    starts: Places
    begins: Spans
    sizes: Spans


class Made(NamedTuple):
    """What is made: a view and a bit per part."""

    views: Views
    there: Bytes


BROKEN: Final = -1  # a part begins or ends within a character


@compiled
def view(data: Bytes, places: Parts, made: Made) -> int:
    """Set a view of what stands at each place of UTF-8, and a bit where there is something; return where there isn't.

    As long as parts begin and end between characters, which is looked at, they are UTF-8 as the whole is.
    """
    starts, begins, sizes = places
    views, there = made
    missing = 0
    there[:] = 0
    for row in range(sizes.size):
        size = sizes[row]
        if size <= 0:
            views[row, 0], views[row, 1], views[row, 2], views[row, 3] = 0, 0, 0, 0
            if size < 0:
                missing += 1
            else:
                there[row >> 3] |= np.uint8(1 << (row & 7))
            continue
        at = starts[row] + begins[row]
        end = at + size
        if data[at] & 0xC0 == 0x80 or (end < data.size and data[end] & 0xC0 == 0x80):
            return BROKEN
        there[row >> 3] |= np.uint8(1 << (row & 7))
        views[row, 0] = size
        if size > INLINE:
            views[row, 1] = four(data, at, 4)
            views[row, 2] = 0
            views[row, 3] = at
        else:
            views[row, 1] = four(data, at, min(size, 4))
            views[row, 2] = four(data, at + 4, min(size - 4, 4))
            views[row, 3] = four(data, at + 8, min(size - 8, 4))
    return missing


@compiled
def four(data: Bytes, at: int, size: int) -> int:
    """Return so many bytes, four at most, as a number, the first the lowest; none is nothing."""
    number = 0
    for place in range(size):
        number |= int(data[at + place]) << (8 * place)
    return number


@compiled
def laid(views: Views, there: Bytes, first: int, starts: Places, ends: Places, at: int) -> int:
    """Set where each text begins and ends when they stand one after the other from a place on, a byte between them.

    A text whose bit isn't set (they count from `first`; no bits mean that none is missing) ends at `MISSING`. Return
    where the next one would begin.
    """
    for row in range(starts.size):
        bit = first + row
        starts[row] = at
        if there.size and not there[bit >> 3] >> (bit & 7) & 1:
            ends[row] = MISSING
            at += 1
            continue
        ends[row] = at + views[row, 0]
        at = ends[row] + 1
    return at


@compiled
def gathered(views: Views, letters: Bytes, blocks: Places, data: Bytes, starts: Places, ends: Places) -> None:
    """Copy each text to its place, with a newline at its end.

    `letters` are the bytes of the views, where short texts stand; `blocks` are the addresses of the blocks.
    """
    for row in range(starts.size):
        start, size = starts[row], ends[row] - starts[row]
        if size > INLINE:
            copy(data, start, blocks[views[row, 2]] + views[row, 3], size)
        elif size > 0:
            for place in range(size):
                data[start + place] = letters[16 * row + 4 + place]
        data[start + max(size, 0)] = 10
