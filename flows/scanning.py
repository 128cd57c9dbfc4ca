"""Files in, findings out: the embedded pipeline over a set of paths."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

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
from flows.naming import no_source
from flows.pipeline import Pipeline
from flows.process import peak_memory, since_start
from flows.progress import Report
from flows.protecting import Guard
from flows.statistics import Statistics
from flows.waiting import Waiting

# seconds that a thread works before another may: each waits for its turn some fifty times per batch
SWITCH: Final = 0.0005
_Read: TypeAlias = tuple[Batch, Parsed] | pl.DataFrame  # a frame of DEAD


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan did."""

    statistics: Statistics
    outcome: Outcome
    seconds: float
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
            "peak_rss_mb": round(peak_memory()),
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
) -> Scanned:
    """Read the paths, and leave findings, matches and dead letters in the store.

    With `ledger` it is entered in the store what each source brought in each hour.
    `guard` says what becomes of personal data before anything else is done.
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

    line = Ahead[_Read]()
    kept = guard or Guard(definitions)
    files = FileSource(
        paths,
        recogniser(definitions),
        source,
        report=report,
        dead=lambda dead: line.give(kept.letters(dead)),
        joined=True,
    )

    blocks = Ahead[Batch]()

    def read() -> None:
        """Hand over what the files hold."""
        batches = gathered(carried(files.batches(), means(definitions)), together(definitions))
        while True:
            with seen.timed("read"):
                batch = next(batches, None)
            if batch is None:
                return
            blocks.give(batch)

    def parse() -> None:
        """Hand over parsed batches."""
        for batch in blocks.items(read):
            with seen.timed("guard"):
                safe = kept.batch(batch)
                kept.look(safe)
            line.give((replace(safe, text=None), pipeline.parse(safe)))

    periods = Periods()
    start = time.perf_counter()
    patience = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    gc.freeze()  # what is there stays: modules, rules and definitions need not be looked through again
    try:
        for item in line.items(parse):
            if isinstance(item, pl.DataFrame):
                seen.parse_failures += item.height
                store.dead(item)
            else:
                periods.widen(item[0].source, item[1].events)
                pipeline.finish(*item)
        pipeline.settle(idle=idle)
    finally:
        gc.unfreeze()
        sys.setswitchinterval(patience)
        files.close()
    return Scanned(seen, files.outcome, time.perf_counter() - start, parts, periods.lasting())
