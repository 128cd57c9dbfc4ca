"""All of it together: a frame in, hits out.

For a frame: find the covers' values in each column, turn them into rows, and evaluate only the rules whose cover is
true somewhere, only there.
What a rule costs on logs that hold nothing for it is its share of the needles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl

from detectors.contracts import Dialect, Encoded, Hits
from detectors.sigma import keywords
from detectors.sigma.columns import NONE, Chain, Rows, Table
from detectors.sigma.evaluate import evaluate
from detectors.sigma.plan import Placed, Plan, Watch, plan
from detectors.sigma.predicates import Predicate
from detectors.sigma.routing import Taken
from detectors.sigma.rule import Rule
from detectors.sigma.vocabulary import distinct


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

    def detect(self, dialect: Dialect, events: pl.DataFrame, encoded: Mapping[str, Encoded] = NONE) -> Hits:
        """Return every (rule, row) that matches; columns of the events may stand in `encoded`."""
        if events.is_empty():
            return _hits([])
        known = self._plan(dialect)
        table = Table(events, known.columns, known.memory, encoded)
        taken = known.routing.taken(table)
        _read_keywords(known, table, taken, structured=dialect.structured)
        found: list[tuple[int, Rows]] = []
        for placed, rows in _candidates(known, table, taken):
            try:
                matched = rows[evaluate(known.condition(placed), rows, placed.chains, table)]
            except Exception as error:  # noqa: BLE001  # whatever breaks one rule, the others must go on
                self.failures.setdefault(placed.rule, f"{type(error).__name__}: {error}")
                continue
            if matched.size:
                found.append((placed.rule, matched))
        known.memory.trim()
        return _hits(found)

    def _plan(self, dialect: Dialect) -> Plan:
        if dialect.name not in self._plans:
            self._plans[dialect.name] = plan(self.rules, dialect)
        return self._plans[dialect.name]


def _read_keywords(known: Plan, table: Table, taken: Taken, *, structured: bool) -> None:
    """Read the texts of whole events, where any keyword may be."""
    groups: dict[frozenset[int], list[Predicate]] = defaultdict(list)
    for predicate, routes in known.keywords.items():
        groups[taken.routes.intersection(routes)].append(predicate)
    asked = [(taken.rows(routes), found) for routes, found in groups.items() if routes]
    if asked:
        keywords.read(table, asked, structured=structured)


def _candidates(known: Plan, table: Table, taken: Taken) -> Iterator[tuple[Placed, Rows]]:
    """Yield each rule that may match, with the rows where it may."""
    parts: dict[tuple[int, int], tuple[Placed, list[Rows]]] = {}
    unsifted = {placed.key: placed for placed in known.always}
    for chain, watch in known.watches.items():
        if watch.routes.isdisjoint(taken.routes):
            continue
        try:
            found = list(_found(chain, watch, table, taken))
        except Exception:  # noqa: BLE001  # costs time only: its rules are asked everywhere, and fail there one by one
            unsifted |= {placed.key: placed for each in watch.watchers.values() for placed in each}
            continue
        for placed, rows in found:
            parts.setdefault(placed.key, (placed, []))[1].append(rows)
    for key, (placed, lists) in parts.items():
        if key not in unsifted:
            yield placed, lists[0] if len(lists) == 1 else distinct(np.concatenate(lists), table.events.height)
    for placed in unsifted.values():
        if placed.route in taken.routes:
            yield placed, taken.rows(frozenset({placed.route}))


def _found(chain: Chain, watch: Watch, table: Table, taken: Taken) -> Iterator[tuple[Placed, Rows]]:
    """Yield each rule with rows where one of the predicates it needs is true."""
    column = table.column(chain)
    if column is None:
        return
    needles, watchers = watch.armed
    for at, rows in column.found(needles, taken.rows(taken.routes.intersection(watch.routes))).items():
        for placed in watchers[at]:
            if placed.route in taken.routes and (narrowed := taken.narrow(rows, placed.route)).size:
                yield placed, narrowed


def _hits(found: list[tuple[int, Rows]]) -> Hits:
    """Order hits by rule, then row, each once: two routes of a rule may lead to the same row."""
    if not found:
        return Hits(np.empty(0, np.int32), np.empty(0, np.int64))
    rules = np.concatenate([np.full(rows.size, rule, np.int64) for rule, rows in found])
    rows = np.concatenate([rows for _, rows in found])
    height = rows.max() + 1
    pairs = np.unique(rules * height + rows)
    return Hits((pairs // height).astype(np.int32), pairs % height)
