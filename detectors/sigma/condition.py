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
from fnmatch import translate

from detectors.nearest import meant, nearest
from detectors.sigma.document import TextError
from detectors.sigma.predicates import HEAVY, MAX_WEIGHT, Node, Not, conjunction, disjunction, weight

MAX_DEPTH = 64  # three levels of a tree each (`a or b and not (`); orjson writes 254
MAX_LENGTH = 100_000  # characters; the longest of SigmaHQ has 600
_TOKEN = re.compile(r"[()]|[\w*-]+|\S")
_OPERATORS = frozenset({"and", "or", "not", "of"})
_QUANTIFIERS: Mapping[str, Callable[[list[Node]], Node]] = {"1": disjunction, "any": disjunction, "all": conjunction}


def read(text: str, parts: Mapping[str, Node], where: str = "the detection") -> Node:
    """Return the tree that a condition means, given the named parts of `where`; raise TextError where it has none."""
    if len(text) > MAX_LENGTH:
        raise TextError(f"longer than {MAX_LENGTH} characters", 0, "use patterns such as `1 of sel_*`")
    return _Reader(text, parts, where).whole()


class _Reader:
    def __init__(self, text: str, parts: Mapping[str, Node], where: str) -> None:
        self._tokens = [(found[0], found.start()) for found in _TOKEN.finditer(text)]
        self._end = len(text.rstrip())
        self._next = 0
        self._depth = 0
        self._parts, self._where = parts, where
        self._weights: dict[str, int] = {}
        self._weight = 0

    def whole(self) -> Node:
        tree = self._any()
        if self._next < len(self._tokens):
            word, offset = self._tokens[self._next]
            if word == "|":
                raise TextError(
                    "an aggregation (`|`) of Sigma 1", offset, "write a correlation rule that refers to this one"
                )
            raise TextError(f"`{word:.80}` where `and`, `or` or the end was expected", offset, _spelling(word))
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
            fix = _spelling(word) or meant(word, ["not"]) or nearest(word, self._parts)
            raise TextError(f"there is no `{word:.80}` in {self._where}", offset, fix)
        return self._named(word, offset)

    def _group(self, offset: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TextError(f"parentheses nested deeper than {MAX_DEPTH} levels", offset)
        tree = self._any()
        if not self._take(")"):
            raise TextError("`(` without its `)`", offset)
        self._depth -= 1
        return tree

    def _selector(self, quantifier: str, offset: int) -> Node:
        join = _QUANTIFIERS.get(quantifier)
        if join is None:
            raise TextError(f"`{quantifier:.80} of` is not known", offset, "write `1 of`, `any of` or `all of`")
        pattern, where = self._word("a pattern or `them`")
        if pattern == "(":
            raise TextError(
                "`(` where a pattern or `them` was expected", where, "name the parts alike, and write `sel_*`"
            )
        self._add(16 * len(self._parts), where)  # for looking at each name
        fits = re.compile(translate("*" if pattern == "them" else pattern)).match
        names = [name for name in self._parts if fits(name) and (pattern.startswith("_") or not name.startswith("_"))]
        if not names:
            raise TextError(
                f"`{quantifier} of {pattern:.80}` fits nothing in the detection", where, nearest(pattern, self._parts)
            )
        return join([self._named(name, where) for name in names])

    def _named(self, name: str, offset: int) -> Node:
        part = self._parts[name]
        if name not in self._weights:
            self._weights[name] = weight(part)
        self._add(self._weights[name], offset)  # each time: a part that stands a thousand times is a thousand parts
        return part

    def _add(self, weight: int, offset: int) -> None:
        self._weight += weight
        if self._weight > MAX_WEIGHT:
            raise TextError(HEAVY, offset, "split the rule")

    def _word(self, expected: str) -> tuple[str, int]:
        if self._next == len(self._tokens):
            raise TextError(f"{expected} is missing at the end", self._end)
        word, offset = self._tokens[self._next]
        if word in _OPERATORS or not (word == "(" or re.fullmatch(r"[\w*-]+", word)):
            raise TextError(f"`{word:.80}` where {expected} was expected", offset)
        self._next += 1
        return word, offset

    def _take(self, word: str) -> bool:
        taken = self._next < len(self._tokens) and self._tokens[self._next][0] == word
        self._next += taken
        return taken


def _spelling(word: str) -> str:
    legal = word.lower() in _OPERATORS or word.lower() in _QUANTIFIERS
    return f"write `{word.lower()}`" if legal else ""
