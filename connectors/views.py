"""Arrow's views of texts that stand in a block of bytes, as machine code: nothing is copied but what is short."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from connectors.native import Bytes, Places, Spans, compiled

INLINE: Final = 12  # bytes of a text that its view holds itself


class Parts(NamedTuple):
    """Parts of texts: where each text begins, where in it the part does, and how long it is, negative for none."""

    starts: Places
    begins: Spans
    sizes: Spans


class Made(NamedTuple):
    """What is made: a row per part (its size, its first four bytes, the number of its block, its place), and a bit."""

    views: npt.NDArray[np.uint32]
    there: Bytes


@compiled
def view(data: Bytes, places: Parts, made: Made) -> int:
    """Set a view of what stands at each place, and a bit where there is something; return where there isn't."""
    starts, begins, sizes = places
    views, there = made
    missing = 0
    there[:] = 0
    for row in range(sizes.size):
        size, at = sizes[row], starts[row] + begins[row]
        views[row, 0], views[row, 1], views[row, 2], views[row, 3] = 0, 0, 0, 0
        if size < 0:
            missing += 1
            continue
        there[row >> 3] |= np.uint8(1 << (row & 7))
        views[row, 0] = size
        for place in range(min(size, INLINE if size <= INLINE else 4)):
            views[row, 1 + (place >> 2)] |= np.uint32(data[at + place]) << np.uint32(8 * (place & 3))
        if size > INLINE:
            views[row, 3] = at
    return missing
