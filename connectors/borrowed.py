"""Columns whose texts stand in a block of bytes that somebody else owns: nothing is copied (Arrow's C data interface).

Polars says when it needs a block no longer, in whatever thread that happens. Were it Python that is told, this thread
would wait for Python's lock, and whoever holds the lock may be waiting for this thread; so it is told to a few
instructions of machine code, which set a flag, and blocks with their flag set are let go when the next one comes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import c_char_p, c_int8, c_int64, c_void_p
from dataclasses import dataclass
from functools import cache
from threading import Lock
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors import objects
from connectors.native import Bytes, Places
from connectors.views import BROKEN, INLINE, Made, Parts, view

LEAST: Final = 1 << 16  # bytes of a block
COLD: Final = 1 << 22  # where no machine code was loaded yet
VIEW: Final = np.dtype([("size", "<u4"), ("head", "<u4"), ("buffer", "<u4"), ("at", "<u4")])
# `private_data` of an array is at byte 72, its `release` at 64, that of a schema at 56
RELEASE: Final = """
define void @array(ptr %it) {
  %private = getelementptr i8, ptr %it, i64 72
  %flag = load ptr, ptr %private
  store atomic i8 1, ptr %flag release, align 1
  %release = getelementptr i8, ptr %it, i64 64
  store ptr null, ptr %release
  ret void
}
define void @schema(ptr %it) {
  %release = getelementptr i8, ptr %it, i64 56
  store ptr null, ptr %release
  ret void
}
"""


class _Schema(ctypes.Structure):
    _fields_ = (
        *((name, c_char_p) for name in ("format", "name", "metadata")),
        *((name, c_int64) for name in ("flags", "n_children")),
        *((name, c_void_p) for name in ("children", "dictionary", "release", "private_data")),
    )


class _Array(ctypes.Structure):
    _fields_ = (
        *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
        *((name, c_void_p) for name in ("buffers", "children", "dictionary", "release", "private_data")),
    )


@dataclass(frozen=True, slots=True)
class _Lent:
    """What Polars may look at until the flag is set."""

    flag: c_int8
    pointers: ctypes.Array[c_void_p]
    buffers: tuple[npt.NDArray[Any], ...]


_LENT: Final[list[_Lent]] = []
_LENDING: Final = Lock()  # two threads at it could forget what one has just lent


class _Column:
    """What Polars takes a column from."""

    def __init__(
        self, form: bytes, length: int, *buffers: npt.NDArray[Any], there: Bytes | None = None, missing: int = 0
    ) -> None:
        releases = _releases()
        valid = None if there is None else there.ctypes.data  # none: there are no nulls
        pointers = (c_void_p * (1 + len(buffers)))(valid, *(each.ctypes.data for each in buffers))
        self._lent = _Lent(c_int8(0), pointers, buffers if there is None else (*buffers, there))
        self._schema = _Schema(form, b"", None, 0, 0, None, None, releases["schema"], None)
        self._array = _Array(
            length, missing, 0, len(pointers), 0, ctypes.addressof(pointers), None, None, releases["array"],
            ctypes.addressof(self._lent.flag),
        )  # fmt: skip

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """Hand it over, once."""
        with _LENDING:
            _LENT[:] = [each for each in _LENT if not each.flag.value]
            _LENT.append(self._lent)
        capsule = _capsule()
        return (
            capsule(ctypes.addressof(self._schema), b"arrow_schema", None),
            capsule(ctypes.addressof(self._array), b"arrow_array", None),
        )


def texts(data: Bytes, starts: Places, sizes: Places) -> pl.Series:
    """Return the texts that stand at these places of a block, which must not change any more.

    Raises:
        ComputeError: they are not UTF-8.
    """
    views = np.zeros(starts.size, VIEW)
    views["size"], views["at"] = sizes, starts
    raw = views.view(np.uint8).reshape(-1, VIEW.itemsize)
    raw[:, 4:8] = _heads(data, starts, 4)
    short = np.flatnonzero(sizes <= INLINE)
    there = np.arange(INLINE) < sizes[short, None]
    raw[short, 4:] = np.where(there, _heads(data, starts[short], INLINE), 0)
    column = _Column(b"vz", starts.size, views, data, np.array([data.size]))
    return pl.Series(column).cast(pl.String)


def parts(data: Bytes, places: Parts) -> pl.Series:
    """Return what stands at these places of UTF-8; null where there is nothing.

    Raises:
        ComputeError: a place is within a character.
    """
    count = places.sizes.size
    made = Made(np.empty((count, 4), np.uint32), np.empty(count // 8 + 1, np.uint8))
    missing = view(data, places, made)
    if missing == BROKEN:
        raise pl.exceptions.ComputeError("a part of a text begins or ends within a character")
    column = _Column(b"vu", count, made.views, data, np.array([data.size]), there=made.there, missing=missing)
    return pl.Series(column)


def worth(size: int) -> bool:
    """Say whether a block of so many bytes had better be lent: Polars copies it sooner than machine code is loaded."""
    return size >= (LEAST if objects.loaded() else COLD)


def _heads(data: Bytes, starts: Places, size: int) -> Bytes:
    """Return the first bytes from these places on; beyond the end of the data the last one is repeated."""
    heads: Bytes = data[np.minimum(starts[:, None] + np.arange(size), data.size - 1)]
    return heads


@cache
def _capsule() -> Callable[[int, bytes, None], object]:
    made = ctypes.pythonapi.PyCapsule_New
    made.restype, made.argtypes = ctypes.py_object, [c_void_p, c_char_p, c_void_p]
    return cast("Callable[[int, bytes, None], object]", made)


@cache
def _releases() -> dict[str, int]:
    return objects.assembled(RELEASE, "array", "schema")
