"""One batch from raw records to stored findings, the same in every mode.

    parse ─► archive ─► detect ─► exceptions ─► read the hits whole ─► findings ─► sink

Nothing here knows where batches come from or where results go.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import polars as pl

from connectors.definitions import Definition
from connectors.parser import DefinedParser
from detectors.contracts import Batch, Detector, Hits, Parsed, Sink
from detectors.findings import Detection, Found, assemble, named, nothing
from detectors.maintenance import Calendar
from detectors.schema import DEAD
from detectors.sigma.exceptions import Exceptions
from flows.sifting import read_again, sift

FLOOD = 1_000  # findings of one rule in one batch from which somebody should hear of it; all of them are kept
FEW = 64  # hit records that are read whole at once: reading some of them a second time would take longer


class Running(Protocol):
    """What a run makes of events."""

    @property
    def engine(self) -> Detector: ...

    @property
    def detections(self) -> Sequence[Detection]: ...

    @property
    def exceptions(self) -> Exceptions: ...

    @property
    def calendar(self) -> Calendar: ...


class Keeper(Protocol):
    """What keeps every raw record (the archive)."""

    def write(self, batch: Batch, events: pl.DataFrame) -> object: ...


@dataclass(slots=True)
class Statistics:
    """What a run has done so far."""

    events: int = 0
    bytes: int = 0
    parse_failures: int = 0
    findings: int = 0
    known_findings: int = 0
    matches: Counter[str] = field(default_factory=Counter)  # rule id → matching events
    suppressed: Counter[str] = field(default_factory=Counter)  # exception id → matches that it took
    excepted: int = 0  # matches that any exception took
    silenced: Counter[str] = field(default_factory=Counter)  # why matches make no findings → how many
    by_source: Counter[str] = field(default_factory=Counter)  # source → events
    failed_rules: dict[str, str] = field(default_factory=dict)  # rule id → what happened when it ran
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # stage → seconds

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a block to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start


class Pipeline:
    """Takes batches; every record of a batch ends as an event in the archive or as a dead letter."""

    def __init__(
        self,
        definitions: Mapping[str, Definition],
        detector: Detector,
        detections: Sequence[Detection],
        sink: Sink,
        *,
        archive: Keeper | None = None,
        say: Callable[[str], object] | None = None,
        parsers: Mapping[str, DefinedParser] | None = None,
        exceptions: Exceptions | None = None,
        calendar: Calendar | None = None,
    ) -> None:
        self.statistics = Statistics()
        self._definitions = definitions
        self._parsers = dict(parsers or {})
        self._detector, self._detections = detector, detections
        self._sink, self._archive = sink, archive
        self._say = say
        self._flooding: set[str] = set()  # rules that were told of
        self._exceptions, self._calendar = exceptions or Exceptions(), calendar or Calendar()

    def use(self, parts: Running) -> None:
        """Go on with other rules. Between batches only: what is parsed for one detector is not for the next."""
        self._detector, self._detections = parts.engine, parts.detections
        self._exceptions, self._calendar = parts.exceptions, parts.calendar

    def process(self, batch: Batch) -> Found:
        """Carry one batch through; when this returns, all it gave is stored."""
        return self.finish(batch, self.parse(batch))

    def parse(self, batch: Batch) -> Parsed:
        """Read the records as far as rules look at them. May run in another thread than `finish`, one batch ahead."""
        parser = self._parser(batch.source)
        with self.statistics.timed("parse"):
            return parser.parse(batch, self._detector.wanted(parser.dialect))

    def finish(self, batch: Batch, parsed: Parsed) -> Found:
        """Do the rest with a parsed batch; when this returns, all it gave is stored."""
        parser, seen = self._parser(batch.source), self.statistics
        if self._archive is not None:
            with seen.timed("archive"):
                self._archive.write(batch, parsed.events)
        with seen.timed("match"):
            hits = self._detector.detect(parser.dialect, parsed.events, parsed.encoded)
        with seen.timed("exceptions"):
            sifted = sift(batch, parser, parsed.events, hits, self._exceptions, detections=self._detections)
        self._tell_failures()
        with seen.timed("findings"):
            found = findings_of(batch, parser, parsed.events, sifted.hits, self._detections, calendar=self._calendar)
            found = replace(found, suppressed=sifted.suppressed)
        self._tell_floods(found)
        with seen.timed("sink"):
            self._store(batch, found, parsed.dead)
        self._count(batch, parsed.events, parsed.dead, found)
        return found

    def _parser(self, source: str) -> DefinedParser:
        if source not in self._parsers:
            self._parsers[source] = DefinedParser(self._definitions[source])
        return self._parsers[source]

    def _tell_failures(self) -> None:
        """Tell once of each rule and exception that failed at run time."""
        for number, reason in self._detector.failures.items():
            meta = self._detections[number].meta
            self._tell(meta.id, f"the rule {meta.title!r} ({meta.id}) failed: {reason}")
        for number, reason in self._exceptions.failures.items():
            each = self._exceptions.filters[number]
            self._tell(each.id, f"the exception {each.title!r} ({each.id}) takes nothing: {reason}")

    def _tell_floods(self, found: Found) -> None:
        """Tell once of each rule that makes very many findings; none is left out."""
        if self._say is None or found.findings.height < FLOOD:
            return
        for rule, title, count in found.findings.group_by("rule.id", "rule.name").len().iter_rows():
            if count >= FLOOD and rule not in self._flooding:
                self._flooding.add(rule)
                self._say(f"the rule {title!r} ({rule}) made {count:,} findings of one batch: group them by less")

    def _tell(self, name: str, told: str) -> None:
        if name not in self.statistics.failed_rules:
            self.statistics.failed_rules[name] = told
            if self._say is not None:
                self._say(told)

    def _store(self, batch: Batch, found: Found, dead: pl.DataFrame) -> None:
        if dead.height:
            self._sink.dead(dead)
        if found.suppressed.height:
            self._sink.suppressed(found.suppressed)
        if found.matches.height:
            written = self._sink.findings(found.findings)
            self.statistics.findings += written.created
            self.statistics.known_findings += written.known
            refused = (*written.refused, *self._sink.matches(found.matches).refused)
            if refused:
                self._sink.dead(_letters(batch, refused))

    def _count(self, batch: Batch, events: pl.DataFrame, dead: pl.DataFrame, found: Found) -> None:
        seen = self.statistics
        seen.events += events.height
        seen.parse_failures += dead.height
        seen.bytes += int(batch.records["event.original"].str.len_bytes().sum())
        seen.by_source[batch.source] += events.height
        seen.matches.update(found.matches["rule.id"].to_list())
        seen.silenced.update(found.matches["soc.silenced"].drop_nulls().to_list())
        seen.excepted += found.suppressed["soc.match.id"].n_unique()
        seen.suppressed.update(found.suppressed["soc.exception.id"].to_list())


def findings_of(
    batch: Batch,
    parser: DefinedParser,
    events: pl.DataFrame,
    hits: Hits,
    detections: Sequence[Detection],
    *,
    calendar: Calendar | None = None,
) -> Found:
    """Make matches and findings of a batch's hits, whose records are read once more for what rules did not look at."""
    if not hits.row.size:
        return nothing()
    rows, positions = np.unique(hits.row, return_inverse=True)
    light = events[rows]
    entity, calendar = parser.definition.entity, calendar or Calendar()

    def read(places: Sequence[int], wanted: frozenset[str] | None) -> pl.DataFrame:
        """Read some of the hit records; one that only its projection could read is shown as far as it was read."""
        return read_again(batch, parser, light if len(places) == light.height else light[places], wanted)

    few = light.height <= FEW
    told = read(range(light.height), None if few else named(hits, detections, entity) | calendar.wanted)
    moved = Hits(hits.rule, positions.astype(np.int64))
    return assemble(
        batch,
        told,
        moved,
        detections,
        entity,
        whole=lambda shown: told[shown] if few else read(shown, None),
        silenced=calendar.silenced(told, moved, detections),
    )


def _letters(batch: Batch, refused: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Return documents that the store refused as dead letters: their ids, and why."""
    rows = [
        {
            "event.original": name,
            "soc.source": batch.source,
            "soc.origin": batch.origin,
            "error.message": f"the store refused this document: {reason}",
        }
        for name, reason in refused
    ]
    return pl.DataFrame(rows, schema=DEAD)
