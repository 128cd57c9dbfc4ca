"""Loops over bytes as machine code: a function is compiled by Numba once, and its code kept on disk (`objects`).

Compiled code lets other threads run, and checks no bounds: what calls `vector`, `pairs`, `item`, `word`, `copy` must.
It makes no arrays of its own, so that what was kept needs nothing of Numba, which takes longer to load than most logs
take to read.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from importlib import import_module
from threading import Lock
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt

from connectors import objects
from connectors.objects import Object

Function = TypeVar("Function", bound=Callable[..., Any])
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]  # in the bytes of many texts
Spans = npt.NDArray[np.int32]  # places, or sizes, within a text

WIDTH: Final = 32  # bytes that are looked at in one step
FINE: Final = (0, -2)  # what machine code returns that raised nothing: Numba's RETCODE_OK and RETCODE_NONE
RESULTS: Final[dict[str, Callable[[int], Any]]] = {
    "int64": int,
    "bool": lambda value: bool(value & 1),
    "none": lambda _: None,
}
_MAKING: Final = Lock()


class Compiled:
    """A function as machine code, made for each combination of types that it is called with.

    Where no folder can be written it is compiled anew by every process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Take a function whose arguments are arrays, numbers, and named tuples of them."""
        update_wrapper(self, function)
        self.function = function
        self._made: dict[objects.Types, Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        """Run it; where it is called the first time with such types, it is loaded or compiled before."""
        types = objects.types(args)
        if types not in self._made:
            with _MAKING:
                self._made[types] = self._make(types, args)
        return self._made[types](*args)

    @cached_property
    def dispatcher(self) -> Any:
        """What Numba knows it as."""
        return _numba().njit(nogil=True, forceinline=True, _nrt=False)(self.function)

    def _make(self, types: objects.Types, args: tuple[Any, ...]) -> Callable[..., Any]:
        kept = objects.kept(self.function, types)
        if (made := objects.read(kept)) is None:
            made = self._compiled(args)
            objects.write(kept, made)
        return _called(made) if made.result in RESULTS else self.dispatcher

    def _compiled(self, args: tuple[Any, ...]) -> Object:
        numba, target = _numba(), self.dispatcher.targetdescr
        target.typing_context.refresh()
        target.target_context.refresh()
        flags = import_module("numba.core.compiler").Flags()
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True  # they would need Numba's run time
        made = import_module("numba.core.compiler").compile_extra(
            target.typing_context, target.target_context, self.function, [*map(numba.typeof, args)], None, flags, {}
        )
        result = str(made.signature.return_type)
        return Object(made.fndesc.llvm_func_name, result, made.library._get_compiled_object())  # noqa: SLF001


_INTRINSICS: Final[list[Intrinsic]] = []


class Intrinsic:
    """A function that is a few instructions of its own."""

    def __init__(self, maker: Callable[..., Any]) -> None:
        """Take what returns the types, and what emits the instructions."""
        self.maker = maker
        _INTRINSICS.append(self)


def compiled(function: Function) -> Function:
    """Make machine code of a function."""
    return cast("Function", Compiled(function))


def _called(made: Object) -> Callable[..., Any]:
    """Return what calls machine code as Numba's code is called: with places for the result and for what it raises."""
    address, result = objects.load(made), RESULTS[made.result]

    def call(*args: Any) -> Any:
        words = [word for arg in args for word in _words(arg)]
        returned, raised = ctypes.c_int64(0), ctypes.c_void_p()
        typed = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * len(words))(address)
        if typed(ctypes.addressof(returned), ctypes.addressof(raised), *words) not in FINE:
            raise IndexError(f"{made.name} went beyond an array")
        return result(returned.value)

    return call


def _words(arg: Any) -> list[int]:
    """Return an argument as the machine words that Numba's code takes it in."""
    if isinstance(arg, np.ndarray):
        return [0, 0, arg.size, arg.itemsize, arg.ctypes.data, *arg.shape, *arg.strides]
    return [word for each in arg for word in _words(each)] if isinstance(arg, tuple) else [int(arg)]


@cache
def _numba() -> Any:
    """Load Numba, and tell it what stands for compiled functions and instructions.

    It shall find no BLAS: looking for it imports SciPy, a quarter of the time that Numba takes to load. All it would do
    with one here is to make Kronecker products faster.
    """

    def none() -> None:
        raise ImportError("not looked for")

    numba = import_module("numba")
    linalg: Any = import_module("numba.np.linalg")
    there, linalg.ensure_blas = linalg.ensure_blas, none
    try:
        import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = there
    typeof: Any = import_module("numba.extending").typeof_impl
    context = import_module("numba.core.registry").cpu_target.typing_context
    known: dict[object, Any] = {each: import_module("numba.extending").intrinsic(each.maker) for each in _INTRINSICS}
    typeof.register(Compiled)(lambda each, told: typeof(each.dispatcher, told))
    typeof.register(Intrinsic)(lambda each, _: context.resolve_value_type(known[each]))
    return numba


def _vector(_context: Any, data: Any, at: Any) -> Any:
    r"""Return of `WIDTH` bytes a bit each: set where one ends a run of plain JSON text (`"`, `\` or a control)."""
    ir, types = _ir()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), WIDTH)
        place = builder.bitcast(_place(context, builder, signature, arguments), lanes.as_pointer())
        found = builder.load(place, align=1)

        def lane(operator: str, byte: int) -> Any:
            return builder.icmp_unsigned(operator, found, ir.Constant(lanes, [byte] * WIDTH))

        ends = builder.or_(lane("==", ord('"')), lane("==", ord("\\")))
        return builder.bitcast(builder.or_(ends, lane("<", 0x20)), ir.IntType(WIDTH))

    return types.uint32(data, at), emit


def _equal(_context: Any, data: Any, at: Any, byte: Any) -> Any:
    """Return of `WIDTH` bytes a bit each: set where one is this byte."""
    ir, types = _ir()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), WIDTH)
        place = builder.bitcast(_place(context, builder, signature, arguments), lanes.as_pointer())
        same = builder.icmp_unsigned("==", builder.load(place, align=1), _spread(ir, builder, arguments[2]))
        return builder.bitcast(same, ir.IntType(WIDTH))

    return types.uint32(data, at, types.uint8), emit


def _pairs(_context: Any, data: Any, at: Any, first: Any, second: Any) -> Any:
    """Return of `WIDTH` bytes a bit each: set where one is the first and the next the second; reads a byte more."""
    ir, types = _ir()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = ir.VectorType(ir.IntType(8), WIDTH)
        place = _place(context, builder, signature, arguments)
        after = builder.gep(place, [ir.Constant(ir.IntType(64), 1)])

        def same(there: Any, byte: Any) -> Any:
            found = builder.load(builder.bitcast(there, lanes.as_pointer()), align=1)
            return builder.icmp_unsigned("==", found, _spread(ir, builder, byte))

        both = builder.and_(same(place, arguments[2]), same(after, arguments[3]))
        return builder.bitcast(both, ir.IntType(WIDTH))

    return types.uint32(data, at, types.uint8, types.uint8), emit


def _item(_context: Any, data: Any, at: Any) -> Any:
    """Return an item. Numba's own way would first look whether the place is counted from the end."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments))

    return data.dtype(data, at), emit


def _word(_context: Any, data: Any, at: Any) -> Any:
    """Return eight bytes as a number."""
    ir, types = _ir()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature, arguments)
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, at), emit


def _copy(_context: Any, data: Any, at: Any, address: Any, size: Any) -> Any:
    """Copy so many bytes from an address of memory to a place of an array."""
    _, types = _ir()

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        utils = import_module("numba.core.cgutils")
        there = builder.inttoptr(arguments[2], utils.voidptr_t)
        utils.raw_memcpy(builder, _place(context, builder, signature, arguments), there, arguments[3], 1)
        return context.get_dummy_value()

    return types.void(data, at, types.int64, types.int64), emit


def _lowest(_context: Any, bits: Any) -> Any:
    """Return the place of the lowest bit that is set; there must be one."""
    ir, types = _ir()

    def emit(_: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.zext(place, ir.IntType(64))

    return types.int64(types.uint32), emit


def _ir() -> tuple[Any, Any]:
    """Load what instructions and their types are written in."""
    return import_module("llvmlite.ir"), import_module("numba.types")


def _spread(ir: Any, builder: Any, byte: Any) -> Any:
    """Return `WIDTH` times the same byte."""
    undefined = ir.Constant(ir.VectorType(ir.IntType(8), WIDTH), ir.Undefined)
    one = builder.insert_element(undefined, byte, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH))


def _place(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    _, types = _ir()
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [context.cast(builder, arguments[1], signature.args[1], types.intp)])


vector = cast("Callable[[Bytes, int], np.uint32]", Intrinsic(_vector))
equal = cast("Callable[[Bytes, int, int], np.uint32]", Intrinsic(_equal))
pairs = cast("Callable[[Bytes, int, int, int], np.uint32]", Intrinsic(_pairs))
item = cast("Callable[[npt.NDArray[Any], int], Any]", Intrinsic(_item))
word = cast("Callable[[Bytes, int], np.uint64]", Intrinsic(_word))
copy = cast("Callable[[Bytes, int, int, int], None]", Intrinsic(_copy))
lowest = cast("Callable[[np.uint32], int]", Intrinsic(_lowest))
