"""All of it together: a frame in, hits out.

For a source, once: route every rule, choose its cover, and build one set of needles per column. For a frame: find the
covers' values in each column, turn them into rows, and evaluate only the rules whose cover is true somewhere, only
there.
What a rule costs on logs that hold nothing for it is its share of the needles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from detectors.contracts import Dialect, Hits
from detectors.sigma import keywords
from detectors.sigma.columns import KEYWORDS, Chain, Codes, Column, Flags, Rows, Table, distinct
from detectors.sigma.covers import cover, ordered
from detectors.sigma.fold import fold
from detectors.sigma.logsources import Route, routes
from detectors.sigma.needles import Needles
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Or, Predicate, predicates
from detectors.sigma.rule import Rule


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule on one of its routes through a source."""

    rule: int
    route: int
    condition: Node
    chains: dict[str, Chain]  # field of the rule → own columns


@dataclass(slots=True)
class Plan:
    """All that is worked out once per source."""

    routes: list[Route] = field(default_factory=list)
    needles: dict[Chain, Needles] = field(default_factory=dict)
    watchers: dict[tuple[Chain, Predicate], list[Placed]] = field(default_factory=lambda: defaultdict(list))
    always: list[Placed] = field(default_factory=list)  # rules that nothing needs to be true for
    keywords: dict[Predicate, set[int]] = field(default_factory=lambda: defaultdict(set))  # keyword → routes
    columns: set[str] = field(default_factory=set)


class Engine:
    """A Detector for Sigma rules. `hits.rule` numbers the rules in the order given here."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._plans: dict[str, Plan] = {}

    def wanted(self, dialect: Dialect) -> frozenset[str]:
        """Name the own columns that any rule looks at in events of this source."""
        return frozenset(self._plan(dialect).columns)

    def covered(self, dialect: Dialect) -> list[int]:
        """Return the numbers of the rules that run on this source."""
        plan = self._plan(dialect)
        placed = {each.rule for watchers in plan.watchers.values() for each in watchers}
        return sorted(placed | {each.rule for each in plan.always})

    def detect(self, dialect: Dialect, events: pl.DataFrame) -> Hits:
        """Return every (rule, row) that matches."""
        plan = self._plan(dialect)
        table = Table(events)
        open_rows = [table.rows(route) for route in plan.routes]
        self._read_keywords(plan, table, open_rows, structured=dialect.structured)
        found: list[tuple[int, Rows]] = []
        for placed, rows in _candidates(plan, table, open_rows):
            matched = rows[_evaluate(placed.condition, rows, placed.chains, table)]
            if matched.size:
                found.append((placed.rule, matched))
        return _hits(found)

    def _plan(self, dialect: Dialect) -> Plan:
        if dialect.name not in self._plans:
            self._plans[dialect.name] = _plan(self.rules, dialect)
        return self._plans[dialect.name]

    @staticmethod
    def _read_keywords(plan: Plan, table: Table, open_rows: list[Flags | None], *, structured: bool) -> None:
        groups: dict[frozenset[int], list[Predicate]] = defaultdict(list)
        for predicate, numbers in plan.keywords.items():
            groups[frozenset(number for number in numbers if open_rows[number] is not None)].append(predicate)
        asked = [(_union(open_rows, numbers), found) for numbers, found in groups.items() if numbers]
        if asked:
            table.put_keywords(keywords.column(table.events, asked, structured=structured))


def _union(open_rows: list[Flags | None], numbers: Iterable[int]) -> Rows:
    """Return the rows that any of the routes leads to."""
    flags = [rows for number in numbers if (rows := open_rows[number]) is not None]
    return np.flatnonzero(np.logical_or.reduce(flags))


def _plan(rules: Iterable[Rule], dialect: Dialect) -> Plan:
    plan = Plan()
    numbers: dict[str, int] = {}
    chains: dict[int, dict[str, Chain]] = {}
    for index, rule in enumerate(rules):
        if rule.waits_for:
            continue
        for route in routes(rule.logsource, dialect.logsource):
            key = repr(sorted((name, sorted(values)) for name, values in route.where.items()))
            key += repr(sorted(route.fields.items()))
            if key not in numbers:
                numbers[key] = len(plan.routes)
                plan.routes.append(route)
                chains[numbers[key]] = {}
            names = chains[numbers[key]]
            _name(names, rule.condition, route, dialect)
            _place(plan, Placed(index, numbers[key], ordered(rule.condition), names))
    by_chain: dict[Chain, set[Predicate]] = defaultdict(set)
    for chain, predicate in plan.watchers:
        by_chain[chain].add(predicate)
    plan.needles = {chain: Needles(sorted(found, key=repr)) for chain, found in by_chain.items()}
    plan.columns = {name for known in chains.values() for chain in known.values() for name in chain}
    plan.columns |= {name for route in plan.routes for name in route.where}
    return plan


def _name(chains: dict[str, Chain], condition: Node, route: Route, dialect: Dialect) -> None:
    """Add to `chains` what the source calls the fields that a condition names."""
    for predicate in predicates(condition):
        names = [predicate.field] if predicate.field is not None else []
        names += predicate.values if predicate.op in REFERENCE_OPS else ()
        for name in names:
            if name not in chains:
                chains[name] = route.fields.get(name) or (name, *dialect.aliases.get(name, ()))


def _place(plan: Plan, placed: Placed) -> None:
    for predicate in predicates(placed.condition):
        if predicate.field is None:
            plan.keywords[predicate].add(placed.route)
    needed = cover(placed.condition)
    if needed is None:
        plan.always.append(placed)
        return
    for predicate in needed:
        chain = KEYWORDS if predicate.field is None else placed.chains[predicate.field]
        plan.watchers[chain, predicate].append(placed)


def _candidates(plan: Plan, table: Table, open_rows: list[Flags | None]) -> Iterable[tuple[Placed, Rows]]:
    """Yield each rule that may match, with the rows where it may."""
    parts: dict[tuple[int, int], tuple[Placed, list[Rows]]] = {}
    for chain, needles in plan.needles.items():
        column = table.column(chain)
        if column is None:
            continue
        for predicate, codes in needles.find(column):
            rows = column.rows(codes)
            for placed in plan.watchers[chain, predicate]:
                flags = open_rows[placed.route]
                if flags is None:
                    continue
                taken = rows[flags[rows]]
                if taken.size:
                    parts.setdefault((placed.rule, placed.route), (placed, []))[1].append(taken)
    for placed, lists in parts.values():
        yield placed, lists[0] if len(lists) == 1 else distinct(np.concatenate(lists), table.events.height)
    for placed in plan.always:
        flags = open_rows[placed.route]
        if flags is not None:
            yield placed, np.flatnonzero(flags)


def _evaluate(node: Node, rows: Rows, chains: dict[str, Chain], table: Table) -> Flags:
    """Say for each of the rows whether the tree is true there; a part is asked only where it still matters."""
    match node:
        case Predicate():
            return _test(node, rows, chains, table)
        case Not(part):
            return ~_evaluate(part, rows, chains, table)
        case And(parts):
            return _narrow(parts, rows, chains, table, stop=False)
        case Or(parts):
            return _narrow(parts, rows, chains, table, stop=True)


def _narrow(parts: tuple[Node, ...], rows: Rows, chains: dict[str, Chain], table: Table, *, stop: bool) -> Flags:
    """Evaluate parts in turn on the rows that none has decided: true decides an Or, false an And."""
    answer = np.full(rows.size, not stop, np.bool_)
    undecided = np.arange(rows.size)
    for part in parts:
        flags = _evaluate(part, rows[undecided], chains, table)
        decided = flags if stop else ~flags
        answer[undecided[decided]] = stop
        undecided = undecided[~decided]
        if not undecided.size:
            break
    return answer


def _test(predicate: Predicate, rows: Rows, chains: dict[str, Chain], table: Table) -> Flags:
    column = table.column(KEYWORDS if predicate.field is None else chains[predicate.field])
    if column is None:
        return np.full(rows.size, predicate.op in ABSENCE_OPS, np.bool_)
    if predicate.op in REFERENCE_OPS:
        other = table.column(chains[predicate.values[0]])
        return _compare(predicate.op, column, other, rows)
    return column.test(predicate, column.codes[rows])


_REFERENCES: dict[str, Callable[[str, str], bool]] = {
    "ref_equals": lambda mine, theirs: mine == theirs,
    "ref_contains": lambda mine, theirs: theirs in mine,
    "ref_startswith": lambda mine, theirs: mine.startswith(theirs),
    "ref_endswith": lambda mine, theirs: mine.endswith(theirs),
}


def _compare(op: str, mine: Column, theirs: Column | None, rows: Rows) -> Flags:
    """Compare two fields of the same event, in any case; where either is missing the answer is no."""
    answer = np.zeros(rows.size, np.bool_)
    if theirs is None:
        return answer
    left, right = mine.codes[rows], theirs.codes[rows]
    both = np.flatnonzero((left >= 0) & (right >= 0))
    for index, a, b in zip(both, _folded(mine, left[both]), _folded(theirs, right[both]), strict=True):
        answer[index] = any(_REFERENCES[op](x, y) for x in a for y in b)
    return answer


def _folded(column: Column, codes: Codes) -> list[list[str]]:
    values = [value if isinstance(value, list) else [value] for value in column.pick(codes)]
    return [[fold(text) for text in texts if text is not None] for texts in values]


def _hits(found: list[tuple[int, Rows]]) -> Hits:
    """Order hits by rule, then row, each once: two routes of a rule may lead to the same row."""
    if not found:
        return Hits(np.empty(0, np.int32), np.empty(0, np.int64))
    rules = np.concatenate([np.full(rows.size, rule, np.int64) for rule, rows in found])
    rows = np.concatenate([rows for _, rows in found])
    height = rows.max() + 1
    pairs = np.unique(rules * height + rows)
    return Hits((pairs // height).astype(np.int32), pairs % height)
