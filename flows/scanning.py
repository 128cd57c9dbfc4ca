"""Files in, findings out: the embedded pipeline over a set of paths."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import polars as pl

from connectors.archive import Archive
from connectors.blocks import microseconds
from connectors.content import Outcome
from connectors.definitions import means
from connectors.files import FileSource
from connectors.gathered import gathered, together, yearly
from connectors.multiline import carried
from connectors.parsers import Parsers
from connectors.recognise import recogniser
from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Batch, Parsed
from flows.ahead import Ahead
from flows.anomaly.periods import Period, Periods
from flows.assembly import Parts
from flows.correlating import remembering
from flows.ledger import Ledger
from flows.match_process import Beside
from flows.matching import Matched
from flows.naming import no_source
from flows.pipeline import Pipeline
from flows.process import peak_memory, since_start
from flows.progress import Report
from flows.protecting import Guard
from flows.sharing import Sharing
from flows.statistics import Statistics
from flows.waiting import Waiting

# seconds that a thread works before another may: each waits for its turn some fifty times per batch
SWITCH: Final = 0.0005
Made = TypeVar("Made")
_Read: TypeAlias = Batch | pl.DataFrame  # a frame of DEAD


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan did."""

    statistics: Statistics
    outcome: Outcome
    seconds: float
    memory: float  # MB, of all processes, each at its most
    parts: Parts
    periods: Mapping[str, Period] = field(default_factory=dict)  # of sources that had events on many days

    def document(self) -> dict[str, Any]:
        """Return the statistics as the document of `--stats`."""
        seen = self.statistics
        return {
            "events": seen.events,
            "bytes": self.outcome.bytes,
            "seconds": round(self.seconds, 3),
            "first_finding_seconds": since_start(seen.first_finding),
            "events_per_second": round(seen.events / self.seconds) if self.seconds else 0,
            "rules_loaded": len(self.parts.rules),
            "rules_failed": len(self.parts.rules.faults) + len(seen.failed_rules),
            "parse_failures": seen.parse_failures,
            "peak_rss_mb": round(self.memory),
            "matches": dict(sorted(seen.matches.items())),
            "excepted": seen.excepted,
            "silenced_matches": seen.silenced.total(),
            "suppressed": dict(sorted(seen.suppressed.items())),
            "silenced": dict(sorted(seen.silenced.items())),
            "files": self.outcome.files,
            "sources": dict(sorted(seen.by_source.items())),
            "stages": {stage: round(seconds, 3) for stage, seconds in seen.seconds.items()},
        }


def scan(
    paths: Sequence[Path],
    parts: Parts,
    store: Store,
    *,
    source: str | None = None,
    archive: Archive | None = None,
    parsers: Parsers | None = None,
    report: Report | None = None,
    idle: int | None = None,
    guard: Guard | None = None,
    ledger: bool = False,
    beside: Sequence[Beside] = (),
) -> Scanned:
    """Read the paths, and leave findings, matches and dead letters in the store.

    With `ledger` it is entered in the store what each source brought in each hour.
    `guard` says what becomes of personal data before anything else is done.
    With `beside` others match too; archive and ledger, which want every event, stay empty then.
    `idle` is how many microseconds behind the others a source that fell silent may be.

    Raises:
        UsageError: `source` names no definition.
    """
    definitions = parts.definitions
    if source is not None and source not in definitions:
        raise no_source(source, definitions)
    pipeline = Pipeline(
        definitions,
        parts.engine,
        parts.detections,
        store,
        archive=archive,
        parsers=parsers,
        exceptions=parts.exceptions,
        calendar=parts.calendar,
        correlating=remembering(parts, partial(StoreMemory, store), microseconds),
        enrichment=parts.enrichment,
        waiting=Waiting(yearly(definitions), eager=True),
        ledger=Ledger(parts) if ledger else None,
    )
    seen = pipeline.statistics

    blocks = Ahead[_Read]()
    kept = guard or Guard(definitions)
    files = FileSource(
        paths,
        recogniser(definitions),
        source,
        report=report,
        dead=lambda dead: blocks.give(kept.letters(dead)),
        joined=True,
    )

    def read() -> None:
        """Hand over what the files hold, as it may be kept."""
        batches = gathered(carried(files.batches(), means(definitions)), together(definitions))
        for batch in seen.making("read", batches):
            with seen.timed("guard"):
                safe = kept.batch(batch)
                kept.look(safe)
            blocks.give(safe)

    periods = Periods()
    start = time.perf_counter()
    patience = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    gc.freeze()  # what is there stays: modules, rules and definitions need not be looked through again
    try:
        with closing(blocks.items(read)) as items:
            for step in _shared(items, pipeline, beside, parts) if beside else _ahead(items, pipeline):
                if isinstance(step, pl.DataFrame):
                    seen.parse_failures += step.height
                    store.dead(step)
                elif isinstance(step, Matched):
                    periods.widen(step.struck.batch.source, step.times)
                    pipeline.conclude(step)
                else:
                    periods.widen(step[0].source, step[1].events)
                    pipeline.finish(*step)
        for other in beside:
            _add(other, seen, parts)
        pipeline.settle(idle=idle)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(patience)
        files.close()
    memory = peak_memory() + sum(other.memory for other in beside)
    return Scanned(seen, files.outcome, time.perf_counter() - start, memory, parts, periods.lasting())


def _ahead(items: Iterator[_Read], pipeline: Pipeline) -> Iterator[pl.DataFrame | tuple[Batch, Parsed]]:
    """Parse in a thread, one batch ahead of this one."""
    line = Ahead[pl.DataFrame | tuple[Batch, Parsed]]()
    parsed = _of_batches(lambda batch: (replace(batch, text=None), pipeline.parse(batch)))

    def parse() -> None:
        for item in items:
            line.give(parsed(item))

    return line.items(parse)


def _shared(
    items: Iterator[_Read], pipeline: Pipeline, beside: Sequence[Beside], parts: Parts
) -> Iterator[pl.DataFrame | Matched]:
    """Parse and match here and in other processes."""
    mine = _of_batches(lambda batch: pipeline.match(batch, pipeline.parse(batch)))

    def ready(other: Beside) -> Callable[[_Read], pl.DataFrame | Matched]:
        return _of_batches(other.ready(parts.rules.rules))

    return Sharing(items, mine, [partial(ready, other) for other in beside]).results()


def _of_batches(work: Callable[[Batch], Made]) -> Callable[[_Read], pl.DataFrame | Made]:
    """Return work that is done on batches, and leaves dead letters as they are."""
    return lambda item: item if isinstance(item, pl.DataFrame) else work(item)


def _add(other: Beside, seen: Statistics, parts: Parts) -> None:
    """Add what another process did to what is known of this one."""
    for stage, seconds in other.seconds.items():
        seen.seconds[stage] += seconds
    for number, reason in other.failures.items():
        parts.engine.failures.setdefault(number, reason)
