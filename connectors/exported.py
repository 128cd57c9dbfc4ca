"""Where Polars keeps the texts of a column: views and blocks, by Arrow's C stream interface; nothing is copied."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_char_p, c_int, c_int64, c_ubyte, c_void_p
from functools import cache
from typing import Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.native import Bytes

NOWHERE: Final = np.empty(0, np.uint8)
_GONE: Final = None  # what Arrow's `release` is once nothing is left to give back


class Chunk(NamedTuple):
    """A part of a column: a row per text (`views.Made`), the blocks they stand in, and bits, from one on, of what is.

    There are no bits where nothing is missing. The arrays are good as long as the chunk, or what was made of it, is.
    """

    views: npt.NDArray[np.uint32]
    blocks: tuple[Bytes, ...]
    there: Bytes
    first: int


class _Array(ctypes.Structure):
    _fields_ = (
        *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
        ("buffers", POINTER(c_void_p)),
        *((name, c_void_p) for name in ("children", "dictionary", "release", "private_data")),
    )

    def __del__(self) -> None:
        if self.release is not _GONE:
            _method(self.release, ending=True)(ctypes.addressof(self))


class _Stream(ctypes.Structure):
    _fields_ = tuple((name, c_void_p) for name in ("get_schema", "get_next", "get_last_error", "release", "private"))


def chunks(texts: pl.Series) -> Iterator[Chunk]:
    """Yield the parts of a column of texts."""
    capsule = texts.__arrow_c_stream__()  # closes the stream when nobody has it any more
    stream = _pointer()(capsule, b"arrow_array_stream")
    step = _method(_Stream.from_address(stream).get_next)
    while True:
        array = _Array()
        if step(stream, ctypes.addressof(array)):
            raise MemoryError("Polars could not hand over a column")
        if array.release is _GONE:
            return
        yield _chunk(array)


def _chunk(array: _Array) -> Chunk:
    """Return what an array holds: bits, views, blocks, and the sizes of these."""
    blocks = array.n_buffers - 3
    sizes = np.frombuffer(_held(array, array.n_buffers - 1, 8 * blocks), np.int64).tolist() if blocks else []
    views = np.frombuffer(_held(array, 1, 16 * (array.offset + array.length)), np.uint32).reshape(-1, 4)
    bits = (array.offset + array.length + 7) // 8 if array.null_count else 0
    return Chunk(
        views[array.offset :],
        tuple(_held(array, 2 + number, size) for number, size in enumerate(sizes)),
        _held(array, 0, bits),
        array.offset,
    )


def _held(array: _Array, number: int, size: int) -> Bytes:
    """Return a buffer of an array; it keeps the array."""
    if not size:
        return NOWHERE
    memory = (c_ubyte * size).from_address(array.buffers[number])
    memory.owner = array  # type: ignore[attr-defined] # ctypes' arrays take attributes
    found: Bytes = np.frombuffer(memoryview(memory), np.uint8)
    return found


@cache
def _pointer() -> Callable[[object, bytes], int]:
    made = ctypes.pythonapi.PyCapsule_GetPointer
    made.restype, made.argtypes = c_void_p, [ctypes.py_object, c_char_p]
    return cast("Callable[[object, bytes], int]", made)


def _method(address: int, *, ending: bool = False) -> Callable[..., int]:
    """Return what stands at an address as a function."""
    kind = ctypes.CFUNCTYPE(None, c_void_p) if ending else ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p)
    return cast("Callable[..., int]", kind(address))
