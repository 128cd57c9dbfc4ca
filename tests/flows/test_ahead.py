"""Working ahead: order, bounds, and how either side ends the other."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from flows.ahead import Ahead


def giving(line: Ahead[int], count: int, done: Callable[[], object] = int) -> Callable[[], None]:
    def work() -> None:
        try:
            for number in range(count):
                line.give(number)
        finally:
            done()

    return work


def test_items_come_in_order_and_all_of_them() -> None:
    line = Ahead[int]()
    assert list(line.items(giving(line, 1000))) == list(range(1000))


def test_work_without_items_yields_none() -> None:
    assert list(Ahead[int]().items(lambda: None)) == []


def test_no_more_than_one_item_waits() -> None:
    line, given = Ahead[int](), list[int]()

    def work() -> None:
        for number in range(100):
            given.append(number)
            line.give(number)

    for number in line.items(work):
        assert len(given) <= number + 3  # with the consumer, waiting, in the making


def test_what_the_work_raises_comes_after_what_it_gave() -> None:
    line, seen = Ahead[int](), list[int]()

    def work() -> None:
        line.give(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        seen.extend(line.items(work))
    assert seen == [1]


def test_a_consumer_that_stops_early_ends_the_work() -> None:
    line, ended = Ahead[int](), threading.Event()
    for number in line.items(giving(line, 1_000_000, ended.set)):
        if number == 3:
            break
    assert ended.wait(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]
