"""Machine code of functions, kept on disk, and loaded without the compiler that made it.

Code is for one processor, and for the text of a function and of all modules of ours that its own imports. Who may write
the folder of a module may change what the module does; its code lies in the same place, or where the settings of Numba
(NUMBA_CACHE_DIR) say.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np

from connectors.kept import Kept

Types: TypeAlias = tuple[Any, ...]

IMPORT: Final = re.compile(r"^from (connectors[\w.]*) import (\([^)]*|[^(\n]*)", re.MULTILINE)
# of modules in a folder that nobody may write; without a home, nothing is kept
HOME: Final = Path(os.path.expanduser("~/.cache/gialai-soc"))  # noqa: PTH111 - raises where there is no home
_ENGINES: Final[list[Any]] = []  # own the code that was loaded


class Object(NamedTuple):
    """Machine code of a function: its name in there, what it returns, and the object file."""

    name: str
    result: str
    code: bytes


def types(args: tuple[Any, ...]) -> Types:
    """Return what machine code depends on of arguments."""
    return tuple(_type(arg) for arg in args)


def kept(function: Callable[..., Any], types: Types) -> Kept:
    """Return where the code of a function is kept."""
    module = function.__module__
    settings = sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_"))
    told = repr((types, _processor(), settings)).encode()
    return Kept(_folder(module), f"{module}.{function.__name__}", told, sources(module))


def read(kept: Kept) -> Object | None:
    """Return what is kept, if anything is."""
    name, _, rest = (kept.read() or b"").partition(b"\n")
    result, _, code = rest.partition(b"\n")
    return Object(name.decode(), result.decode(), code) if code else None


def write(kept: Kept, made: Object) -> None:
    """Keep machine code."""
    kept.write(b"\n".join((made.name.encode(), made.result.encode(), made.code)))


def loaded() -> bool:
    """Say whether machine code was loaded, or compiled, by this process: to load more takes little."""
    return "llvmlite.binding" in sys.modules


def load(made: Object) -> int:
    """Load machine code, and return where it begins."""
    binding = _binding()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(made.code))
    engine.finalize_object()
    _ENGINES.append(engine)
    return int(engine.get_function_address(made.name))


def assembled(text: str, *names: str) -> dict[str, int]:
    """Make machine code of LLVM's own language, and return where these functions of it begin; it stays to the very end.

    Who calls them may outlive everything of Python's.
    """
    binding = _binding()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(text), _machine())
    engine.finalize_object()
    found = {name: int(engine.get_function_address(name)) for name in names}
    engine.detach()
    return found


def _type(arg: Any) -> Any:
    if isinstance(arg, np.ndarray):
        return arg.dtype, arg.ndim, arg.flags.c_contiguous, arg.flags.writeable, arg.flags.aligned
    if isinstance(arg, tuple):
        return type(arg).__name__, *map(_type, arg)
    return arg.dtype.str if isinstance(arg, np.generic) else type(arg).__name__


@cache
def _binding() -> Any:
    binding = import_module("llvmlite.binding")
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def _machine() -> Any:
    return _binding().Target.from_default_triple().create_target_machine(opt=3, reloc="default", codemodel="jitdefault")


@cache
def _processor() -> tuple[str, ...]:
    """Name the processor, and those who make code for it."""
    binding = _binding()
    features = binding.get_host_cpu_features().flatten()
    return binding.get_host_cpu_name(), features, version("numba"), version("llvmlite"), np.__version__, sys.version


@cache
def _folder(module: str) -> Path:
    """Return where a module's code goes, whether or not it can be written."""
    asked = os.environ.get("NUMBA_CACHE_DIR")
    near = Path(str(sys.modules[module].__file__)).parent / "__pycache__"
    writable = os.access(near if near.exists() else near.parent, os.W_OK)
    return Path(asked) if asked else near if writable else HOME


@cache
def sources(module: str) -> bytes:
    """Return the texts of a module and of all modules of ours that it imports, and so on."""
    texts: dict[str, bytes] = {}
    left = [module]
    while left:
        name = left.pop()
        if name not in texts and (file := getattr(sys.modules.get(name), "__file__", None)):
            texts[name] = Path(file).read_bytes()
            left += _imported(texts[name].decode())
    return b"\0".join(texts[name] for name in sorted(texts))


def _imported(text: str) -> Iterator[str]:
    """Yield what may be modules of ours among what a text imports."""
    for package, names in IMPORT.findall(text):
        yield package
        yield from (f"{package}.{name}" for name in re.findall(r"\w+", names))
