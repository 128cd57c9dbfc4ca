"""The memory of correlations in the embedded store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.blocks import HOUR, SLACK
from connectors.store import Store
from connectors.store_memory import MANY, StoreMemory
from tests.connectors.test_memories import COLUMNS, REACH, block, times


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


class Clock:
    now = 1_000 * HOUR

    def __call__(self) -> int:
        return self.now


def test_blocks_go_when_no_window_reaches_them_whatever_times_they_claim(store: Store) -> None:
    clock = Clock()
    memory = StoreMemory(store, REACH, clock)
    memory.keep([block(10**17), block(1)], {})
    clock.now += SLACK + REACH + 1
    memory.keep([block(5)], {})
    assert times(StoreMemory(store, REACH, clock)) == [5]


def test_small_blocks_of_an_hour_are_joined(store: Store) -> None:
    memory = StoreMemory(store, REACH)
    for time in range(MANY + 1):
        memory.keep([each := block(time, user="x")], {})
        memory.told([each], "us")
    assert store.query("SELECT count(*) FROM blocks", ())[0][0] < 5
    for known in (memory, StoreMemory(store, REACH)):
        assert sorted(times(known)) == [*range(MANY + 1)]
        assert known.recall("r", COLUMNS, None, "us")["told"].all()
