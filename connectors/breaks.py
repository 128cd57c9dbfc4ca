"""Where lines end, as machine code: one call per block, in which other threads run."""

from __future__ import annotations

from typing import Final

import numpy as np

from connectors.native import WIDTH, Bytes, Places, compiled, equal, lowest

LF: Final = ord("\n")
SHORT: Final = 64  # bytes of a line for which there is room at once


def breaks(data: Bytes) -> Places:
    """Return where each LF stands."""
    found = np.empty(data.size // SHORT + 1, np.int64)
    count = note(data, found)
    if count > found.size:
        found = np.empty(count, np.int64)
        note(data, found)
    return found[:count]


@compiled
def note(data: Bytes, found: Places) -> int:
    """Note where each LF stands as far as there is room; return how many there are."""
    count = at = 0
    while at < data.size:
        if at + WIDTH <= data.size:
            bits = equal(data, at, LF)
            while bits:
                if count < found.size:
                    found[count] = at + lowest(bits)
                count += 1
                bits &= bits - 1
            at += WIDTH
        else:
            if data[at] == LF:
                if count < found.size:
                    found[count] = at
                count += 1
            at += 1
    return count
