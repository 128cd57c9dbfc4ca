"""Several workers on one line: the order, and how each may end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

from flows.sharing import GoneError, Sharing


def doubling(patience: float = 0.0) -> Callable[[int], int]:
    def work(number: int) -> int:
        time.sleep(patience)
        return 2 * number

    return work


@pytest.mark.parametrize("seed", range(5))
def test_results_keep_the_order_whoever_makes_them(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    workers: set[str] = set()

    def work(number: int) -> int:
        workers.add(threading.current_thread().name)
        time.sleep(random.random() / 500)
        return 2 * number

    line = Sharing(iter(range(200)), work, [lambda: work] * random.randrange(4))
    assert list(line.results()) == [2 * number for number in range(200)]
    assert workers
    assert threading.active_count() < 10


def test_an_item_is_made_when_somebody_is_free_for_it() -> None:
    made: list[int] = []
    finished: list[int] = []

    def items() -> Iterator[int]:
        for number in range(200):
            assert len(made) - len(finished) < 3
            made.append(number)
            yield number

    def work(number: int) -> int:
        time.sleep(0.0005)
        finished.append(number)
        return number

    assert list(Sharing(items(), work, [lambda: work] * 2).results()) == made == list(range(200))


def test_what_a_worker_that_is_gone_was_given_is_done_by_the_others() -> None:
    given: list[int] = []

    def work(number: int) -> int:
        given.append(number)
        if len(given) == 3:
            raise GoneError
        return 2 * number

    line = Sharing(iter(range(100)), doubling(0.002), [lambda: work])
    assert list(line.results()) == [2 * number for number in range(100)]
    assert len(given) == 3


def test_a_worker_that_never_gets_ready_takes_nothing() -> None:
    def ready() -> Callable[[int], int]:
        raise GoneError

    assert list(Sharing(iter(range(10)), doubling(), [ready]).results()) == [2 * number for number in range(10)]


def test_a_worker_that_is_gone_at_the_end_loses_nothing() -> None:
    taken = threading.Event()

    def work(_: int) -> int:
        taken.set()
        time.sleep(0.05)
        raise GoneError

    def mine(number: int) -> int:
        taken.wait(1)
        return 2 * number

    assert list(Sharing(iter(range(2)), mine, [lambda: work]).results()) == [0, 2]


@pytest.mark.parametrize("where", ["items", "mine", "other", "ready"])
def test_what_anybody_raises_is_raised_where_results_are_taken(where: str) -> None:
    def items() -> Iterator[int]:
        yield from range(20)
        if where == "items":
            raise ValueError("items")
        yield from range(20, 40)

    def work(part: str) -> Callable[[int], int]:
        def do(number: int) -> int:
            time.sleep(0.001)
            if where == part and number > 5:
                raise ValueError(part)
            return 2 * number

        return do

    def ready() -> Callable[[int], int]:
        if where == "ready":
            raise ValueError("ready")
        return work("other")

    with pytest.raises(ValueError, match=where):
        list(Sharing(items(), work("mine"), [ready]).results())
    assert threading.active_count() < 10


def test_whoever_stops_early_stops_all() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1_000_000):
            made.append(number)
            yield number

    results = Sharing(items(), doubling(), [doubling]).results()
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    count = len(made)
    time.sleep(0.02)
    assert len(made) == count
