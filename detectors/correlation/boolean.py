"""An extended condition, `a and not (b or c)`, to terms: rules that must match, and rules that must not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import product

from detectors.correlation.rule import Term
from detectors.errors import RuleError
from detectors.sigma.condition import read
from detectors.sigma.document import TextError
from detectors.sigma.predicates import And, Node, Not, Or, Predicate

MAX_TERMS = 64
_WORD = re.compile(r"[\w*-]+")
_OPERATORS = frozenset({"and", "or", "not"})
_Literals = frozenset[tuple[str, bool]]  # a rule, and whether it must match


def names(text: str) -> list[str]:
    """Return the rules that a condition names, in their order."""
    return list(dict.fromkeys(word for word in _WORD.findall(text) if word not in _OPERATORS))


def terms(text: str, rules: Sequence[str]) -> tuple[Term, ...]:
    """Return what a condition means; raise TextError where it means nothing, or can't be run."""
    if (selector := re.search(r"\bof\b", text)) is not None:
        raise TextError("`of` can't stand in a correlation", selector.start(), "name the rules, joined by `or`, `and`")
    tree = read(text, {name: Predicate(name, "present") for name in rules}, "`rules`")
    found = _Terms().of(tree)
    numbers = {name: number for number, name in enumerate(rules)}
    made = [_term(literals, numbers) for literals in found if not _contradicts(literals)]
    if not made:
        raise TextError("this can never be true", 0, "leave out what contradicts itself")
    if any(not term.present for term in made):
        fix = "join it with `and` to a rule whose match starts the window"
        raise TextError("`not` alone is true at all times, and starts no window", 0, fix)
    return tuple(dict.fromkeys(made))


class _Terms:
    """Multiplies a tree out, as far as that stays small."""

    def of(self, node: Node, *, negated: bool = False) -> list[_Literals]:
        match node:
            case Predicate():
                return [frozenset({(str(node.field), not negated)})]
            case Not(part):
                return self.of(part, negated=not negated)
            case And(parts):
                return self._joined(parts, negated=negated, alternatives=negated)
            case Or(parts):
                return self._joined(parts, negated=negated, alternatives=not negated)

    def _joined(self, parts: Iterable[Node], *, negated: bool, alternatives: bool) -> list[_Literals]:
        made = [self.of(part, negated=negated) for part in parts]
        if alternatives:
            found = [literals for each in made for literals in each]
        else:
            size = 1
            for each in made:
                size *= len(each)
                if size > MAX_TERMS:
                    break
            found = [] if size > MAX_TERMS else [frozenset().union(*chosen) for chosen in product(*made)]
            if not found:
                raise RuleError(f"more than {MAX_TERMS} alternatives", fix="split the correlation")
        return list(dict.fromkeys(found))


def _contradicts(literals: _Literals) -> bool:
    return len({name for name, _ in literals}) < len(literals)


def _term(literals: _Literals, numbers: dict[str, int]) -> Term:
    present = sorted(numbers[name] for name, wanted in literals if wanted)
    absent = sorted(numbers[name] for name, wanted in literals if not wanted)
    return Term(tuple(present), tuple(absent))
