"""Loops over bytes as machine code: Numba compiles a function when it is first called, and keeps the code on disk.

Compiled code lets other threads run, and checks no bounds: what calls `vector` and `word` must.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])
Bytes = npt.NDArray[np.uint8]

WIDTH: Final = 32  # bytes that are looked at in one step


def _without_blas() -> None:
    """Have Numba find no BLAS: looking for it imports SciPy, a quarter of the time that Numba takes to load.

    All it would do with one here is to make Kronecker products faster.
    """

    def none() -> None:
        raise ImportError("not looked for")

    linalg: Any = import_module("numba.np.linalg")
    there, linalg.ensure_blas = linalg.ensure_blas, none
    try:
        import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = there


_without_blas()


def compiled(function: Function) -> Function:
    """Compile a function; where no folder can be written it is compiled anew by every process."""
    try:
        made = numba.njit(nogil=True, forceinline=True, cache=True)(function)
    except RuntimeError:  # no place for the cache
        made = numba.njit(nogil=True, forceinline=True)(function)
    return cast("Function", made)


def _vector(_context: Any, data: Any, at: Any) -> Any:
    r"""Return of `WIDTH` bytes a bit each: set where one ends a run of plain JSON text (`"`, `\` or a control)."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), WIDTH)
        place = builder.bitcast(_place(context, builder, signature, arguments), lanes.as_pointer())
        found = builder.load(place, align=1)

        def lane(operator: str, byte: int) -> Any:
            return builder.icmp_unsigned(operator, found, ir.Constant(lanes, [byte] * WIDTH))

        ends = builder.or_(lane("==", ord('"')), lane("==", ord("\\")))
        return builder.bitcast(builder.or_(ends, lane("<", 0x20)), ir.IntType(WIDTH))

    return types.uint32(data, at), emit


def _word(_context: Any, data: Any, at: Any) -> Any:
    """Return eight bytes as a number."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, at), emit


def _lowest(_context: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is set; there must be one."""

    def emit(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(place, ir.IntType(64))

    return types.int64(types.uint32), emit


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


vector = cast("Callable[[Bytes, int], np.uint32]", intrinsic(_vector))
word = cast("Callable[[Bytes, int], np.uint64]", intrinsic(_word))
lowest = cast("Callable[[np.uint32], int]", intrinsic(_lowest))
