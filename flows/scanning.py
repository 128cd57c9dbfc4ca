"""Files in, findings out: the embedded pipeline over a set of paths."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.archive import Archive
from connectors.content import Outcome
from connectors.files import FileSource
from connectors.parser import DefinedParser
from connectors.recognise import Recognised, recognise
from connectors.store import Store
from detectors.errors import UsageError
from flows.assembly import Parts
from flows.pipeline import Pipeline, Statistics
from flows.progress import Report


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan did."""

    statistics: Statistics
    outcome: Outcome
    seconds: float
    parts: Parts

    def document(self) -> dict[str, Any]:
        """Return the statistics as the document of `--stats`."""
        seen = self.statistics
        return {
            "events": seen.events,
            "bytes": self.outcome.bytes,
            "seconds": round(self.seconds, 3),
            "events_per_second": round(seen.events / self.seconds) if self.seconds else 0,
            "rules_loaded": len(self.parts.rules.rules),
            "rules_failed": len(self.parts.rules.faults) + len(seen.failed_rules),
            "parse_failures": seen.parse_failures,
            "peak_rss_mb": round(peak_memory()),
            "matches": dict(sorted(seen.matches.items())),
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
    parsers: dict[str, DefinedParser] | None = None,
    report: Report | None = None,
) -> Scanned:
    """Read the paths, and leave findings, matches and dead letters in the store.

    Raises:
        UsageError: `source` names no definition.
    """
    definitions = parts.definitions
    if source is not None and source not in definitions:
        raise UsageError(f"no source is called {source!r}", fix=f"known: {', '.join(sorted(definitions))}")
    pipeline = Pipeline(definitions, parts.engine, parts.detections, store, archive=archive, parsers=parsers)
    seen = pipeline.statistics

    def bury(letters: Any) -> None:  # noqa: ANN401 - a frame of DEAD
        seen.parse_failures += letters.height
        store.dead(letters)

    start = time.perf_counter()
    files = FileSource(paths, recogniser(parts), source, report=report, dead=bury)
    try:
        for batch in files.batches():
            pipeline.process(batch)
    finally:
        files.close()
    elapsed = time.perf_counter() - start
    seen.seconds["read"] = elapsed - sum(seen.seconds.values())
    return Scanned(seen, files.outcome, elapsed, parts)


def recogniser(parts: Parts) -> Callable[[list[str], str], Recognised | None]:
    """Return what names the source of a sample of lines."""
    return lambda sample, label: recognise(sample, parts.definitions, label)


def peak_memory() -> float:
    """Return the most memory this process has held so far, in MB (10⁶ bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
