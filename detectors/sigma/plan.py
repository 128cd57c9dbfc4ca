"""What is worked out once per source: where each rule applies there, and what of it to look for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from detectors.contracts import Dialect, LogSource
from detectors.sigma.columns import KEYWORDS, Chain, Memory
from detectors.sigma.covers import cover, ordered
from detectors.sigma.logsources import Route, routes
from detectors.sigma.needles import Needles
from detectors.sigma.predicates import REFERENCE_OPS, Node, Predicate, predicates
from detectors.sigma.routing import Routing
from detectors.sigma.rule import Rule


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule on one of its routes through a source."""

    rule: int
    route: int
    condition: Node
    chains: dict[str, Chain]  # field of the rule → own columns

    @property
    def key(self) -> tuple[int, int]:
        """Return what tells it from all others of its plan."""
        return self.rule, self.route


@dataclass(slots=True)
class Watch:
    """What is looked for in one column, and which rules are evaluated where it is found.

    The needles are made when the column first comes with a value: many a column that rules name never does.
    """

    watchers: dict[Predicate, list[Placed]] = field(default_factory=lambda: defaultdict(list))
    routes: set[int] = field(default_factory=set)
    _armed: tuple[Needles, list[list[Placed]]] | None = None

    @property
    def armed(self) -> tuple[Needles, list[list[Placed]]]:
        """Return what to look for, compiled, and the rules that watch for each of its predicates."""
        if self._armed is None:
            self._armed = Needles(self.watchers), [*self.watchers.values()]
        return self._armed


@dataclass(slots=True)
class Plan:
    """The rules of one source, by what must be found for them to be evaluated; and what is remembered of its events."""

    routes: list[Route] = field(default_factory=list)
    watches: dict[Chain, Watch] = field(default_factory=lambda: defaultdict(Watch))
    always: list[Placed] = field(default_factory=list)  # rules that nothing needs to be true for
    keywords: dict[Predicate, set[int]] = field(default_factory=lambda: defaultdict(set))  # keyword → routes
    columns: set[str] = field(default_factory=set)
    placed: set[int] = field(default_factory=set)  # numbers of the rules that run here
    routing: Routing = field(default_factory=lambda: Routing(()))
    memory: Memory = field(default_factory=Memory)
    _ordered: dict[int, Node] = field(default_factory=dict)

    def condition(self, placed: Placed) -> Node:
        """Return what is evaluated of a rule, put in order when that first happens: most rules never are."""
        if placed.rule not in self._ordered:
            self._ordered[placed.rule] = ordered(placed.condition)
        return self._ordered[placed.rule]


def plan(rules: Iterable[Rule], dialect: Dialect) -> Plan:
    """Place every rule on its routes through a source; rules that wait for a list run nowhere."""
    made = Plan()
    numbers: dict[LogSource, list[int]] = {}
    names: list[dict[str, Chain]] = []
    for index, rule in enumerate(rules):
        if rule.waits_for:
            continue
        if rule.logsource not in numbers:
            numbers[rule.logsource] = _routed(made, rule.logsource, dialect, names)
        if not numbers[rule.logsource]:
            continue
        needed, asked = cover(rule.condition), predicates(rule.condition)
        for number in numbers[rule.logsource]:
            _name(names[number], asked, made.routes[number], dialect)
            _place(made, Placed(index, number, rule.condition, names[number]), needed, asked)
    made.columns = {name for known in names for chain in known.values() for name in chain}
    made.routing = Routing(made.routes)
    made.columns |= {name for route in made.routes for name in route.where}
    return made


def _routed(made: Plan, logsource: LogSource, dialect: Dialect, names: list[dict[str, Chain]]) -> list[int]:
    """Return the numbers of a log source's routes; a route that is new gets a number."""
    found = []
    for route in routes(logsource, dialect.logsource):
        if route not in made.routes:
            made.routes.append(route)
            names.append({})
        found.append(made.routes.index(route))
    return found


def _name(chains: dict[str, Chain], asked: list[Predicate], route: Route, dialect: Dialect) -> None:
    """Add to `chains` what the source calls the fields that predicates name."""
    for predicate in asked:
        names = [predicate.field] if predicate.field is not None else []
        names += predicate.values if predicate.op in REFERENCE_OPS else ()
        for name in names:
            if name not in chains:
                chains[name] = route.columns(name, dialect)


def _place(made: Plan, placed: Placed, needed: tuple[Predicate, ...] | None, asked: list[Predicate]) -> None:
    made.placed.add(placed.rule)
    for predicate in asked:
        if predicate.field is None:
            made.keywords[predicate].add(placed.route)
    if needed is None:
        made.always.append(placed)
        return
    for predicate in needed:
        watch = made.watches[KEYWORDS if predicate.field is None else placed.chains[predicate.field]]
        watch.watchers[predicate].append(placed)
        watch.routes.add(placed.route)
