"""The engine and the oracle asked the same rules of the same events.

Asked twice: every rule of every event, log sources left aside; and each rule of those events only that its log source
means, under the names that their source has for its fields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from detectors.contracts import Dialect, Encoded, Hits, LogSource
from detectors.sigma.columns import NONE
from detectors.sigma.engine import Engine
from detectors.sigma.logsources import Route, routes
from tests.property.oracle import EVERYTHING, Flags, Oracle

ANYWHERE: Final = LogSource("anywhere")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where engine and oracle say different things of a rule."""

    question: int
    engine: list[int]  # events of which only the engine says that the rule is true
    oracle: list[int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many pairs of a rule and an event were asked, how many matched, of which rules, and who disagreed where."""

    pairs: int
    matched: int
    fired: frozenset[int]
    differences: list[Difference]


class Comparison:
    """Asks the rules of an oracle of any events."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        rules = [question.rule for question in oracle.questions]
        self._routed = Engine(rules)
        self._everywhere = Engine([replace(rule, logsource=ANYWHERE) for rule in rules])
        self._numbers: dict[LogSource, list[int]] = defaultdict(list)
        for number, rule in enumerate(rules):
            self._numbers[rule.logsource].append(number)

    def wanted(self, dialect: Dialect) -> frozenset[str]:
        """Name the columns of events that either way of asking looks at."""
        return self._routed.wanted(dialect) | self._everywhere.wanted(_anywhere(dialect))

    def everywhere(self, dialect: Dialect, events: pl.DataFrame, encoded: Mapping[str, Encoded] = NONE) -> Outcome:
        """Ask every rule of every event; the engine takes what there is from `encoded`."""
        expected = self.expected(dialect, events)
        hits = self._everywhere.detect(_anywhere(dialect), events, encoded)
        return self._outcome(self._everywhere, hits, events, expected, len(expected) * events.height)

    def expected(self, dialect: Dialect, events: pl.DataFrame) -> dict[int, Flags]:
        """Ask the oracle alone: for each rule, of which events it is true."""
        asked = range(len(self._oracle.questions))
        return dict(self._oracle.ask(asked, self._texts(asked, dialect, Route(), _whole(events, dialect))))

    def routed(self, dialect: Dialect, events: pl.DataFrame, encoded: Mapping[str, Encoded] = NONE) -> Outcome:
        """Ask each rule of the events that its log source means."""
        pairs, whole = 0, _whole(events, dialect)
        expected: dict[int, Flags] = {}
        for logsource, asked in self._numbers.items():
            for route in routes(logsource, dialect.logsource):
                rows = _taking(route, events)
                pairs += rows.size * len(asked)
                if not rows.size:
                    continue
                texts = self._texts(asked, dialect, route, whole[rows])
                for number, flags in self._oracle.ask(asked, texts):
                    expected.setdefault(number, np.zeros(events.height, np.bool_))[rows] |= flags
        return self._outcome(self._routed, self._routed.detect(dialect, events, encoded), events, expected, pairs)

    def _texts(self, asked: Iterable[int], dialect: Dialect, route: Route, events: pl.DataFrame) -> pl.DataFrame:
        """Return what the events have in the fields that the rules name, as texts."""
        found = []
        for name in sorted({name for number in asked for name in self._oracle.questions[number].fields}):
            own = route.fields.get(name) or (name, *dialect.aliases.get(name, ()))
            there = [_text(events[column]) for column in own if column in events.columns]
            if there:
                found.append(pl.select(pl.coalesce(there).alias(name)).to_series())
        return pl.DataFrame(found) if found else pl.DataFrame(height=events.height)

    def _outcome(
        self, engine: Engine, hits: Hits, events: pl.DataFrame, expected: dict[int, Flags], pairs: int
    ) -> Outcome:
        assert not engine.failures
        ends = np.searchsorted(hits.rule, np.arange(len(engine.rules) + 1))
        nowhere = np.zeros(events.height, np.bool_)
        differences = []
        for number in range(len(engine.rules)):
            mine, theirs = nowhere.copy(), expected.get(number, nowhere)
            mine[hits.row[ends[number] : ends[number + 1]]] = True
            if (mine != theirs).any():
                only = [np.flatnonzero(one & ~other).tolist() for one, other in ((mine, theirs), (theirs, mine))]
                differences.append(Difference(number, *only))
        return Outcome(pairs, hits.row.size, frozenset(hits.rule.tolist()), differences)


def _anywhere(dialect: Dialect) -> Dialect:
    return replace(dialect, name=f"{dialect.name}, every rule", logsource=ANYWHERE)


def _taking(route: Route, events: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return the rows that take a route."""
    if not route.where.keys() <= {*events.columns}:
        return np.empty(0, np.int64)
    taking = np.ones(events.height, np.bool_)
    for name, values in route.where.items():
        taking &= events[name].str.to_lowercase().is_in(values).fill_null(value=False).to_numpy()
    return np.flatnonzero(taking)


def _text(column: pl.Series) -> pl.Series:
    """Return a column as texts; lists as the oracle can take them, in one text."""
    return column.list.join("\n") if isinstance(column.dtype, pl.List) else column.cast(pl.String)


def _whole(events: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """Return the events with their whole text beside: the line, or all values of a JSON document."""
    whole = events["event.original"]
    if dialect.structured:
        whole = pl.Series(["\n".join(_leaves(orjson.loads(line))) for line in whole], dtype=pl.String)
    return events.with_columns(whole.alias(EVERYTHING))


def _leaves(value: object) -> Iterator[str]:
    match value:
        case dict():
            yield from (text for inner in value.values() for text in _leaves(inner))
        case list():
            yield from (text for inner in value for text in _leaves(inner))
        case bool():
            yield str(value).lower()
        case str() | int() | float():
            yield str(value)
