"""One batch from raw records to stored findings, the same in every mode.

    parse ─► archive ─► detect ─► exceptions ─► matches ─► mute (signals, maintenance) ─► group ─► findings ─► sink
                                                   └─► keep ─► correlate ─► mute ─► group ─► findings ─► sink

What exceptions leave are matches: correlations and risk see them before anything mutes them, so maintenance hides a
finding and never what it is part of. Clocks and zones that are wrong make findings of their own.

Nothing here knows where batches come from or where results go.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import polars as pl

from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.parser import DefinedParser
from connectors.parsers import Parsers
from detectors.contracts import Batch, Clock, Detector, Hits, Parsed, Sink, Written
from detectors.findings import Detection, Found
from detectors.maintenance import Calendar
from detectors.schema import DEAD
from detectors.sigma.exceptions import Exceptions
from flows.clocks import Clocks
from flows.correlating import Correlating
from flows.gathering import findings_of
from flows.ledger import Ledger
from flows.matching import Matched, Struck, matched
from flows.misdated import Misdated
from flows.sifting import Sifted, sift
from flows.statistics import Statistics
from flows.told import Told
from flows.waiting import Waiting

FLOOD = 1_000  # findings of one rule in one batch from which somebody should hear of it; all of them are kept


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


class Pipeline:
    """Takes batches; each record ends as an event or as a dead letter, but for headings of files."""

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
        correlating: Correlating | None = None,
        enrichment: Enrichment | None = None,
        waiting: Waiting | None = None,
        ledger: Ledger | None = None,
        misdated: Misdated | None = None,
    ) -> None:
        """Take what runs; with `waiting`, findings are made of several batches together, the last by `settle`."""
        self.statistics = Statistics()
        self._parsers = Parsers(definitions, enrichment=enrichment) if parsers is None else parsers
        self._detector, self._detections = detector, detections
        self._sink, self._archive = sink, archive
        self._say = say
        self._flooding: set[str] = set()  # rules that were told of
        self._clocks, self._misdated = Clocks(), misdated or Misdated()
        self._exceptions, self._calendar = exceptions or Exceptions(), calendar or Calendar()
        self._correlating = correlating
        self._waiting = waiting
        self._told = Told()
        self._ledger = ledger

    def use(self, parts: Running, correlating: Correlating | None = None) -> None:
        """Go on with other rules. Between batches only: what is parsed for one detector is not for the next."""
        self._detector, self._detections = parts.engine, parts.detections
        self._exceptions, self._calendar = parts.exceptions, parts.calendar
        self._correlating = correlating

    @property
    def waits(self) -> bool:
        """Say whether anything waits for time to pass."""
        return self._correlating is not None and self._correlating.waits

    def process(self, batch: Batch) -> None:
        """Carry one batch through; when this returns, all it gave is stored that need not wait."""
        self.finish(batch, self.parse(batch))

    def parse(self, batch: Batch) -> Parsed:
        """Read the records as far as rules look at them. May run in another thread than `finish`, one batch ahead."""
        parser = self._parsers[batch.source]
        with self.statistics.timed("parse"):
            wanted = self._detector.wanted(parser.dialect)
            return parser.parse(batch, wanted if self._ledger is None else wanted | self._ledger.wanted)

    def finish(self, batch: Batch, parsed: Parsed) -> None:
        """Do the rest with a parsed batch; when this returns, all it gave is stored that need not wait."""
        if self._archive is not None:
            with self.statistics.timed("archive"):
                self._archive.write(batch, parsed.events)
        left = self.match(batch, parsed)
        sifted = self._sift(left)
        self._find_misdated(batch, parsed)
        self._carry(left, sifted)
        if self._ledger is not None:
            with self.statistics.timed("sink"):
                hits = Hits(sifted.hits.rule, left.rows[sifted.hits.row])
                rows = self._ledger.rows(batch, self._parsers[batch.source].definition, parsed, hits)
                self._sink.cover(rows)
            self._ledger.passed(batch, parsed.events, rows)

    def match(self, batch: Batch, parsed: Parsed) -> Matched:
        """Ask the rules about a parsed batch."""
        with self.statistics.timed("match"):
            dialect = self._parsers[batch.source].dialect
            return matched(batch, parsed, self._detector.detect(dialect, parsed.events, parsed.encoded))

    def conclude(self, left: Matched) -> None:
        """Do the rest with what rules left of a batch, here or elsewhere; archive and ledger would want all of it."""
        self._carry(left, self._sift(left))

    def settle(self, *, late: int = 0, idle: int | None = None, ends: Mapping[Clock, bool] | None = None) -> None:
        """Tell what still waits, and what correlations find where time had to pass: all that came so far was read."""
        for struck in self._waiting.rest() if self._waiting is not None else ():
            self._find(struck)
        if self._correlating is not None:
            with self.statistics.timed("correlate"):
                for found in self._correlating.settle(late, idle, ends):
                    self._store_correlated(found)
        self._tell_failures()

    def _sift(self, left: Matched) -> Sifted:
        """Take out what exceptions take."""
        batch, events, hits = left.struck.batch, left.struck.events, left.struck.hits
        with self.statistics.timed("exceptions"):
            return sift(batch, self._parsers[batch.source], events, hits, self._exceptions, detections=self._detections)

    def _carry(self, left: Matched, sifted: Sifted) -> None:
        """Keep matches and what can't be read, make findings, and correlate."""
        struck, seen = left.struck, self.statistics
        self._tell_failures()
        with seen.timed("sink"):
            self._keep(left.lost, sifted.suppressed)
        shown = struck.only(sifted.hits if self._correlating is None else self._correlating.shown(sifted.hits))
        for each in [shown] if self._waiting is None else self._waiting.add(shown):
            self._find(each)
        if self._correlating is not None:
            with seen.timed("correlate"):
                self._correlate(replace(struck, hits=sifted.hits), left.times, self._correlating)
        self._tell_times(struck.batch, left.times)
        self._count(left, sifted)

    def _find(self, struck: Struck) -> None:
        """Make matches and findings of hits, and store them."""
        batch, seen = struck.batch, self.statistics
        parts = findings_of(
            batch,
            self._parsers[batch.source],
            struck.events,
            struck.hits,
            self._detections,
            calendar=self._calendar,
            known=self._told,
        )
        floods = Counter[tuple[str, str]]()
        for found in seen.making("findings", parts):
            with seen.timed("sink"):
                self._store_found(found, batch.source, batch.origin)
            seen.silenced.update(found.matches["soc.silenced"].drop_nulls().to_list())
            if self._say is not None:
                floods.update(_findings_by_rule(found))
        self._tell_floods(floods)

    def _correlate(self, struck: Struck, times: pl.DataFrame, correlating: Correlating) -> None:
        batch = struck.batch
        blocks = correlating.blocks(batch, self._parsers[batch.source], struck.events, struck.hits)
        for found in correlating.correlator.take(blocks):
            self._store_correlated(found)
        correlating.correlator.told(blocks)
        correlating.pass_time(batch, times)
        self._tell_failures()

    def _store_correlated(self, found: Found) -> None:
        if found.suppressed.height:
            self._store_suppressed(found.suppressed)
            return
        told = found.findings if found.findings.height else found.matches
        written = self._store_found(found, told["soc.source"][0], "correlation")
        self.statistics.silenced.update(found.matches["soc.silenced"].drop_nulls().to_list())
        if written.created:  # what an earlier run stored is not counted again
            self.statistics.matches[told["rule.id"][0]] += written.created

    def _store_suppressed(self, suppressed: pl.DataFrame) -> None:
        """Store what an exception took of a correlation; what an earlier run stored is not counted again."""
        created = self._sink.suppressed(suppressed).created
        self.statistics.excepted += created
        self.statistics.suppressed[suppressed["soc.exception.id"][0]] += created

    def _tell_failures(self) -> None:
        """Tell once of each rule, correlation and exception that failed at run time."""
        failed = [(self._detections[number].meta, reason) for number, reason in self._detector.failures.items()]
        failed += self._correlating.failures() if self._correlating is not None else ()
        for meta, reason in failed:
            self._tell(meta.id, f"the rule {meta.title!r} ({meta.id}) failed: {reason}")
        for exceptions in (self._exceptions, *([self._correlating.excepted] if self._correlating else ())):
            for number, reason in exceptions.failures.items():
                each = exceptions.filters[number]
                self._tell(each.id, f"the exception {each.title!r} ({each.id}) takes nothing: {reason}")

    def _tell_floods(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Tell once of each rule that makes very many findings; none is left out."""
        for (rule, title), count in counts.items():
            if self._say is not None and count >= FLOOD and rule not in self._flooding:
                self._flooding.add(rule)
                self._say(f"the rule {title!r} ({rule}) made {count:,} findings of one batch: group them by less")

    def _find_misdated(self, batch: Batch, parsed: Parsed) -> None:
        """Store the findings that clocks or zones are wrong."""
        parser = self._parsers[batch.source]
        parts = self._misdated.take(batch, parsed.events, parser, self._calendar)
        for found in self.statistics.making("clocks", parts):
            with self.statistics.timed("sink"):
                self._store_found(found, batch.source, batch.origin)

    def _tell_times(self, batch: Batch, times: pl.DataFrame) -> None:
        """Tell once of each source and sender whose times can't be right."""
        for words in self._clocks.take(batch, times) if self._parsers[batch.source].definition.timestamp else ():
            self.statistics.clocks.append(words)
            if self._say is not None:
                self._say(words)

    def _tell(self, name: str, told: str) -> None:
        if name not in self.statistics.failed_rules:
            self.statistics.failed_rules[name] = told
            if self._say is not None:
                self._say(told)

    def _keep(self, dead: pl.DataFrame, suppressed: pl.DataFrame) -> None:
        if dead.height:
            self._sink.dead(dead)
        if suppressed.height:
            self._sink.suppressed(suppressed)

    def _store_found(self, found: Found, source: str, origin: str) -> Written:
        """Store findings and matches; return what became of the matches."""
        written = self._sink.findings(found.findings)
        self._told.add({*found.findings["event.id"]}.difference(name for name, _ in written.refused))
        if self.statistics.first_finding is None and found.findings.height:
            self.statistics.first_finding = time.monotonic()
        self.statistics.findings += written.created
        self.statistics.known_findings += written.known + found.known
        matches = self._sink.matches(found.matches)
        refused = (*written.refused, *matches.refused)
        if refused:
            self._sink.dead(_letters(source, origin, refused))
        return matches

    def _count(self, left: Matched, sifted: Sifted) -> None:
        seen = self.statistics
        seen.events += left.times.height
        seen.parse_failures += left.lost.height
        seen.bytes += left.bytes
        seen.by_source[left.struck.batch.source] += left.times.height
        for rule, count in zip(*np.unique(sifted.hits.rule, return_counts=True), strict=True):
            seen.matches[self._detections[int(rule)].meta.id] += int(count)
        seen.excepted += sifted.suppressed["soc.match.id"].n_unique()
        seen.suppressed.update(sifted.suppressed["soc.exception.id"].to_list())


def _findings_by_rule(found: Found) -> dict[tuple[str, str], int]:
    """Return how many findings the matches of each rule belong to, by its id and title."""
    loud = found.matches.unique("soc.finding.id").drop_nulls("soc.finding.id")
    return {(rule, title): count for rule, title, count in loud.group_by("rule.id", "rule.name").len().iter_rows()}


def _letters(source: str, origin: str, refused: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Return documents that the store refused as dead letters: their ids, and why."""
    rows = [
        {
            "event.original": name,
            "soc.source": source,
            "soc.origin": origin,
            "error.message": f"the store refused this document: {reason}",
        }
        for name, reason in refused
    ]
    return pl.DataFrame(rows, schema=DEAD)
