"""The memory of correlations in the embedded store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from connectors.store import Store
from connectors.store_memory import HOUR, MANY, SLACK, StoreMemory
from detectors.contracts import Block

REACH = 60_000_000
COLUMNS = ("event.id", "time")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


class Clock:
    now = 1_000 * HOUR

    def __call__(self) -> int:
        return self.now


def block(*times: int, rule: str = "r", **columns: str) -> Block:
    frame = pl.DataFrame({"event.id": [f"e{time}" for time in times], "time": times})
    return Block(rule, frame.with_columns(pl.lit(text).alias(name) for name, text in columns.items()))


def times(memory: StoreMemory, rule: str = "r", within: list[tuple[int, int]] | None = None) -> list[int]:
    return memory.recall(rule, COLUMNS, within, "us")["time"].to_list()


def test_what_is_kept_twice_is_there_once(store: Store) -> None:
    memory = StoreMemory(store, REACH)
    memory.keep([block(1, 2), block(2, 3), block(9, rule="other")], {})
    memory.keep([block(2, 1)], {})
    assert sorted(times(memory)) == [1, 2, 3]
    assert store.query("SELECT count(*) FROM blocks", ())[0] == (3,)


def test_blocks_are_read_by_time_and_missing_columns_are_null(store: Store) -> None:
    memory = StoreMemory(store, REACH)
    memory.keep([block(1, 2), block(100), block(200)], {})
    assert times(memory, within=[(2, 50), (200, 300)]) == [1, 2, 200]
    assert memory.recall("r", (*COLUMNS, "field:user"), None, "us")["field:user"].null_count() == 4
    assert memory.recall("nothing", COLUMNS, None, "us").height == 0


def test_told_is_told_by_somebody(store: Store) -> None:
    memory = StoreMemory(store, REACH)
    memory.keep([first := block(1), block(2)], {})
    memory.told([first], "us")
    for by, told in (("us", [True, False]), ("others", [False, False])):
        assert memory.recall("r", COLUMNS, None, by).sort("time")["told"].to_list() == told


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


def test_time_never_goes_back_and_the_earliest_waits(store: Store) -> None:
    memory = StoreMemory(store, REACH)
    memory.pass_time({"auth": 5, "web": 7})
    memory.pass_time({"auth": 3})
    assert memory.times() == {"auth": 5, "web": 7}
    memory.keep([block(1)], {"c": 30})
    memory.keep([block(2)], {"c": 20})
    memory.keep([block(3)], {"c": 25})
    assert memory.waiting() == {"c": 20}
    memory.settle("c", 21, 40)  # somebody kept earlier ones meanwhile
    assert memory.waiting() == {"c": 20}
    memory.settle("c", 20, 40)
    assert StoreMemory(store, REACH).waiting() == {"c": 40}
