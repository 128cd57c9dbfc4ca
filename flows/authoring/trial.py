"""`soc rules try`: what a rule would have found in the archive, where and when, and what it costs.

Exceptions are tried by the same walk; what they take away is not counted here.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import polars as pl

from connectors.archive import Archive
from connectors.parser import DefinedParser
from detectors.contracts import Batch, Hits
from detectors.correlation.memory import Held
from detectors.errors import InputError
from flows.archived import archived
from flows.assembly import Parts
from flows.correlating import Correlating
from flows.gathering import finding_ids

EXAMPLES = 3  # records shown of each rule
ORGANISATION = "organization.name"
NONE = "-"  # an organisation or a day that nobody knows
Cell = tuple[str, str, str]  # day, source, organisation


@dataclass(slots=True)
class Tried:
    """What one rule found."""

    matches: int = 0
    findings: set[str] = field(default_factory=set)
    cells: Counter[Cell] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)  # source, record


@dataclass(slots=True)
class Trial:
    """What rules found in a part of the archive, and how long reading and matching took."""

    rules: dict[str, Tried] = field(default_factory=dict)  # rule id →
    events: Counter[str] = field(default_factory=Counter)  # source → events
    days: set[str] = field(default_factory=set)
    faults: list[InputError] = field(default_factory=list)
    parsing: float = 0.0
    matching: float = 0.0

    def document(self) -> dict[str, Any]:
        """Return the trial as plain data."""
        total = sum(self.events.values())
        spent = {"parse": round(self.parsing, 3), "match": round(self.matching, 3)}
        return {
            "events": dict(self.events),
            "days": len(self.days),
            "seconds": spent,
            "events_per_second": round(total / (self.parsing + self.matching)) if total else 0,
            "rules": {name: _document(tried, len(self.days)) for name, tried in self.rules.items()},
            "damaged": [str(fault) for fault in self.faults],
        }


def run(
    parts: Parts,
    archive: Archive,
    sources: Sequence[str],
    since: datetime | None,
    until: datetime | None,
    *,
    zone: tzinfo,
) -> Trial:
    """Run rules over archived records; days are those of `zone`."""
    trial = Trial({meta.id: Tried() for meta in parts.rules.metas()})
    correlating = Correlating(parts, memory := Held())
    for batch, parser in archived(parts, archive, sources, since, until, report=trial.faults.append):
        events, hits = _batch(trial, parts, parser, batch, zone=zone, shown=correlating.shown)
        if parts.rules.correlations:
            memory.keep(correlating.blocks(batch, parser, events, hits), {})
            correlating.pass_time(batch, events)
    for found in correlating.correlator.conclude():
        _correlated(trial, found.matches, zone)
    return trial


def _correlated(trial: Trial, matches: pl.DataFrame, zone: tzinfo) -> None:
    """Count what a correlation found."""
    days = _days(matches, zone).to_list()
    names = ("rule.id", "soc.finding.id", "soc.source", "soc.group")
    for (rule, finding, source, group), day in zip(matches.select(names).iter_rows(), days, strict=True):
        tried = trial.rules[rule]
        tried.matches += 1
        tried.cells[day, source, NONE] += 1
        if finding is not None and finding not in tried.findings:
            tried.findings.add(finding)
            tried.examples += [(source, group)][: EXAMPLES - len(tried.examples)]


def _batch(
    trial: Trial, parts: Parts, parser: DefinedParser, batch: Batch, *, zone: tzinfo, shown: Callable[[Hits], Hits]
) -> tuple[pl.DataFrame, Hits]:
    start = time.perf_counter()
    read = parser.parse(batch, parts.engine.wanted(parser.dialect))
    parsed = time.perf_counter()
    events, hits = read.events, parts.engine.detect(parser.dialect, read.events, read.encoded)
    trial.matching += time.perf_counter() - parsed
    trial.parsing += parsed - start
    trial.events[batch.source] += events.height
    days = _days(events, zone)
    trial.days.update(days.unique().to_list())
    if hits.row.size:
        for name, finding in finding_ids(batch, parser, events, shown(hits), parts.detections):
            trial.rules[name].findings.add(finding)
        _count(trial, parts, parser, batch, events=events, hits=hits, days=days)
    return events, hits


def _count(
    trial: Trial,
    parts: Parts,
    parser: DefinedParser,
    batch: Batch,
    *,
    events: pl.DataFrame,
    hits: Hits,
    days: pl.Series,
) -> None:
    rows = hits.row.tolist()
    records = events["event.original"].gather(hits.row).to_list()
    organisations = _organisations(batch, parser, events, rows)
    for number, row, record, organisation in zip(hits.rule.tolist(), rows, records, organisations, strict=True):
        tried = trial.rules[parts.rules.rules[number].meta.id]
        tried.matches += 1
        tried.cells[days[row], batch.source, organisation] += 1
        if len(tried.examples) < EXAMPLES:
            tried.examples.append((batch.source, record))


def _organisations(batch: Batch, parser: DefinedParser, events: pl.DataFrame, rows: list[int]) -> list[str]:
    """Return the organisation of each hit, whether or not rules look at it."""
    if ORGANISATION not in parser.definition.fields:
        return [NONE] * len(rows)
    if ORGANISATION not in events.columns:
        events = parser.parse(batch, [ORGANISATION]).frame()
    names = events[ORGANISATION]
    return [names[row] or NONE for row in rows]


def _days(events: pl.DataFrame, zone: tzinfo) -> pl.Series:
    local = pl.col("@timestamp").dt.convert_time_zone(str(zone)).dt.strftime("%Y-%m-%d")
    return events.select(local.fill_null(NONE)).to_series()


def _document(tried: Tried, days: int) -> dict[str, Any]:
    cells = [{"day": day, "source": source, "organisation": organisation, "matches": count}
             for (day, source, organisation), count in sorted(tried.cells.items())]  # fmt: skip
    return {
        "matches": tried.matches,
        "findings": len(tried.findings),
        "findings_per_day": round(len(tried.findings) / days, 2) if days else 0.0,
        "by_day": cells,
        "examples": [{"source": source, "record": record} for source, record in tried.examples],
    }
