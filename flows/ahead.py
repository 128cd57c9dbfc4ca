"""Work ahead in a thread: the next item is made while the consumer works on the last one.

Python runs one thread at a time, but Polars, zlib and the system calls of reading let the others run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from queue import Full, Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")

PATIENCE = 0.1  # seconds after which a producer that waits looks whether the consumer is still there


@dataclass(frozen=True, slots=True)
class _End:
    """Comes after the last item, with what ended the work."""

    error: BaseException | None


class _GoneError(Exception):
    """The consumer wants no more."""


class Ahead(Generic[Item]):
    """Carries items from a thread that makes them to the consumer, once.

    At most three items are alive: one with the consumer, one waiting, one in the making.
    """

    def __init__(self) -> None:
        self._queue: Queue[Item | _End] = Queue(maxsize=1)
        self._gone = threading.Event()

    def give(self, item: Item) -> None:
        """Hand an item over; called by the work, it returns when there is room for the next one."""
        self._put(item)

    def items(self, work: Callable[[], object]) -> Generator[Item, None, None]:
        """Run the work in a thread of its own, and yield what it gives.

        What it raises is raised here, after the items it gave before. Where the consumer stops early, the work is
        stopped when it gives its next item.
        """
        thread = threading.Thread(target=self._run, args=(work,), name="ahead")
        thread.start()
        try:
            while not isinstance(item := self._queue.get(), _End):
                yield item
        finally:
            self._gone.set()
            thread.join()
        if item.error:
            raise item.error

    def _run(self, work: Callable[[], object]) -> None:
        error = None
        try:
            work()
        except _GoneError:
            return
        except BaseException as raised:  # noqa: BLE001 - the consumer raises it
            error = raised
        with suppress(_GoneError):
            self._put(_End(error))

    def _put(self, item: Item | _End) -> None:
        while not self._gone.is_set():
            with suppress(Full):
                return self._queue.put(item, timeout=PATIENCE)
        raise _GoneError
