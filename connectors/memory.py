"""Memory of large arrays, used again: the system clears what it gives, which takes as long as reading does."""

from __future__ import annotations

import weakref
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

LARGE: Final = 1 << 20  # bytes from which it is worth it
MOST: Final = 64_000_000  # bytes that wait to be used again
Room = npt.NDArray[np.uint8]

_FREE: Final[dict[int, Room]] = {}


def array(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return an array that holds anything; when it and all its views are gone, another gets its memory."""
    kind = np.dtype(dtype)
    size = prod(shape) * kind.itemsize
    if size < LARGE:
        return np.empty(shape, kind)
    room = _room(size)
    root = np.frombuffer(room[:size].data, kind)  # what NumPy makes views refer to
    weakref.finalize(root, _free, room).atexit = False
    return root.reshape(shape)


def _room(size: int) -> Room:
    """Return memory that was given back, the smallest that will do without much waste, or else new memory."""
    fitting = [(room.size, name) for name, room in _FREE.copy().items() if size <= room.size <= 2 * size]
    for _, name in sorted(fitting):
        if (room := _FREE.pop(name, None)) is not None:  # another thread may have been sooner
            return room
    return np.empty(size, np.uint8)


def _free(room: Room) -> None:
    _FREE[id(room)] = room
    while sum(each.size for each in _FREE.copy().values()) > MOST:
        _FREE.pop(next(iter(_FREE)), None)
