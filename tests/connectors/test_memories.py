"""What every memory of correlations promises; tests/integration/test_elastic_memory.py asks it of Elasticsearch too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pytest

from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Block, Memory
from detectors.correlation.memory import Held

REACH = 60_000_000
COLUMNS = ("event.id", "time")
Opener: TypeAlias = Callable[[], Memory]  # each call is another worker, with the same memory


@pytest.fixture(params=["held", "store"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    held, store = Held(), Store(tmp_path / "store.sqlite")
    yield (lambda: held) if request.param == "held" else partial(StoreMemory, store, REACH)
    store.close()


def block(*times: int, rule: str = "r", **columns: str) -> Block:
    frame = pl.DataFrame({"event.id": [f"e{time}" for time in times], "time": times})
    return Block(rule, frame.with_columns(pl.lit(text).alias(name) for name, text in columns.items()))


def times(memory: Memory, rule: str = "r", within: list[tuple[int, int]] | None = None) -> list[int]:
    """Return the times recalled; a memory may know more than it was asked for, as a block is read whole."""
    found = memory.recall(rule, COLUMNS, within, "us")["time"].to_list()
    return sorted(time for time in found if within is None or any(begin <= time <= end for begin, end in within))


def test_what_is_kept_twice_is_there_once(opened: Opener) -> None:
    opened().keep([block(1, 2), block(2, 3), block(9, rule="other")], {})
    opened().keep([block(2, 1)], {})
    assert times(opened()) == [1, 2, 3]


def test_what_one_worker_keeps_the_other_sees_at_once(opened: Opener) -> None:
    one, other = opened(), opened()
    for time in range(5):
        one.keep([block(time)], {})
        assert len(times(other)) == 2 * time + 1
        other.keep([block(100 + time)], {})
        assert len(times(one)) == 2 * time + 2


def test_matches_are_found_by_time_and_missing_columns_are_null(opened: Opener) -> None:
    memory = opened()
    memory.keep([block(1, 2), block(100, user="lan"), block(200)], {})
    assert times(memory, within=[(2, 50), (200, 300)]) == [2, 200]
    assert times(memory, within=[(2, 100)]) == [2, 100]
    assert times(memory, within=[(7, 8)]) == []
    assert times(memory, within=[(time, time) for time in range(-400, 101, 2)]) == [2, 100]
    assert memory.recall("r", (*COLUMNS, "user"), None, "us").sort("time")["user"].to_list() == [
        None,
        None,
        "lan",
        None,
    ]
    assert memory.recall("nothing", COLUMNS, None, "us").height == 0


def test_told_is_told_by_somebody(opened: Opener) -> None:
    memory = opened()
    memory.keep([first := block(1), block(2)], {})
    memory.told([first], "us")
    memory.keep([block(3)], {})
    for by, told in (("us", [True, False, False]), ("others", [False] * 3)):
        assert opened().recall("r", COLUMNS, None, by).sort("time")["told"].to_list() == told


def test_time_never_goes_back_and_passes_in_each_stream_by_itself(opened: Opener) -> None:
    opened().pass_time({("auth", ""): 5, ("web", "0"): 7, ("web", "1"): 6})
    opened().pass_time({("auth", ""): 3, ("web", "1"): 9})
    assert opened().times() == {("auth", ""): 5, ("web", "0"): 7, ("web", "1"): 9}


def test_the_earliest_waits_and_what_came_meanwhile_is_looked_at_again(opened: Opener) -> None:
    memory, other = opened(), opened()
    assert memory.waiting() == {}
    for number, since in enumerate((30, 20, 25)):
        memory.keep([block(number)], {"c": since, "d": 1})
    seen = memory.waiting()
    assert {name: each.since for name, each in seen.items()} == {"c": 20, "d": 1}
    other.keep([block(4)], {"c": 90})
    memory.settle("c", seen["c"], 40)
    memory.settle("d", seen["d"], 50)
    again = other.waiting()
    assert {name: each.since for name, each in again.items()} == {"c": 20, "d": 50}
    memory.settle("c", again["c"], 40)
    other.settle("c", again["c"], 60)  # it looked with older eyes
    last = memory.waiting()["c"]
    assert last.since == 20
    memory.settle("c", last, 60)
    assert opened().waiting()["c"].since == 60
