"""Which of the hits are excepted by filters.

Rules run as if there were no filters; what they hit is then asked whether a filter takes it. So an exception costs
nothing on events that no rule matches, and what it takes is known, counted and kept.

Where a rule reads an event in several ways (routes), a filter takes what it describes in any of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.contracts import Dialect, Hits, LogSource
from detectors.errors import Place, RuleError
from detectors.meta import Meta
from detectors.nearest import meant
from detectors.schema import ORGANISATION
from detectors.sigma.columns import Rows
from detectors.sigma.engine import Engine
from detectors.sigma.filters import Filter, Reference
from detectors.sigma.predicates import Node, Not
from detectors.sigma.rule import Rule
from detectors.sigma.vocabulary import Flags


@dataclass(frozen=True, slots=True)
class Taken:
    """Which hits (by their places) which filters (by their numbers) take: two arrays of equal length."""

    hit: npt.NDArray[np.int64]
    filter: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Which filters apply to which rules, and what is wrong with their references."""

    filters: dict[int, tuple[int, ...]]  # rule → filters
    faults: tuple[RuleError, ...]


def resolve(filters: Sequence[Filter], rules: Sequence[Rule], called: Mapping[str, str] | None = None) -> Resolved:
    """Find the rules that filters name; a name that leads to none costs itself, not the filter's other rules.

    `called` gives the ids behind what is not the id or name of a rule: those that are no rule are somebody else's.
    """
    found: dict[int, list[int]] = defaultdict(list)
    faults: list[RuleError] = []
    known = _Known(rules, called or {})
    for number, each in enumerate(filters):
        if each.waits_for:
            continue
        for outcome in known.named(each):
            if isinstance(outcome, RuleError):
                faults.append(outcome)
            elif number not in found[outcome]:
                found[outcome].append(number)
    return Resolved({rule: tuple(numbers) for rule, numbers in found.items() if numbers}, tuple(faults))


class _Known:
    """Rules by what filters may call them."""

    def __init__(self, rules: Sequence[Rule], called: Mapping[str, str]) -> None:
        self._rules, self._called = rules, called
        self._ids = {rule.id: number for number, rule in enumerate(rules)}
        self._sources: dict[LogSource, list[int]] = defaultdict(list)
        for number, rule in enumerate(rules):
            self._sources[rule.logsource].append(number)
        self._names = {rule.name: number for number, rule in enumerate(rules) if rule.name}

    def named(self, each: Filter) -> Iterator[int | RuleError]:
        """Yield the rules that a filter applies to, and a fault for each reference that leads to none."""
        if not each.rules:
            for logsource, numbers in self._sources.items():
                if each.logsource.covers(logsource):
                    yield from numbers
        for reference in each.rules:
            number = self._ids.get(reference.rule, self._names.get(reference.rule))
            called = self._called.get(reference.rule)
            if number is None and called is not None and called not in self._ids:
                continue
            yield self._number(each, reference, self._ids.get(called) if number is None and called else number)

    def _number(self, each: Filter, reference: Reference, number: int | None) -> int | RuleError:
        place = Place(each.place.file, reference.line, reference.column)
        if number is None:
            offered = meant(reference.rule, [*self._names, *self._called])
            fix = offered or "name a rule that is loaded by its id or its `name:`"
            return RuleError(f"there is no rule `{reference.rule:.80}` to except from", place=place, fix=fix)
        logsource = self._rules[number].logsource
        if not each.logsource.covers(logsource):
            message = f"the rule `{reference.rule:.80}` is of {logsource}, which {each.logsource} does not cover"
            return RuleError(message, place=place, fix="give the filter the log source of the rule")
        return number


class Exceptions:
    """Filters, ready to be asked about the hits of an engine with these rules.

    `failures` says of a filter (by number) why it could not be evaluated; it takes nothing then.
    """

    def __init__(
        self,
        filters: Sequence[Filter] = (),
        rules: Sequence[Rule] = (),
        zone: tzinfo = UTC,
        called: Mapping[str, str] | None = None,
    ) -> None:
        """Take filters and the rules that hits are numbered by; `zone` is that of terms without one."""
        self.filters = tuple(filters)
        self._of = resolve(self.filters, rules, called).filters
        self._rules = rules
        self._bounds = [(each.terms.since(zone), each.terms.until(zone)) for each in self.filters]
        asked: dict[tuple[int, LogSource], None] = {}
        for rule, numbers in self._of.items():
            asked |= dict.fromkeys((number, rules[rule].logsource) for number in numbers)
        self._asked = {pair: place for place, pair in enumerate(asked)}
        self._engine = Engine([question(self.filters[number], logsource) for number, logsource in asked])

    @property
    def failures(self) -> dict[int, str]:
        """Say why filters could not be evaluated."""
        numbers = [number for number, _ in self._asked]
        return {numbers[place]: reason for place, reason in self._engine.failures.items()}

    @property
    def questions(self) -> list[tuple[int, Rule]]:
        """Return what is asked about hits: the number of a filter, and the rule that matches what it takes."""
        return [(number, rule) for (number, _), rule in zip(self._asked, self._engine.rules, strict=True)]

    def wanted(self, dialect: Dialect) -> frozenset[str]:
        """Name the columns that filters look at in events of this source."""
        return self._engine.wanted(dialect).union(ORGANISATION) if self._asked else frozenset()

    def take(self, dialect: Dialect, events: pl.DataFrame, hits: Hits) -> Taken:
        """Return what filters take of the hits, whose rows are those of `events`; several may take the same."""
        ruled = self.ruled(hits)
        if not ruled.size:
            return _joined([])
        rows = np.unique(hits.row[ruled])
        part = events[rows]
        described = self._engine.detect(dialect, part)
        holds: dict[int, Flags] = {}
        found: list[tuple[Rows, int]] = []
        for rule in np.unique(hits.rule[ruled]).tolist():
            places = np.arange(*np.searchsorted(hits.rule, (rule, rule + 1)))
            there = np.searchsorted(rows, hits.row[places])
            for number in self._of[rule]:
                fits = _fits(described, self._asked[number, self._rules[rule].logsource], part.height)
                if not fits.any():
                    continue
                if number not in holds:
                    holds[number] = self._holds(number, part)
                found.append((places[(fits & holds[number])[there]], number))
        return _joined(found)

    def ruled(self, hits: Hits) -> Rows:
        """Return the places of the hits of rules that have any filter."""
        if not self._of or not hits.rule.size:
            return np.empty(0, np.int64)
        return np.flatnonzero(np.isin(hits.rule, np.fromiter(self._of, np.int64)))

    def _holds(self, number: int, events: pl.DataFrame) -> Flags:
        """Say of which events the terms of a filter hold: the time of the event counts, whenever it is looked at."""
        since, until = self._bounds[number]
        time, wanted = pl.col("@timestamp"), self.filters[number].terms.organisation.lower()
        own = [pl.col(name).cast(pl.String).str.to_lowercase() for name in ORGANISATION if name in events.columns]
        terms = [
            *([time >= since] if since is not None else []),
            *([time < until] if until is not None else []),
            *([pl.any_horizontal(pl.lit(value=False), *(name == wanted for name in own))] if wanted else []),
        ]
        if not terms:
            return np.ones(events.height, np.bool_)
        held = events.with_columns(pl.all_horizontal(terms).fill_null(value=False).alias("holds"))["holds"]
        answer: Flags = held.to_numpy()
        return answer


def question(each: Filter, logsource: LogSource) -> Rule:
    """Return the rule that matches what a filter takes, where rules of that log source look."""
    return Rule(Meta(each.id, each.title), logsource, _contrary(each.condition), each.place, each.semantics)


def _contrary(node: Node) -> Node:
    return node.part if isinstance(node, Not) else Not(node)


def _fits(described: Hits, place: int, height: int) -> Flags:
    """Return which rows the question at that place matches."""
    begin, end = np.searchsorted(described.rule, (place, place + 1))
    fits = np.zeros(height, np.bool_)
    fits[described.row[begin:end]] = True
    return fits


def _joined(found: list[tuple[Rows, int]]) -> Taken:
    if not found:
        return Taken(np.empty(0, np.int64), np.empty(0, np.int64))
    hits = np.concatenate([places for places, _ in found])
    filters = np.concatenate([np.full(places.size, number, np.int64) for places, number in found])
    order = np.lexsort((filters, hits))
    return Taken(hits[order], filters[order])
