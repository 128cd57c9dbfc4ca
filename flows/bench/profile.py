"""A profile of a scan on one core: its stages, and within matching the fields and the slowest rules.

One batch after the other is carried through the pipeline's own steps, in order and in one thread, so that each second
belongs to one of them. Matching is repeated on each parsed batch, by engines that each see it for the first time: one
that compiles needles as it meets new columns, one that finds them compiled, and a traced one.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from connectors.store import Store
from detectors.contracts import Batch, Dialect, Hits, Parsed
from detectors.findings import joined
from flows.assembly import Parts
from flows.bench.clock import Ledger, least
from flows.bench.table import table
from flows.bench.trace import ENCODE, RULE, SEARCH, Trace
from flows.bench.twin import Twin
from flows.bench.work import Work, parsers
from flows.gathering import findings_of

SLOWEST = 20
STAGES = ("load rules", "read", "parse", "prepare", "match", "findings", "sink")
KEYWORDS = "(whole events)"  # the field of keywords


@dataclass(frozen=True, slots=True)
class FieldCost:
    """What matching spends on one field of the events: an own column, or several that rules mean by one name."""

    name: str
    encode: float  # seconds to find its distinct values
    search: float  # seconds to search them for all rules at once


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What matching spends on one rule alone, beyond the searches it shares with all others."""

    id: str
    title: str
    seconds: float
    rows: int  # it was evaluated on
    matches: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Seconds of processor time, by what they were spent on."""

    rules: int
    events: int
    bytes: int
    stages: dict[str, float]
    matching: dict[str, float]  # of one traced round
    fields: list[FieldCost]
    slowest: list[RuleCost]

    def document(self) -> dict[str, Any]:
        """Return plain data, for JSON."""
        return asdict(self) | {"match_events_per_second": round(self.per_second("match"))}

    def per_second(self, stage: str) -> float:
        """Return how many events a stage takes in a second."""
        return self.events / self.stages[stage] if self.stages[stage] else 0.0

    def __str__(self) -> str:
        """Return the tables that people read."""
        total = sum(self.stages.values())
        stages = [
            (name, self.stages[name], 100 * self.stages[name] / total, round(self.per_second(name))) for name in STAGES
        ]
        matching = sorted(self.matching.items(), key=lambda each: -each[1])
        fields = [(each.name, each.encode, each.search) for each in self.fields[:SLOWEST]]
        rules = [(each.title, each.seconds * 1000, each.rows, each.matches) for each in self.slowest]
        return "\n\n".join(
            [
                f"{self.events:,} events, {self.bytes / 1e6:,.0f} MB, {self.rules:,} rules; processor time of one core",
                table(("stage", "seconds", "%", "events/s"), stages),
                table(("matching, traced", "seconds"), matching),
                table(("slowest fields", "encode s", "search s"), fields),
                table(("slowest rules", "ms", "rows asked", "matches"), rules),
            ]
        )


def profile(work: Work) -> Profile:
    """Profile a scan in this process, which should be fresh and have one thread. Rules are compiled beforehand."""
    work.load_rules()
    with tempfile.TemporaryDirectory(prefix="soc-bench-") as folder:
        stages = Ledger[str]()
        with stages.timed("load rules"):
            parts = work.parts()
        store = Store(Path(folder) / "store.sqlite")
        try:
            return _Run(parts, store, stages).over(work)
        finally:
            store.close()


@dataclass(slots=True)
class _Run:
    parts: Parts
    store: Store
    stages: Ledger[str]
    trace: Trace = field(default_factory=Trace)
    twins: tuple[Twin, Twin] = field(init=False)
    matches: Counter[int] = field(default_factory=Counter)  # rule → matching events
    events: int = 0
    bytes: int = 0

    def __post_init__(self) -> None:
        self.twins = Twin(self.parts.engine), Twin(self.parts.engine)

    def over(self, work: Work) -> Profile:
        """Carry every batch through the stages."""
        known, engine = parsers(self.parts), self.parts.engine
        for batch in self._read(work):
            parser = known[batch.source]
            with self.stages.timed("prepare"):
                wanted = engine.wanted(parser.dialect)
            with self.stages.timed("parse"):
                parsed = parser.parse(batch, wanted)
            events = parsed.events
            hits = self._match(parser.dialect, parsed)
            with self.stages.timed("findings"):
                found = joined(findings_of(batch, parser, events, hits, self.parts.detections))
            with self.stages.timed("sink"):
                self.store.findings(found.findings)
                self.store.matches(found.matches)
            self.events += events.height
            self.bytes += int(batch.records["event.original"].str.len_bytes().sum())
            self.matches.update(hits.rule.tolist())
        return self._made()

    def _read(self, work: Work) -> Iterator[Batch]:
        batches = work.batches(self.parts)
        while True:
            with self.stages.timed("read"):
                batch = next(batches, None)
            if batch is None:
                break
            yield batch
        children = os.times()  # event logs are parsed in processes that have ended by now
        self.stages.seconds["read"] += children.children_user + children.children_system

    def _match(self, dialect: Dialect, parsed: Parsed) -> Hits:
        """Match a batch three times: by the engine that compiles what it meets, by its twin, and traced."""
        engine, seconds, events, encoded = self.parts.engine, self.stages.seconds, parsed.events, parsed.encoded
        first = least(lambda: engine.detect(dialect, events, encoded), 1)
        again = least(lambda: self.twins[0].detect(dialect, events, encoded), 1)
        seconds["match"] += again
        seconds["prepare"] += max(first - again, 0.0)
        with self.trace.watching():
            return self.twins[1].detect(dialect, events, encoded)

    def _made(self) -> Profile:
        traced = self.trace.ledger.seconds
        parts = defaultdict[str, float](float)
        fields = defaultdict[str, dict[str, float]](lambda: {ENCODE: 0.0, SEARCH: 0.0})
        for (part, of), seconds in traced.items():
            parts[part] += seconds
            if part in (ENCODE, SEARCH) and isinstance(of, tuple):
                fields[", ".join(of) or KEYWORDS][part] += seconds
        return Profile(
            rules=len(self.parts.engine.rules),
            events=self.events,
            bytes=self.bytes,
            stages={stage: self.stages.seconds[stage] for stage in STAGES},
            matching=dict(parts),
            fields=sorted(
                (FieldCost(name, spent[ENCODE], spent[SEARCH]) for name, spent in fields.items()),
                key=lambda each: -each.encode - each.search,
            ),
            slowest=sorted(self._rules(), key=lambda each: -each.seconds)[:SLOWEST],
        )

    def _rules(self) -> Iterator[RuleCost]:
        for (part, number), seconds in self.trace.ledger.seconds.items():
            if part == RULE and isinstance(number, int):
                meta = self.parts.engine.rules[number].meta
                yield RuleCost(meta.id, meta.title, seconds, self.trace.rows[number], self.matches[number])
