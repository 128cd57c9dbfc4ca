"""How cost grows: with the rules, with the size of a batch, and with the events of a scan.

Each point is measured in a process of its own. Loading and matching take one core; whole scans take what they find.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from connectors.store import Store
from detectors.contracts import Batch, Dialect, Parsed
from detectors.sigma.engine import Engine
from flows import ruleset
from flows.bench import clones
from flows.bench.clock import Ledger, least, spent
from flows.bench.fresh import fresh, on_one_core
from flows.bench.table import table
from flows.bench.twin import Twin
from flows.bench.work import Work, parsers
from flows.pipeline import Pipeline
from flows.process import peak_memory


@dataclass(frozen=True, slots=True)
class Sizes:
    """Where to measure."""

    rules: tuple[int, ...] = (100, 1_000, 20_000)  # beside as many as there are
    batches: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)  # events
    times: tuple[int, ...] = (1, 2, 5, 10)  # the logs
    events: int = 200_000  # matched by each number of rules, at most, and in batches of each size, at least


SIZES = Sizes()


@dataclass(frozen=True, slots=True)
class RulesPoint:
    """What a number of rules costs, in seconds of processor time."""

    rules: int
    first_load: float  # compiled from YAML
    later_load: float  # taken from the cache
    prepare: float  # routes, covers and needles
    match_per_second: float  # events


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """How many events are taken in a second of processor time, by the size of a batch."""

    events: int
    match_per_second: float
    parse_and_match_per_second: float


@dataclass(frozen=True, slots=True)
class EventsPoint:
    """What a scan of so many events costs."""

    events: int
    seconds: float  # of processor time, without loading rules
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Every point."""

    rules: list[RulesPoint]
    batches: list[BatchPoint]
    events: list[EventsPoint]

    def document(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the tables that people read."""
        rows = [[asdict(point) for point in points] for points in (self.rules, self.batches, self.events)]
        return "\n\n".join(
            table([name.replace("_", " ") for name in points[0]], [[*point.values()] for point in points])
            for points in rows
        )


def growth(work: Work, folder: Path, say: Callable[[str], object], sizes: Sizes = SIZES) -> Growth:
    """Measure every point. `folder` takes rule sets, caches and stores; `say` hears what comes next."""
    originals = work.rules or (ruleset.own_rules(),)
    there = sum(1 for _ in ruleset.rule_files(originals))
    made = Growth([], [], [])
    sets = {count: folder / f"rules-{count}" for count in sorted({there, *sizes.rules})}
    for count, rules in sets.items():  # all of them first: the cache doesn't trust files of this moment
        clones.write(originals, count, rules)
    for count, rules in sets.items():
        say(f"{count:,} rules")
        some = replace(work, rules=(rules,), cache=folder / f"cache-{count}")
        made.rules.append(on_one_core(rules_point, some, sizes.events))
    for size in sizes.batches:
        say(f"batches of {size:,} events")
        made.batches.append(on_one_core(batch_point, work, size, sizes.events))
    for times in sizes.times:
        say(f"the logs {times} times over")
        made.events.append(fresh(events_point, work, times, folder / f"store-{times}.sqlite"))
    return made


def rules_point(work: Work, most: int) -> RulesPoint:
    """Load rules twice, then match what the logs hold."""
    first = _spent(work.load_rules)
    later = _spent(work.load_rules)
    parts = work.parts()
    known, frames, events = parsers(parts), list[tuple[Dialect, Parsed]](), 0
    for batch in work.batches(parts):
        parser = known[batch.source]
        frames.append((parser.dialect, parser.parse(batch, parts.engine.wanted(parser.dialect))))
        events += frames[-1][1].events.height
        if events >= most:
            break
    engine = Engine(parts.engine.rules)

    def match(detector: Engine | Twin) -> None:
        for dialect, parsed in frames:
            detector.detect(dialect, parsed.events, parsed.encoded)

    unprepared = least(lambda: match(engine), 1)
    seconds = least(lambda: match(Twin(engine)))
    return RulesPoint(len(engine.rules), first, later, max(unprepared - seconds, 0.0), events / seconds)


def batch_point(work: Work, size: int, least_events: int) -> BatchPoint:
    """Parse and match batches of one size, made of the records of the most frequent source, again and again."""
    parts = work.parts()
    batches = _most_frequent(work.batches(parts))
    total = max(size, least_events)
    records = pl.concat([batch.records for batch in batches])
    records = pl.concat([records] * -(-total // records.height))[:total]
    parser = parsers(parts)[batches[0].source]
    wanted = parts.engine.wanted(parser.dialect)
    ledger = Ledger[str]()
    for batch in batches:
        parsed = parser.parse(batch, wanted)
        parts.engine.detect(parser.dialect, parsed.events, parsed.encoded)  # compiles what is compiled once
    twin = Twin(parts.engine)
    for part in records.iter_slices(size):
        with ledger.timed("parse"):
            parsed = parser.parse(replace(batches[0], records=part, text=None), wanted)
        with ledger.timed("match"):
            twin.detect(parser.dialect, parsed.events, parsed.encoded)
    return BatchPoint(size, total / ledger.seconds["match"], total / sum(ledger.seconds.values()))


def events_point(work: Work, times: int, store: Path) -> EventsPoint:
    """Scan the logs that many times over, as events of other files each time."""
    parts, sink = work.parts(), Store(store)
    pipeline = Pipeline(parts.definitions, parts.engine, parts.detections, sink)
    begin = spent()
    for time in range(times):
        for batch in work.batches(parts):
            pipeline.process(replace(batch, origin=f"{batch.origin} {time}"))
    seconds = spent() - begin
    sink.close()
    return EventsPoint(pipeline.statistics.events, seconds, peak_memory())


def _spent(work: Callable[[], object]) -> float:
    begin = spent()
    work()
    return spent() - begin


def _most_frequent(batches: Iterable[Batch]) -> list[Batch]:
    """Return the batches of the source that has the most events."""
    kept, events = defaultdict[str, list[Batch]](list), Counter[str]()
    for batch in batches:
        kept[batch.source].append(batch)
        events[batch.source] += batch.records.height
    return kept[events.most_common(1)[0][0]]
