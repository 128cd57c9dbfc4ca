"""What correlations cost: many matches within one window, of which nothing follows, or everything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.content import contents
from detectors.contracts import Block
from detectors.correlation.correlator import Correlator
from detectors.correlation.evaluate import FIELD
from detectors.correlation.link import SECOND, Linked, link
from detectors.correlation.rule import Correlation
from detectors.sigma.rule import Rule
from flows.bench.fresh import fresh
from flows.bench.table import table
from flows.process import peak_memory

GROUPS, BATCHES = 1_000, 20
SPAN = 3_600  # seconds, in which all matches lie
BEGIN = 1_767_225_600 * SECOND  # 2026-01-01
RULES = """title: Counted
name: counted
logsource: {{category: test}}
detection: {{selection: {{a: 1}}, condition: selection}}
---
title: Measured
correlation: {{rules: counted, group-by: user.name, timespan: 1h, {rest}}}
"""
# What a correlation asks for, and by how much that is missed in the quiet case.
KINDS = {
    "event_count": "type: event_count, condition: {{gte: {limit}}}",
    "value_count": "type: value_count, condition: {{gte: {limit}, field: source.ip}}",
    "value_sum": "type: value_sum, condition: {{gte: {limit}, field: size}}",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one case took."""

    kind: str
    alerting: bool
    seconds: float  # all batches, and what waits
    last: float  # seconds of the last batch, when all others are remembered
    peak_mb: float
    findings: int
    matches: int


def costs(matches: int, kinds: Sequence[str] = tuple(KINDS)) -> list[Cost]:
    """Measure each case in a process of its own."""
    return [fresh(cost, matches, kind, alerting=alerting) for kind in kinds for alerting in (False, True)]


def shown(found: Sequence[Cost], matches: int) -> str:
    """Return the figures as a table."""
    rows = [
        (f"{each.kind}, {'everything alerts' if each.alerting else 'quiet'}", each.seconds, each.last, each.peak_mb,
         each.matches)
        for each in found
    ]  # fmt: skip
    head = f"{matches:,} matches of a rule within one hour, {GROUPS:,} groups, {BATCHES} batches"
    return f"{head}\n{table(('', 'seconds', 'last batch', 'peak MB', 'stored'), rows)}"


def documents(found: Sequence[Cost]) -> list[dict[str, Any]]:
    """Return the figures as plain data."""
    return [asdict(each) for each in found]


def cost(matches: int, kind: str, *, alerting: bool) -> Cost:
    """Carry batches of matches through a correlation, its memory and a store."""
    linked = _linked(kind, 2 if alerting else 10**9)
    with tempfile.TemporaryDirectory(prefix="soc-bench-") as folder:
        store = Store(Path(folder) / "store.sqlite")
        correlator = Correlator([linked], StoreMemory(store, linked.reach))
        start = time.perf_counter()
        last = 0.0
        for block in _blocks(next(linked.leaves()).id, matches):
            began = time.perf_counter()
            for found in correlator.take([block]):
                store.findings(found.findings)
                store.matches(found.matches)
            correlator.told([block])
            last = time.perf_counter() - began
        for found in correlator.conclude() if linked.waits else ():
            store.findings(found.findings)
            store.matches(found.matches)
        seconds, counts = time.perf_counter() - start, store.counts()
        store.close()
    return Cost(kind, alerting, seconds, last, peak_memory(), counts["findings"], counts["matches"])


def _linked(kind: str, limit: int) -> Linked:
    text = RULES.format(rest=KINDS[kind].format(limit=limit))
    read = [*contents(text, "bench.yml")]
    made, faults = link(
        [each for each in read if isinstance(each, Correlation)], [each for each in read if isinstance(each, Rule)]
    )
    if faults:
        raise faults[0]
    return made[0]


def _blocks(rule: str, matches: int) -> Iterator[Block]:
    """Yield matches in order of time, dealt to the groups in turn."""
    size = -(-matches // BATCHES)
    for begin in range(0, matches, size):
        numbers = np.arange(begin, min(begin + size, matches))
        text = partial(pl.Series, dtype=pl.String)
        yield Block(
            rule,
            pl.DataFrame(
                {
                    "event.id": text(values=[f"{number:032x}" for number in numbers]),
                    "time": BEGIN + numbers * (SPAN * SECOND // matches),
                    "soc.source": pl.repeat("bench", len(numbers), eager=True),
                    "event.original": text(values=[f"Failed password for user{number % GROUPS}" for number in numbers]),
                    f"{FIELD}user.name": text(values=[f"user{number % GROUPS}" for number in numbers]),
                    f"{FIELD}source.ip": text(values=[f"192.0.2.{number % 251}" for number in numbers]),
                    f"{FIELD}size": text(values=[f"{number % 997 + 2}" for number in numbers]),
                }
            ),
        )
