"""Several workers on one line of items: each takes the next one when it is free, and the results keep the order.

items ─► 0 ─► this thread ────► 0, 1, 2 …
         1 ─► thread of a worker ─┘
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Generic, TypeAlias, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
Work: TypeAlias = Callable[[Item], Result]


class GoneError(Exception):
    """A worker can't go on; what it was given is for the others."""


class Sharing(Generic[Item, Result]):
    """Does work on items, with others who do the same; used once.

    `mine` runs in the thread that takes the results. Each of `others` is called in a thread of its own, and returns, as
    soon as it is ready, what does its work there.
    """

    def __init__(
        self, items: Iterator[Item], mine: Work[Item, Result], others: Sequence[Callable[[], Work[Item, Result]]]
    ) -> None:
        self._items, self._mine, self._others = enumerate(items), mine, others
        self._taking, self._ended = Lock(), False
        self._left: list[tuple[int, Item]] = []  # by workers that are gone
        self._done: dict[int, Result] = {}
        self._told = 0
        self._errors: list[BaseException] = []

    def results(self) -> Iterator[Result]:
        """Yield what came of each item, in their order.

        What making an item or working on it raises is raised here.
        """
        threads = [Thread(target=self._run, args=(other,), name="beside") for other in self._others]
        for thread in threads:
            thread.start()
        try:
            yield from self._work()
        finally:
            self._end()
            for thread in threads:
                thread.join()
        yield from self._work()
        if self._errors:
            raise self._errors[0]

    def _work(self) -> Iterator[Result]:
        """Work until nothing is left to take, and yield the results whose turn has come."""
        while (taken := self._left.pop() if self._left else self._next()) is not None:
            number, item = taken
            self._done[number] = self._mine(item)
            yield from self._ready()
        yield from self._ready()

    def _ready(self) -> Iterator[Result]:
        while self._told in self._done:
            self._told += 1
            yield self._done.pop(self._told - 1)

    def _run(self, other: Callable[[], Work[Item, Result]]) -> None:
        """Work in the thread of another worker for as long as it is there."""
        try:
            with suppress(GoneError):
                work = other()
                while (taken := self._next()) is not None:
                    self._try(work, *taken)
        except BaseException as error:  # noqa: BLE001 - raised where the results are taken
            self._errors.append(error)
            self._end()

    def _try(self, work: Work[Item, Result], number: int, item: Item) -> None:
        try:
            self._done[number] = work(item)
        except GoneError:
            self._left.append((number, item))
            raise

    def _next(self) -> tuple[int, Item] | None:
        with self._taking:
            taken = None if self._ended else next(self._items, None)
            self._ended = taken is None
            return taken

    def _end(self) -> None:
        with self._taking:
            self._ended = True
