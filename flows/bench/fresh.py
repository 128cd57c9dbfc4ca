"""Measurements in a process of their own, where nothing is cached yet and all memory is the measurement's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

Args = ParamSpec("Args")
Result = TypeVar("Result")

THREADS = "POLARS_MAX_THREADS"  # read once, when Polars is imported


def fresh(work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Return what `work`, a function of some module, returns in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(work, *args, **kwargs).result()


def on_one_core(work: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    """Return what `work` returns in a new process whose frames are worked on by one thread."""
    with _environment(THREADS, "1"):
        return fresh(work, *args, **kwargs)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
