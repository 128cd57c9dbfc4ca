"""How far long work has come: a bar on a terminal, a line now and then elsewhere. On stderr, for people."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from flows.terminal import plain

INTERVAL = 10.0  # seconds between lines


class Report(Protocol):
    """Called with what is being read, how much of it is done, and how much there is (bytes)."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


@contextmanager
def progress(what: str, *, sized: bool = True) -> Iterator[Report]:
    """Show how far work has come while the block runs; `sized` says that it is counted in bytes."""
    if sys.stderr.isatty():
        with _bar(what, sized=sized) as report:
            yield report
    else:
        yield _Lines(what)


@contextmanager
def _bar(what: str, *, sized: bool) -> Iterator[Report]:
    from rich import progress as rich  # noqa: PLC0415 - only a terminal needs it
    from rich.console import Console  # noqa: PLC0415

    counted = (rich.DownloadColumn(), rich.TransferSpeedColumn()) if sized else (rich.TaskProgressColumn(),)
    columns = (rich.TextColumn("{task.description}", markup=False), rich.BarColumn(), *counted)
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {what: bar.add_task(what, total=None)}

        def report(label: str, done: int, total: int) -> None:
            bar.update(tasks[what], description=plain(label, 40), completed=done, total=total)

        yield report


class _Lines:
    def __init__(self, what: str) -> None:
        self._what, self._last = what, time.monotonic()

    def __call__(self, label: str, done: int, total: int) -> None:
        if time.monotonic() - self._last >= INTERVAL:
            self._last = time.monotonic()
            share = f"{100 * done // total} %" if total else f"{done} bytes"
            print(f"{self._what}: {plain(label, 80)} {share}", file=sys.stderr)
