"""Rules that never come true on a source, whatever happens there: they need fields that its events never have.

A condition is judged with three truth values (Kleene, 1938). A predicate on a field that can have a value may be true
or false; on any other field it is false, or true if it asks for absence. What is false then is false for every event.
The contrary doesn't hold: a rule that isn't blind may still contradict itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from detectors.contracts import Dialect, LogSource
from detectors.sigma.logsources import Route, routes
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Or, Predicate
from detectors.sigma.rule import Rule

Names = frozenset[str] | None  # all columns that events can have a value in; None: any column
Fields = frozenset[str]
_NONE: Fields = frozenset()
_OPEN = (None, _NONE)  # what one event decides in one way and the next in another


@dataclass(slots=True)
class Sight:
    """Rules by number: those that can come true, and the fields for want of which the others never do."""

    live: set[int] = field(default_factory=set)
    blind: dict[int, Fields] = field(default_factory=dict)

    def add(self, rule: int, missing: Fields) -> None:
        """Note a rule that lacks these fields, or none."""
        if missing:
            self.blind[rule] = missing
        else:
            self.live.add(rule)


@dataclass(slots=True)
class Survey:
    """What a source sees: in all of its events, and in those of each route that events can take."""

    whole: Sight = field(default_factory=Sight)
    routes: list[tuple[Route, Sight]] = field(default_factory=list)


def survey(rules: Iterable[Rule], dialect: Dialect, names: Callable[[Route], Names]) -> Survey:
    """Say which rules apply to a source, and which of them are blind there: on every route that events can take.

    `names` tells the columns of the events of a route. Rules that wait for a list apply nowhere.
    """
    found = Survey()
    numbers: dict[LogSource, list[tuple[int, Rule]]] = defaultdict(list)
    for number, rule in enumerate(rules):
        if not rule.waits_for:
            numbers[rule.logsource].append((number, rule))
    for logsource, alike in numbers.items():
        taken = [(route, names(route)) for route in routes(logsource, dialect.logsource)]
        ways = [
            (_sight(found, route), _has(route, dialect, columns))
            for route, columns in taken
            if columns is None or columns.issuperset(route.where)  # else no event takes it
        ]
        for number, rule in alike if ways else ():
            lacking = [lacks(rule.condition, has) if has else _NONE for _, has in ways]
            for (sight, _), missing in zip(ways, lacking, strict=True):
                sight.add(number, missing)
            found.whole.add(number, _NONE.union(*lacking) if all(lacking) else _NONE)
    return found


def lacks(condition: Node, has: Callable[[str], bool]) -> Fields:
    """Return the fields for want of which a condition is never true; none where it may be.

    `has` tells whether a field, under the rules' name for it, can have a value.
    """
    truth, missing = _judge(condition, has)
    return missing if truth is False else _NONE


def _judge(node: Node, has: Callable[[str], bool]) -> tuple[bool | None, Fields]:
    """Return what is true of every event (None: events differ), and the missing fields that make it so."""
    match node:
        case Predicate():
            asked = [node.field] if node.field is not None else []
            missing = [name for name in (*asked, *(node.values if node.op in REFERENCE_OPS else ())) if not has(name)]
            return (node.op in ABSENCE_OPS, frozenset(missing)) if missing else _OPEN
        case Not(part):
            truth, fields = _judge(part, has)
            return None if truth is None else not truth, fields
        case And(parts):
            return _joined([_judge(part, has) for part in parts], decisive=False)
        case Or(parts):
            return _joined([_judge(part, has) for part in parts], decisive=True)


def _joined(judged: list[tuple[bool | None, Fields]], *, decisive: bool) -> tuple[bool | None, Fields]:
    """Join parts: one that is true decides an Or, one that is false an And; else all must be alike."""
    deciding = [fields for truth, fields in judged if truth is decisive]
    if deciding:
        return decisive, _NONE.union(*deciding)
    if any(truth is None for truth, _ in judged):
        return _OPEN
    return not decisive, _NONE.union(*(fields for _, fields in judged))


def _has(route: Route, dialect: Dialect, columns: Names) -> Callable[[str], bool] | None:
    """Return what tells whether a field can have a value; None where any can."""
    if columns is None:
        return None

    @cache  # many rules ask for few fields
    def has(name: str) -> bool:
        return any(place in columns for own in route.columns(name, dialect) for place in _around(own))

    return has


def _around(name: str) -> Iterable[str]:
    """Return a column, and those that may hold it: `structured_data` holds `structured_data.origin`."""
    return accumulate(name.split("."), "{}.{}".format) if "." in name else (name,)


def _sight(found: Survey, route: Route) -> Sight:
    """Return what is seen on a route, which rules of several log sources may share."""
    for known, sight in found.routes:
        if known == route:
            return sight
    found.routes.append((route, Sight()))
    return found.routes[-1][1]
