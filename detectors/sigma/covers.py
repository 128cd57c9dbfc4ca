"""Which predicates must be true, one of them at least, for a rule to be true.

Such a set is a cover. A batch is searched for the covers of all rules in one pass; only rules one of whose cover
predicates is true somewhere are evaluated, and only there. Of several covers the one likely to be true least often
wins.
"""

from __future__ import annotations

from collections.abc import Iterable

from detectors.sigma import glob, regex
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, TIME_OPS, And, Node, Not, Or, Predicate

_RARE = 0.0005
_RARITY = [max(_RARE, 0.7**length) for length in range(22)]  # of a text by its length
_LONG = len(_RARITY)
_SAMPLE = 1_000  # values of a list that are weighed, as many as it may have
_EFFORT = {"regex": 50.0, "like": 20.0} | dict.fromkeys(TIME_OPS, 30.0)
_COMMON_FIELDS = frozenset({"EventID", "Channel", "Provider_Name", "Image", "ParentImage", "OriginalFileName", "User"})


def cover(node: Node) -> tuple[Predicate, ...] | None:
    """Return a cover of the tree, or None where no predicate needs to be true (a mere negation)."""
    best = _cover(node)
    return best[1] if best else None


def ordered(node: Node) -> Node:
    """Return the same tree with the cheapest and most decisive parts first."""
    return _ordered(node)[1]


def _ordered(node: Node) -> tuple[float, Node]:
    """Return the effort that a tree takes, and the tree in order."""
    if isinstance(node, Predicate):
        return _EFFORT.get(node.op, 1.0) + len(node.values) / 10, node
    if isinstance(node, Not):
        effort, part = _ordered(node.part)
        return effort + 0.5, Not(part)
    parts = sorted(map(_ordered, node.parts), key=_first)
    return sum(effort for effort, _ in parts), type(node)(tuple(part for _, part in parts))


def _first(pair: tuple[float, object]) -> float:
    return pair[0]


def _cover(node: Node) -> tuple[float, tuple[Predicate, ...]] | None:
    match node:
        case Predicate():
            return None if node.op in ABSENCE_OPS | REFERENCE_OPS else (likelihood(node), (node,))
        case And(parts):
            return min((found for part in parts if (found := _cover(part))), key=_first, default=None)
        case Or(parts):
            covers = [_cover(part) for part in parts]
            if not all(covers):
                return None
            return sum(c[0] for c in covers if c), tuple(p for c in covers if c for p in c[1])
        case Not():
            return None


def likelihood(predicate: Predicate) -> float:
    """Guess how often a predicate is true: a figure to compare, not a probability."""
    values = predicate.values[:_SAMPLE]
    match predicate.op:
        case "equals" | "startswith" | "endswith" | "contains":
            base = _texts(values)
        case "like":
            base = _texts(map(glob.literal, values))
        case "regex":
            base = _texts(map(regex.literal, values))
        case "number":
            base = 0.05
        case "cidr":
            base = 0.3
        case "present" | "exists":
            base = 2.0
        case _:
            base = 1.0
    base *= max(1.0, len(predicate.values) / _SAMPLE)
    return max(base, 0.02) if predicate.field in _COMMON_FIELDS else base


def _texts(texts: Iterable[str]) -> float:
    return sum([_RARITY[length] if length < _LONG else _RARE for length in map(len, texts)])
