"""The text of a condition to a tree.

    condition = and { "or" and }          not before and before or; names of operators are lower case
    and       = not { "and" not }
    not       = "not" not | part
    part      = "(" condition ")" | ("1" | "any" | "all") "of" (pattern | "them") | name

Patterns and `them` leave out names that begin with `_`, unless the pattern does. Ours instead of pySigma's: a fault
tells its column and the nearest legal name, a pattern may hold a dash as names may, and depth costs no time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from detectors.errors import RuleError
from detectors.sigma.nearest import nearest
from detectors.sigma.predicates import Node, Not, conjunction, disjunction, predicates

MAX_DEPTH = 100
MAX_VALUES = 500_000  # the largest SigmaHQ rule has 4,432; a name used a thousand times counts a thousand times
_TOKEN = re.compile(r"[()]|[\w*-]+|\S")
_OPERATORS = frozenset({"and", "or", "not", "of"})
_QUANTIFIERS: Mapping[str, Callable[[list[Node]], Node]] = {"1": disjunction, "any": disjunction, "all": conjunction}


class ConditionError(RuleError):
    """A fault in a condition, `offset` characters after its beginning."""

    def __init__(self, message: str, offset: int, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.offset = offset


def read(text: str, parts: Mapping[str, Node]) -> Node:
    """Return the tree that a condition means, given the detection's named parts."""
    return _Reader(text, parts).whole()


class _Reader:
    def __init__(self, text: str, parts: Mapping[str, Node]) -> None:
        self._tokens = [(found[0], found.start()) for found in _TOKEN.finditer(text)]
        self._end = len(text.rstrip())
        self._next = 0
        self._depth = 0
        self._parts = parts
        self._sizes: dict[str, int] = {}
        self._size = 0

    def whole(self) -> Node:
        tree = self._any()
        if self._next < len(self._tokens):
            word, offset = self._tokens[self._next]
            if word == "|":
                raise ConditionError(
                    "an aggregation (`|`) of Sigma 1", offset, "write a correlation rule that refers to this one"
                )
            raise ConditionError(f"`{word}` where `and`, `or` or the end was expected", offset, _spelling(word))
        return tree

    def _any(self) -> Node:
        found = [self._all()]
        while self._take("or"):
            found.append(self._all())
        return disjunction(found)

    def _all(self) -> Node:
        found = [self._negated()]
        while self._take("and"):
            found.append(self._negated())
        return conjunction(found)

    def _negated(self) -> Node:
        negative = False
        while self._take("not"):
            negative = not negative
        part = self._part()
        return Not(part) if negative else part

    def _part(self) -> Node:
        word, offset = self._word("a name, `1 of …`, `all of …` or `(`")
        if word == "(":
            return self._group(offset)
        if self._take("of"):
            return self._selector(word, offset)
        if word not in self._parts:
            fix = _spelling(word) or nearest(word, [*self._parts, "not"])
            raise ConditionError(f"there is no `{word}` in the detection", offset, fix)
        return self._named(word, offset)

    def _group(self, offset: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ConditionError(f"parentheses nested deeper than {MAX_DEPTH} levels", offset)
        tree = self._any()
        if not self._take(")"):
            raise ConditionError("`(` without its `)`", offset)
        self._depth -= 1
        return tree

    def _selector(self, quantifier: str, offset: int) -> Node:
        join = _QUANTIFIERS.get(quantifier)
        if join is None:
            raise ConditionError(f"`{quantifier} of` is not known", offset, "write `1 of`, `any of` or `all of`")
        pattern, where = self._word("a pattern or `them`")
        names = [name for name in self._parts if _selected(name, pattern)]
        if not names:
            raise ConditionError(
                f"`{quantifier} of {pattern}` fits nothing in the detection", where, nearest(pattern, self._parts)
            )
        return join([self._named(name, where) for name in names])

    def _named(self, name: str, offset: int) -> Node:
        part = self._parts[name]
        if name not in self._sizes:
            self._sizes[name] = sum(1 + len(predicate.values) for predicate in predicates(part))
        self._size += self._sizes[name]
        if self._size > MAX_VALUES:
            raise ConditionError(f"more than {MAX_VALUES} values to look for", offset, "split the rule")
        return part

    def _word(self, expected: str) -> tuple[str, int]:
        if self._next == len(self._tokens):
            raise ConditionError(f"{expected} is missing at the end", self._end)
        word, offset = self._tokens[self._next]
        if word in _OPERATORS or not (word == "(" or re.fullmatch(r"[\w*-]+", word)):
            raise ConditionError(f"`{word}` where {expected} was expected", offset)
        self._next += 1
        return word, offset

    def _take(self, word: str) -> bool:
        taken = self._next < len(self._tokens) and self._tokens[self._next][0] == word
        self._next += taken
        return taken


def _selected(name: str, pattern: str) -> bool:
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    return pattern == "them" or fnmatchcase(name, pattern)


def _spelling(word: str) -> str:
    legal = word.lower() in _OPERATORS or word.lower() in _QUANTIFIERS
    return f"write `{word.lower()}`" if legal else ""
