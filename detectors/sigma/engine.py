"""All of it together: a frame in, hits out.

For a frame: find the covers' values in each column, turn them into rows, and evaluate only the rules whose cover is
true somewhere, only there.
What a rule costs on logs that hold nothing for it is its share of the needles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from detectors.contracts import Dialect, Hits
from detectors.sigma import keywords
from detectors.sigma.columns import Chain, Flags, Rows, Table, distinct
from detectors.sigma.evaluate import evaluate
from detectors.sigma.plan import Placed, Plan, Watch, plan
from detectors.sigma.predicates import Predicate
from detectors.sigma.rule import Rule

_OpenRows = list[Flags | None]  # per route the rows that take it; None: none does


class Engine:
    """A Detector for Sigma rules. `hits.rule` numbers the rules in the order given here.

    `failures` says of a rule (by number) why it could not be evaluated when that first happened; it is tried again on
    every frame, and its hits on the frame where it failed may be incomplete.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.failures: dict[int, str] = {}
        self._plans: dict[str, Plan] = {}

    def wanted(self, dialect: Dialect) -> frozenset[str]:
        """Name the own columns that any rule looks at in events of this source."""
        return frozenset(self._plan(dialect).columns)

    def covered(self, dialect: Dialect) -> list[int]:
        """Return the numbers of the rules that run on this source."""
        return sorted(self._plan(dialect).placed)

    def detect(self, dialect: Dialect, events: pl.DataFrame) -> Hits:
        """Return every (rule, row) that matches."""
        known = self._plan(dialect)
        table = Table(events)
        open_rows = [table.rows(route) for route in known.routes]
        _read_keywords(known, table, open_rows, structured=dialect.structured)
        found: list[tuple[int, Rows]] = []
        for placed, rows in _candidates(known, table, open_rows):
            try:
                matched = rows[evaluate(placed.condition, rows, placed.chains, table)]
            except Exception as error:  # noqa: BLE001  # whatever breaks one rule, the others must go on
                self.failures.setdefault(placed.rule, f"{type(error).__name__}: {error}")
                continue
            if matched.size:
                found.append((placed.rule, matched))
        return _hits(found)

    def _plan(self, dialect: Dialect) -> Plan:
        if dialect.name not in self._plans:
            self._plans[dialect.name] = plan(self.rules, dialect)
        return self._plans[dialect.name]


def _read_keywords(known: Plan, table: Table, open_rows: _OpenRows, *, structured: bool) -> None:
    """Read the texts of whole events, where any keyword may be."""
    groups: dict[frozenset[int], list[Predicate]] = defaultdict(list)
    for predicate, numbers in known.keywords.items():
        groups[frozenset(number for number in numbers if open_rows[number] is not None)].append(predicate)
    asked = [(_union(open_rows, numbers), found) for numbers, found in groups.items() if numbers]
    if asked:
        table.put_keywords(keywords.column(table.events, asked, structured=structured))


def _union(open_rows: _OpenRows, numbers: Iterable[int]) -> Rows:
    """Return the rows that any of the routes leads to."""
    flags = [rows for number in numbers if (rows := open_rows[number]) is not None]
    return np.flatnonzero(np.logical_or.reduce(flags))


def _candidates(known: Plan, table: Table, open_rows: _OpenRows) -> Iterator[tuple[Placed, Rows]]:
    """Yield each rule that may match, with the rows where it may."""
    parts: dict[tuple[int, int], tuple[Placed, list[Rows]]] = {}
    unsifted = {placed.key: placed for placed in known.always}
    for chain, watch in known.watches.items():
        if all(open_rows[number] is None for number in watch.routes):
            continue
        try:
            found = list(_found(chain, watch, table, open_rows))
        except Exception:  # noqa: BLE001  # costs time only: its rules are asked everywhere, and fail there one by one
            unsifted |= {placed.key: placed for each in watch.watchers.values() for placed in each}
            continue
        for placed, rows in found:
            parts.setdefault(placed.key, (placed, []))[1].append(rows)
    for key, (placed, lists) in parts.items():
        if key not in unsifted:
            yield placed, lists[0] if len(lists) == 1 else distinct(np.concatenate(lists), table.events.height)
    for placed in unsifted.values():
        flags = open_rows[placed.route]
        if flags is not None:
            yield placed, np.flatnonzero(flags)


def _found(chain: Chain, watch: Watch, table: Table, open_rows: _OpenRows) -> Iterator[tuple[Placed, Rows]]:
    """Yield each rule with rows where one of the predicates it needs is true."""
    column = table.column(chain)
    if column is None or not len(column):
        return
    for predicate, codes in watch.needles.find(column):
        rows = column.rows(codes)
        for placed in watch.watchers[predicate]:
            flags = open_rows[placed.route]
            if flags is not None and (taken := rows[flags[rows]]).size:
                yield placed, taken


def _hits(found: list[tuple[int, Rows]]) -> Hits:
    """Order hits by rule, then row, each once: two routes of a rule may lead to the same row."""
    if not found:
        return Hits(np.empty(0, np.int32), np.empty(0, np.int64))
    rules = np.concatenate([np.full(rows.size, rule, np.int64) for rule, rows in found])
    rows = np.concatenate([rows for _, rows in found])
    height = rows.max() + 1
    pairs = np.unique(rules * height + rows)
    return Hits((pairs // height).astype(np.int32), pairs % height)
