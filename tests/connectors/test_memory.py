"""Memory that is used again: never while anything looks at it, and never without bound."""

from __future__ import annotations

import numpy as np

from connectors import memory
from connectors.memory import LARGE, MOST, array


def test_memory_is_used_again_when_the_last_view_is_gone() -> None:
    memory._FREE.clear()
    first = array((LARGE,), np.uint8)
    first[:] = 7
    part = first[10:20]
    del first
    assert not memory._FREE
    other = array((LARGE,), np.uint8)
    other[:] = 0
    assert part.tolist() == [7] * 10
    del part
    assert len(memory._FREE) == 1
    again = array((2, LARGE // 8), np.int32)
    assert not memory._FREE
    assert again.shape == (2, LARGE // 8)


def test_little_waits() -> None:
    memory._FREE.clear()
    held = [array((MOST // 4,), np.uint8) for _ in range(6)]
    del held
    assert 0 < sum(room.size for room in memory._FREE.values()) <= MOST
    memory._FREE.clear()


def test_small_arrays_are_ordinary() -> None:
    assert array((3, 2), np.int16).base is None
