"""Correlations in the pipeline: hits to kept matches, and what follows from them to the sink."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from connectors.parser import DefinedParser
from detectors.contracts import Batch, Block, Clock, Dialect, Hits, Memory
from detectors.correlation.correlator import Correlator
from detectors.correlation.evaluate import FIELD
from detectors.correlation.link import SECOND
from detectors.findings import Found, event_ids
from detectors.meta import Meta
from detectors.sigma.logsources import routes
from detectors.sigma.rule import Rule
from flows.assembly import Parts
from flows.sifting import read_again

AHEAD = 3600 * SECOND  # by which clocks of sources may be fast
FAR = 2**62
SHOWN = 1_000  # characters of a raw record that are kept with a match


class Correlating:
    """Knows which hits correlations need, and what of their events."""

    def __init__(self, parts: Parts, memory: Memory, now: Callable[[], int] | None = None) -> None:
        """Take what runs; `now` bounds what events may claim about how far time has come."""
        correlations = parts.rules.correlations
        self.correlator = Correlator(correlations, memory, parts.calendar, parts.excepted)
        self._memory, self._now = memory, now
        self.excepted = parts.excepted
        self._metas = {linked.rule.meta.id: linked.rule.meta for linked in correlations}
        self.waits = any(linked.waits for linked in correlations)
        self._rules = {
            number: (rule, self.correlator.fields[rule.id])
            for number, rule in enumerate(parts.rules.rules)
            if rule.id in self.correlator.fields
        }
        self._silent = np.array(
            [number for number, (rule, _) in self._rules.items() if rule.id in self.correlator.silent], np.int32
        )
        self._engine, self._definitions = parts.engine, parts.definitions

    def shown(self, hits: Hits) -> Hits:
        """Return the hits of rules that have findings of their own."""
        kept = ~np.isin(hits.rule, self._silent)
        return hits if kept.all() else Hits(hits.rule[kept], hits.row[kept])

    def failures(self) -> list[tuple[Meta, str]]:
        """Return which correlations failed, and why."""
        return [(self._metas[name], reason) for name, reason in self.correlator.failures.items()]

    def pass_time(self, batch: Batch, events: pl.DataFrame) -> None:
        """Note how far time has come in a source, if any correlation waits for that.

        Events far ahead of the clock say nothing of it: one wrong date would make everything else late.
        """
        if not self.waits:
            return
        times = events["@timestamp"].cast(pl.Int64)
        now = FAR if self._now is None else self._now()
        sound = times.filter(times <= now + AHEAD).max()
        if isinstance(sound, int):
            self._memory.pass_time({(batch.source, batch.stream): min(sound, now)})

    def settle(self, late: int, idle: int | None, ends: Mapping[Clock, bool] | None) -> Iterator[Found]:
        """Yield what follows where time had to pass; a result has to be stored before the next is asked for.

        Time is `late` microseconds behind the newest event. What brings nothing new is at most `idle` behind: behind
        the clock where `ends` says of streams whether they were read to their end, else behind the other sources.
        """
        if self.waits and self._memory.waiting():
            self._memory.pass_time(self._ended(idle, ends))
            yield from self.correlator.settle(self.sources(), late)

    def _ended(self, idle: int | None, ends: Mapping[Clock, bool] | None) -> dict[Clock, int]:
        """Return how far time has come where nothing comes; what is behind and unknown holds all up."""
        if ends is not None:
            now = 0 if self._now is None or idle is None else self._now() - idle
            return {clock: now if ended else 0 for clock, ended in ends.items()}
        times = self._memory.times()
        return {} if idle is None else dict.fromkeys(times, max(times.values(), default=0) - idle)

    def sources(self) -> dict[str, list[str]]:
        """Return for each rule that correlations need the sources whose events it looks at."""
        found: dict[str, list[str]] = {rule.id: [] for rule, _ in self._rules.values()}
        for name, definition in self._definitions.items():
            for number in self._engine.covered(definition.dialect):
                if number in self._rules:
                    found[self._rules[number][0].id].append(name)
        return found

    def blocks(self, batch: Batch, parser: DefinedParser, events: pl.DataFrame, hits: Hits) -> list[Block]:
        """Return the matches that correlations need."""
        numbers = [number for number in np.unique(hits.rule).tolist() if number in self._rules]
        if not numbers:
            return []
        needed = np.isin(hits.rule, numbers)
        rows, asked = Hits(hits.rule[needed], hits.row[needed]).alone()
        columns = {number: columns_of(*self._rules[number], parser.dialect) for number in numbers}
        wanted = frozenset(name for each in columns.values() for chain in each.values() for name in chain)
        frame = _read(batch, parser, events[rows], wanted)
        frame = frame.with_columns(
            pl.Series("event.id", event_ids(batch, frame)), pl.lit(batch.source).alias("soc.source")
        )
        return [
            Block(self._rules[number][0].id, kept(frame[asked.row[asked.rule == number]], columns[number]))
            for number in numbers
        ]


def remembering(
    parts: Parts, memory: Callable[[int], Memory], now: Callable[[], int] | None = None
) -> Correlating | None:
    """Return what correlates; None where no correlation is loaded, and then no memory is made.

    `memory` makes one that reaches back so many microseconds.
    """
    known = parts.rules.correlations
    return Correlating(parts, memory(max(linked.reach for linked in known)), now) if known else None


def columns_of(rule: Rule, fields: Sequence[str], dialect: Dialect) -> dict[str, tuple[str, ...]]:
    """Return for each field the source's columns, of which the first that has a value gives it."""
    ways = routes(rule.logsource, dialect.logsource)
    return {
        field: tuple(dict.fromkeys(name for way in ways for name in way.columns(field, dialect))) for field in fields
    }


def _read(batch: Batch, parser: DefinedParser, hit: pl.DataFrame, wanted: frozenset[str]) -> pl.DataFrame:
    """Read hit records once more, for what rules did not look at."""
    if wanted <= frozenset(hit.columns):
        return hit
    return read_again(batch, parser, hit, wanted)


def kept(frame: pl.DataFrame, columns: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return what is kept of matches: `columns` gives for a field the columns of which the first with a value counts.

    Matches without a time never correlate.
    """
    return frame.select(
        "event.id",
        pl.col("@timestamp").cast(pl.Int64).alias("time"),
        "soc.source",
        pl.col("event.original").str.slice(0, SHOWN),
        *(_field(frame, chain).alias(f"{FIELD}{field}") for field, chain in columns.items()),
    ).drop_nulls("time")


def _field(frame: pl.DataFrame, chain: Sequence[str]) -> pl.Expr:
    texts = [
        pl.col(name).list.join(", ") if frame.schema[name] == pl.List else pl.col(name).cast(pl.String)
        for name in chain
        if name in frame.columns
    ]
    return pl.coalesce(texts) if texts else pl.lit(None, pl.String)
