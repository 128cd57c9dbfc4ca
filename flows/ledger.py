"""Keeps the ledger of a run: each batch as it was stored, and once a day per source which rules watch it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Protocol

import polars as pl

from connectors.definition import Definition
from detectors.attack import attack
from detectors.contracts import Batch, Hits, Parsed
from detectors.coverage import WHOSE, counted, watched
from flows.blindness import look
from flows.ruleset import RuleSet

LATE: Final = 300 * 1_000_000  # microseconds


class Ruled(Protocol):
    """What says which rules run."""

    @property
    def rules(self) -> RuleSet: ...


class Ledger:
    """Makes COVERAGE of batches. What a batch taught is remembered by `passed`, when its rows are stored."""

    wanted: Final = frozenset(WHOSE)  # columns that events must have for it

    def __init__(self, parts: Ruled, late: int = LATE, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._late, self._now = late, now
        self._newest: dict[tuple[str, str], datetime] = {}  # source, stream → newest time
        self._told: set[tuple[str, datetime]] = set()  # source, day
        self._rules, self._version = parts.rules, ""

    def use(self, parts: Ruled) -> None:
        """Go on with other rules."""
        self._rules, self._version = parts.rules, ""
        self._told.clear()

    def rows(self, batch: Batch, definition: Definition, parsed: Parsed, hits: Hits) -> pl.DataFrame:
        """Return COVERAGE of a batch."""
        counts = counted(
            batch.source,
            _name(batch),
            parsed.events,
            matched=hits.row,
            failures=parsed.lost.height,
            newest=self._newest.get((batch.source, batch.stream)),
            late=self._late,
            now=self._now(),
        )
        return pl.concat([counts, *self._watched(batch.source, definition, counts)])

    def passed(self, batch: Batch, events: pl.DataFrame, rows: pl.DataFrame) -> None:
        """Remember a batch whose rows are stored."""
        key, times = (batch.source, batch.stream), events["@timestamp"]
        last = times.filter(times <= self._now()).max()
        if isinstance(last, datetime):
            self._newest[key] = max(last, self._newest.get(key, last))
        self._told |= {(batch.source, day) for day in rows.filter(pl.col("soc.batch").is_null())["@timestamp"]}

    def _watched(self, source: str, definition: Definition, counts: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Yield which rules run on the days of a batch, where that isn't told yet."""
        days = counts["@timestamp"].drop_nulls().dt.truncate("1d").unique().sort()
        fresh = [day for day in days[-2:] if (source, day) not in self._told]
        if not fresh:
            return
        rules = self._rules.rules
        seen = look(rules, definition).whole
        live = {rules[number].meta.id for number in seen.live}
        metas = [rules[number].meta for number in seen.live]
        metas += [each.rule.meta for each in self._rules.correlations if live & {leaf.id for leaf in each.leaves()}]
        pairs = Counter(pair for meta in metas for pair in attack(meta.tags).pairs)
        blind = [rules[number].meta.id for number in seen.blind]
        for day in fresh:
            yield watched(source, day, self._versioned(), rules=len(live), blind=blind, attack=pairs)

    def _versioned(self) -> str:
        """Return a name for the rules that run, which changes when any of them means something else."""
        if not self._version:
            every = sorted(f"{rule.meta.id} {rule.semantics}" for rule in self._rules.rules)
            self._version = hashlib.sha256("\n".join(every).encode()).hexdigest()[:12]
        return self._version


def _name(batch: Batch) -> str:
    """Name a batch by its origin and the place of its first record."""
    first = batch.records.head(1).select("log.offset", "soc.index").rows()
    return f"{batch.origin}@{'.'.join(str(part) for part in first[0]) if first else ''}"
