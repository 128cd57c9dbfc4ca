"""Texts within bytes: their hashes, and whether two are the same, eight bytes a step.

A process's `salt` keeps a log from choosing texts that hash alike.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from connectors.native import Bytes, compiled, word

Ints = npt.NDArray[np.int32]
Records = npt.NDArray[np.void]
Salt = np.uint64

NOWHERE: Final = -1


@compiled
def hashed(data: Bytes, at: int, size: int, salt: Salt, seed: int) -> np.uint64:
    """Hash some bytes: multiply and fold, eight bytes a step."""
    found = (np.uint64(seed) + np.uint64(size)) * salt
    end = at + size
    while at + 8 <= end:
        found = (found ^ word(data, at)) * salt
        found ^= found >> np.uint64(29)
        at += 8
    if at < end:
        rest = np.uint64(0)
        if at + 8 <= data.size:
            rest = word(data, at) & ((np.uint64(1) << np.uint64(8 * (end - at))) - np.uint64(1))
        else:
            for place in range(end - 1, at - 1, -1):
                rest = (rest << np.uint64(8)) | np.uint64(data[place])
        found = (found ^ rest) * salt
        found ^= found >> np.uint64(29)
    return found ^ (found >> np.uint64(32))


@compiled
def same(one: Bytes, at: int, other: Bytes, place: int, size: int) -> bool:
    """Compare some bytes."""
    done = 0
    while done + 8 <= size:
        if word(one, at + done) != word(other, place + done):
            return False
        done += 8
    while done < size:
        if one[at + done] != other[place + done]:
            return False
        done += 1
    return True


@compiled
def stands(data: Bytes, at: int, end: int, text: Bytes) -> bool:
    """Say whether a text stands here."""
    return end - at >= text.size and same(data, at, text, 0, text.size)
