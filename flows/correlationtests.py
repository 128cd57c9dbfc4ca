"""Tests of a correlation: each is run in several ways, all of which must come to the same.

Every way to bring the events of every test is a stream. All streams are run at once, each as a group of its own, which
finds what it would find alone and takes a small part of the time: what a batch costs hardly depends on its size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final

import numpy as np
import polars as pl

from detectors.contracts import Block
from detectors.correlation.correlator import Correlator
from detectors.correlation.evaluate import FIELD
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.findings import Found
from detectors.identity import GROUP

SHUFFLES: Final = 4
STEPS: Final = 8  # batches that a shuffled stream comes in at most: each costs an evaluation
STREAM: Final = "stream of a test"  # the field that keeps streams apart; no log has it
COMPARED: Final = GROUP - 100  # characters of a group key; a longer one ends in a digest of it and its stream

Order = Sequence[tuple[int, int]]  # numbers of matches, and the batch in which each comes
Keys = frozenset[tuple[str, datetime]]  # of findings: the group, and when the window begins
TOGETHER: Final = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether there is an alert, and a way to bring the same matches that leads to other findings ("": none)."""

    alert: bool
    unsteady: str = ""


def judged(linked: Linked, cases: Sequence[Sequence[Block]]) -> list[Verdict]:
    """Run tests, each given by the matches of its events, in all ways."""
    return [_verdict(found) for found in _run(linked, [(blocks, _ways(_count(blocks))) for blocks in cases])]


def alerts(linked: Linked, cases: Sequence[Sequence[Block]]) -> list[bool]:
    """Say of each test, given by the matches of its events, whether the correlation raises an alert in one batch."""
    asked = [(blocks, {TOGETHER: _together(_count(blocks))}) for blocks in cases]
    return [bool(found[TOGETHER]) for found in _run(linked, asked)]


def _verdict(found: Mapping[str, Keys]) -> Verdict:
    expected = found[TOGETHER]
    return Verdict(bool(expected), next((way for way, keys in found.items() if keys != expected), ""))


def _count(blocks: Sequence[Block]) -> int:
    return sum(block.matches.height for block in blocks)


def _together(count: int) -> Order:
    return [(each, 0) for each in range(count)]


def _ways(count: int) -> dict[str, Order]:
    """Return the ways in which so many matches come."""
    ways: dict[str, Order] = {
        TOGETHER: _together(count),
        "one by one": [(each, each) for each in range(count)],
        "twice": [(each, batch) for batch in (0, 1) for each in range(count)],
        "backwards": [(each, count - 1 - each) for each in range(count)],
    }
    for number in range(SHUFFLES):
        shuffled = Random(number).sample(range(count), count)  # noqa: S311 - no secret
        size = -(-count // STEPS) or 1
        ways[f"in another order ({number + 1})"] = [(each, at // size) for at, each in enumerate(shuffled)]
    return ways


def _run(linked: Linked, cases: Sequence[tuple[Sequence[Block], Mapping[str, Order]]]) -> list[dict[str, Keys]]:
    """Return what is found in each way of each test. Time passes for all at once, so what waits for it runs alone."""
    if linked.waits and len(cases) > 1:
        return [found for case in cases for found in _run(linked, [case])]
    streams = [(blocks, order) for blocks, ways in cases for order in ways.values()]
    found = iter(_found(linked, streams))
    return [{way: next(found) for way in ways} for _, ways in cases]


def _found(linked: Linked, streams: Sequence[tuple[Sequence[Block], Order]]) -> list[Keys]:
    """Return what is found of the correlation itself in each stream."""
    batches = _batches(streams)
    memory = Held()
    correlator = Correlator([_apart(linked)], memory)
    found = [each for batch in batches for each in _taken(correlator, batch)]
    times = [block.matches["time"].max() for batch in batches for block in batch]
    memory.pass_time({("test", ""): max((time for time in times if isinstance(time, int)), default=0)})
    found += correlator.conclude() if linked.waits else ()
    keys: list[set[tuple[str, datetime]]] = [set() for _ in streams]
    for each in found:
        for text, anchor in each.findings.select("soc.group", "soc.window.start").iter_rows():
            stream, _, group = text.removeprefix(f"{STREAM}=").partition(" | ")
            keys[int(stream)].add((group[:COMPARED], anchor))
    return [*map(frozenset, keys)]


def _apart(linked: Linked) -> Linked:
    """Return a correlation that takes each stream for a group of its own, and has findings whatever mutes it."""
    members = tuple(
        replace(member, inner=member.inner and _apart(member.inner), group=(STREAM, *member.group))
        for member in linked.members
    )
    meta = replace(linked.rule.meta, signal=False)
    return replace(
        linked, rule=replace(linked.rule, meta=meta, group_by=(STREAM, *linked.rule.group_by)), members=members
    )


def _batches(streams: Sequence[tuple[Sequence[Block], Order]]) -> list[list[Block]]:
    """Return the batches of all streams put together, a block for each rule."""
    pieces: dict[str, list[pl.DataFrame]] = defaultdict(list)
    for number, (blocks, order) in enumerate(streams):
        for rule, piece in _pieces(blocks, order):
            names = pl.format("{}|{}", pl.lit(number), "event.id").alias("event.id")
            pieces[rule].append(piece.with_columns(names, pl.lit(str(number)).alias(f"{FIELD}{STREAM}")))
    batches: dict[int, list[Block]] = defaultdict(list)
    for rule, some in pieces.items():
        parts = pl.concat(some, how="diagonal").partition_by("batch", as_dict=True, include_key=False)
        for (batch,), matches in parts.items():
            batches[int(batch)].append(Block(rule, matches))
    return [batches[batch] for batch in sorted(batches)]


def _pieces(blocks: Sequence[Block], order: Order) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the matches of each rule in a stream, each with its `batch`."""
    numbers, batches = np.array(order, np.int64).reshape(-1, 2).T
    first = 0
    for block in blocks:
        own = (numbers >= first) & (numbers < first + block.matches.height)
        yield block.rule, block.matches[numbers[own] - first].with_columns(pl.Series("batch", batches[own]))
        first += block.matches.height


def _taken(correlator: Correlator, blocks: Sequence[Block]) -> list[Found]:
    found = [*correlator.take(blocks)]
    correlator.told(blocks)
    return found
