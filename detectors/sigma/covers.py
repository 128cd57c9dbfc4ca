"""Which predicates must be true, one of them at least, for a rule to be true.

Such a set is a cover. A batch is searched for the covers of all rules in one pass; only rules one of whose cover
predicates is true somewhere are evaluated, and only there. Of several covers the one likely to be true least often
wins.
"""

from __future__ import annotations

from detectors.sigma import glob, regex
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, TIME_OPS, And, Node, Not, Or, Predicate

_RARE = 0.0005
_COMMON_FIELDS = frozenset({"EventID", "Channel", "Provider_Name", "Image", "ParentImage", "OriginalFileName", "User"})


def cover(node: Node) -> tuple[Predicate, ...] | None:
    """Return a cover of the tree, or None where no predicate needs to be true (a mere negation)."""
    best = _cover(node)
    return best[1] if best else None


def ordered(node: Node) -> Node:
    """Return the same tree with the cheapest and most decisive parts first."""
    match node:
        case And(parts):
            return And(tuple(sorted(map(ordered, parts), key=_effort)))
        case Or(parts):
            return Or(tuple(sorted(map(ordered, parts), key=_effort)))
        case Not(part):
            return Not(ordered(part))
        case Predicate():
            return node


def _cover(node: Node) -> tuple[float, tuple[Predicate, ...]] | None:
    match node:
        case Predicate():
            return None if node.op in ABSENCE_OPS | REFERENCE_OPS else (likelihood(node), (node,))
        case And(parts):
            return min((found for part in parts if (found := _cover(part))), key=lambda found: found[0], default=None)
        case Or(parts):
            covers = [_cover(part) for part in parts]
            if not all(covers):
                return None
            return sum(c[0] for c in covers if c), tuple(p for c in covers if c for p in c[1])
        case Not():
            return None


def likelihood(predicate: Predicate) -> float:
    """Guess how often a predicate is true: a figure to compare, not a probability."""
    match predicate.op:
        case "equals" | "startswith" | "endswith" | "contains":
            base = sum(_text(value) for value in predicate.values)
        case "like":
            base = sum(_text(glob.literal(value)) for value in predicate.values)
        case "regex":
            base = sum(_text(regex.literal(value)) for value in predicate.values)
        case "number":
            base = 0.05
        case "cidr":
            base = 0.3
        case "present" | "exists":
            base = 2.0
        case _:
            base = 1.0
    return max(base, 0.02) if predicate.field in _COMMON_FIELDS else base


def _text(text: str) -> float:
    return max(_RARE, 0.7 ** len(text))


def _effort(node: Node) -> float:
    match node:
        case Predicate():
            return {"regex": 50.0, "like": 20.0}.get(node.op, 30.0 if node.op in TIME_OPS else 1.0) + len(
                node.values
            ) / 10
        case And(parts) | Or(parts):
            return sum(map(_effort, parts))
        case Not(part):
            return _effort(part) + 0.5
