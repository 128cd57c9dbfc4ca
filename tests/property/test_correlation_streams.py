"""One stream, many ways: in one batch or many, in any order, twice, killed anywhere: the same matches and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Block, Memory
from detectors.correlation.correlator import Correlator
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.findings import Found
from tests.property import correlation_oracle as oracle
from tests.property.correlation_oracle import Event
from tests.property.correlations import IDS, correlation, frame, stream

SOURCES = {identity: ["test"] for identity in IDS.values()}
randoms = st.builds(Random, st.integers(0, 2**63))
Batches = Sequence[Sequence[Event]]


class KilledError(Exception):
    """The process is gone."""


class Sink:
    """Keeps ids, as a store does; `lives` says how many writes it survives."""

    def __init__(self, lives: int = 10**9) -> None:
        self.findings: dict[str, tuple[object, ...]] = {}
        self.matches: dict[str, tuple[object, ...]] = {}
        self.said: dict[str, tuple[str, bool]] = {}  # in order: of which finding, and whether it is told or withdrawn
        self.lives = lives

    def write(self, found: Found) -> None:
        for rows, name, kept, columns in (
            (found.findings, "event.id", self.findings, ("soc.group", "soc.window.start", "rule.id")),
            (found.matches, "soc.match.id", self.matches, ("@timestamp", "event.id", "soc.finding.id", "soc.group")),
        ):
            self.live()
            for row in rows.iter_rows(named=True):
                kept.setdefault(row[name], tuple(map(str, (row[column] for column in columns))))
                if kept is self.findings:
                    whose = row["soc.follows"] or row[name]
                    self.said.setdefault(row[name], (whose, row["event.action"] != "correlation-withdrawn"))

    def standing(self) -> set[str]:
        """Return the findings that were told, and not withdrawn after it."""
        last = dict(self.said.values())
        return {name for name, told in last.items() if told}

    def live(self) -> None:
        self.lives -= 1
        if self.lives < 0:
            raise KilledError


def run(linked: Linked, batches: Batches, memory: Memory, sink: Sink, *, each: bool = False) -> None:
    """Carry batches through; time is settled at the end, or after each batch."""
    correlator = Correlator([linked], memory)
    for batch in batches:
        carry(correlator, batch, memory, sink)
        if each:
            settle(correlator, sink, late=1)
    settle(correlator, sink)
    assert not correlator.failures


def carry(correlator: Correlator, batch: Sequence[Event], memory: Memory, sink: Sink) -> None:
    blocks = [Block(rule, frame([event for event in batch if event.rule == rule])) for rule in correlator.fields]
    for found in correlator.take(blocks):
        sink.write(found)
    sink.live()
    correlator.told(blocks)
    memory.pass_time({("test", ""): max((event.time for event in batch if event.time is not None), default=0)})


def settle(correlator: Correlator, sink: Sink, late: int = 0) -> None:
    for found in correlator.settle(SOURCES, late):
        sink.write(found)


def outcome(linked: Linked, batches: Batches, *, each: bool = False) -> Sink:
    sink = Sink()
    run(linked, batches, Held(), sink, each=each)
    return sink


def cut(events: Sequence[Event], random: Random, parts: int) -> Iterator[list[Event]]:
    places = sorted(random.randrange(len(events) + 1) for _ in range(parts - 1))
    for begin, end in zip([0, *places], [*places, len(events)], strict=True):
        yield [*events[begin:end]]


@settings(max_examples=40, deadline=None)
@given(randoms)
def test_batches_order_and_duplicates_change_nothing(random: Random) -> None:
    linked, events = correlation(random), stream(random, 60)
    whole = outcome(linked, [events])
    shuffled = random.sample(events, len(events))
    for batches in (
        [[event] for event in events],
        [*cut(events, random, 5)],
        [*cut(shuffled, random, 5)],
        [*cut(shuffled, random, 5), *cut(events, random, 3)],
    ):
        other = outcome(linked, batches)
        assert other.findings == whole.findings
        assert other.matches == whole.matches


@settings(max_examples=80, deadline=None)
@given(randoms)
def test_matches_are_the_events_of_the_oracles_alerts(random: Random) -> None:
    linked, events = correlation(random), stream(random)
    newest = max((event.time for event in events if event.time is not None), default=0)
    expected = {name for alert in oracle.alerts(linked, events, newest) for name in alert.events}
    assert {match[1] for match in outcome(linked, [events]).matches.values()} == {str([name]) for name in expected}


@settings(max_examples=60, deadline=None)
@given(randoms)
def test_settling_as_time_goes_on_finds_what_settling_at_the_end_does(random: Random) -> None:
    linked, events = correlation(random), stream(random)
    in_time = sorted((event for event in events if event.time is not None), key=lambda event: event.time or 0)
    whole = outcome(linked, [in_time])
    other = outcome(linked, [*cut(in_time, random, 5)], each=True)
    assert other.findings == whole.findings
    assert other.matches == whole.matches


@settings(max_examples=60, deadline=None)
@given(randoms)
def test_killed_anywhere_and_cut_anew_it_finds_the_same(random: Random) -> None:
    """Batches that were not committed come again, but not as the same batches."""
    linked, events = correlation(random), stream(random, 60)
    whole = outcome(linked, [events])
    memory, sink = Held(), Sink()
    rest = [*events]
    for _ in range(4):
        sink.lives = random.randrange(6)
        batch = rest[: random.randrange(len(rest) + 1)]
        try:
            run(linked, [batch], memory, sink)
        except KilledError:
            continue
        rest = rest[len(batch) :]
    sink.lives = 10**9
    run(linked, [*cut(rest, random, 2)], memory, sink)
    if not linked.waits:
        assert sink.findings == whole.findings
        assert sink.matches == whole.matches
    assert sink.standing() == set(whole.findings)  # what was settled before late matches came is withdrawn


@settings(max_examples=60, deadline=None)
@given(randoms)
def test_what_late_matches_make_untrue_is_withdrawn(random: Random) -> None:
    linked, events = correlation(random), stream(random, 60)
    whole = outcome(linked, [events])
    shuffled = random.sample(events, len(events))
    memory, sink = Held(), Sink()
    for batch in cut(shuffled, random, 6):
        run(linked, [batch], memory, sink)
    assert sink.standing() == set(whole.findings)
    before = dict(sink.said)
    run(linked, [*cut(events, random, 3)], memory, sink)  # nothing new
    assert sink.said == before


@pytest.mark.parametrize("random", map(Random, range(12)))
def test_the_stores_memory_is_as_good_and_survives_restarts(random: Random, tmp_path: Path) -> None:
    linked, events = correlation(random), stream(random, 200)
    whole, sink = outcome(linked, [events]), Sink()
    for batch in cut(events, random, 4):
        store = Store(tmp_path / "store.sqlite")
        memory = StoreMemory(store, linked.reach)
        if batch is not None:
            correlator = Correlator([linked], memory)
            blocks = [
                Block(rule, frame([event for event in batch if event.rule == rule])) for rule in correlator.fields
            ]
            for found in correlator.take(blocks):
                sink.write(found)
            correlator.told(blocks)
            memory.pass_time({("test", ""): max((event.time for event in batch if event.time is not None), default=0)})
        store.close()
    store = Store(tmp_path / "store.sqlite")
    settle(Correlator([linked], StoreMemory(store, linked.reach)), sink)
    store.close()
    assert sink.findings == whole.findings
    assert sink.matches == whole.matches
