"""The detection section of a rule to a tree; pySigma reads values and applies modifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_interface, ip_network
from itertools import accumulate, islice
from sys import float_info
from typing import Any

from sigma.exceptions import SigmaError
from sigma.types import SigmaNumber, SigmaString, SigmaType, sigma_type

from detectors.errors import Place, RuleError
from detectors.sigma import chain, condition
from detectors.sigma.chain import NETWORK, REFERENCE, REGEX, TIMES, Chain, Modifier, modified
from detectors.sigma.departures import least_spelt
from detectors.sigma.document import Document, TextError
from detectors.sigma.lower import value
from detectors.sigma.predicates import HEAVY, MAX_WEIGHT, Node, Not, Predicate, conjunction, disjunction, weight
from detectors.sigma.regex import checked
from detectors.sigma.valuelist import Lists

_FAULTY = Predicate(None, "present")  # stands for a part that can't be read, so that the rest is read too
MAX_FAULTS = 100  # of a document; whoever mends them will see the others
_PLAIN = Chain()


@dataclass(slots=True)
class Detection:
    """Reads the detection of one document; faults are collected, so that an author sees all of them at once."""

    document: Document
    lists: Lists
    section: str = "detection"  # a filter has its parts under `filter`
    beside: frozenset[str] = frozenset({"condition", "timeframe"})  # keys of the section that name no part
    missing: set[str] = field(default_factory=set)  # placeholders without a list
    faults: list[RuleError] = field(default_factory=list)
    _weight: int = 0  # of all items so far; too much, and no more are read

    def tree(self) -> Node:
        """Return the whole detection as a tree; worth nothing if there are `faults`."""
        at, section = self.document, self.section
        given = at.data.get(section)
        if section in at.data and not isinstance(given, dict):
            return self._fault(
                f"`{section}` is not a map", at.place(section), "write its parts and `condition:` under it"
            )
        if not isinstance(given, dict):
            return self._fault(f"no {section}", at.key(section), f"add `{section}:` with a condition")
        parts = {
            self._name((section, name), name): self._part((section, name), body)
            for name, body in given.items()
            if name not in self.beside
        }
        if "timeframe" in given:
            place = at.key(section, "timeframe")
            self._fault("`timeframe` belongs to the aggregations of Sigma 1", place, "write a correlation rule instead")
        return self._conditions(given.get("condition"), parts)

    def _conditions(self, written: object, parts: Mapping[str, Node]) -> Node:
        """Read the condition, or a list of which any may be true."""
        if written is None or written == []:
            place = self.document.key(self.section, "condition")
            return self._fault("no condition", place, "add `condition:` that says how the parts go together")
        found, heavy = list[Node](), 0
        for number, each in enumerate(written if isinstance(written, list) else [written]):
            path = (self.section, "condition", number)
            tree = self._condition(path, each, parts)
            heavy += weight(tree)
            if heavy > MAX_WEIGHT:
                return self._fault(HEAVY, self.document.place(*path), "split the rule")
            if len(self.faults) >= MAX_FAULTS:
                return _FAULTY
            found.append(tree)
        return disjunction(found)

    def _condition(self, path: tuple[object, ...], text: object, parts: Mapping[str, Node]) -> Node:
        at = self.document
        if not isinstance(text, str):
            if text is None or isinstance(text, dict | list):
                return self._fault("a condition is a text", at.place(*path), "write one, or a list of them")
            word = at.text(*path)
            return self._fault(f"YAML takes the condition `{word:.80}` for {text}", at.place(*path), "put it in quotes")
        try:
            return condition.read(text, parts)
        except TextError as error:
            return self._fault(f"condition: {error.message}", at.inside(error.offset, *path), error.fix)

    def _part(self, path: tuple[object, ...], body: object) -> Node:
        """Read a named part, or a part of one: a map is And, a list is Or, a scalar is a keyword."""
        if body in ({}, []):
            return self._fault("an empty detection", self.document.key(*path), "give it at least one field")
        if isinstance(body, dict):
            return conjunction(
                [self._item((*path, key), self._name((*path, key), key), inner) for key, inner in body.items()]
            )
        if isinstance(body, list) and any(isinstance(each, dict | list) for each in body):
            return disjunction([self._part((*path, index), each) for index, each in enumerate(body)])
        return self._item(path, "", body)

    def _item(self, path: tuple[object, ...], key: str, body: object) -> Node:
        """Read `field|modifier|…: value`; without a field it is a keyword."""
        if self._weight > MAX_WEIGHT or len(self.faults) >= MAX_FAULTS:
            return _FAULTY
        at, shown = self.document, f"`{key or 'keyword':.200}`: "
        name, bar, modifiers = key.partition("|")
        values = body if isinstance(body, list) else [body]
        try:
            read = chain.read(modifiers) if bar else _PLAIN
        except TextError as error:
            return self._fault(shown + error.message, at.inside_key(len(name) + 1 + error.offset, *path), error.fix)
        if self._refused(path, shown, read, values):
            return _FAULTY
        found, modifying = list[Node](), read.modifiers(name or None)
        for index, given in enumerate(values):
            try:
                found += self._value(name or None, read, modifying, given, alone=len(values) == 1)
            except (RuleError, SigmaError, RecursionError) as error:
                message, fix = _explained(error)
                place = at.place(*path, index) if isinstance(body, list) else at.place(*path)
                return self._fault(shown + message, place, fix)
        join: Callable[[list[Node]], Node] = conjunction if read.every else disjunction
        return Not(join(found)) if read.negated else join(found)

    def _refused(self, path: tuple[object, ...], shown: str, read: Chain, values: list[object]) -> bool:
        """Say whether a list of values is at fault as a whole."""
        at, faults = self.document, len(self.faults)
        if not values:
            self._fault(f"{shown}an empty list", at.key(*path), "give it a value, or `null` for a missing field")
        elif read.every and len(values) == 1:
            self._fault(f"{shown}`all` of a single value", at.key(*path), "leave `all` out, or add the others")
        elif (index := self._overweight(read, values)) is not None:
            self._fault(shown + HEAVY, at.place(*path, index), "split the rule")
        return len(self.faults) > faults

    def _overweight(self, read: Chain, values: list[object]) -> int | None:
        """Say at which of several values the rule is too heavy once dashes are varied, before any is.

        Each value may become a hundred, and to make these takes long.
        """
        if read.names[:1] != ("windash",) or len(values) == 1:
            return None
        totals = accumulate(
            (least_spelt(each) if isinstance(each, str) else 0 for each in values), initial=self._weight
        )
        return next((at for at, total in enumerate(islice(totals, 1, None)) if total > MAX_WEIGHT), None)

    def _value(
        self, name: str | None, read: Chain, modifying: list[Modifier], given: object, *, alone: bool
    ) -> list[Node]:
        """Read one value; it may stand for several."""
        _scalar(given)
        if given is None and not alone:
            raise RuleError("`null` can't stand in a list", fix="give it a part of its own, joined by `or`")
        read.check(given, keyword=name is None)
        made = modified(_typed(given, read), modifying)
        found = [value(name, each, self.lists, self.missing) for each in made]
        self._weight += sum(map(weight, found))
        if self._weight > MAX_WEIGHT:
            raise RuleError(HEAVY, fix="split the rule")
        return found

    def _name(self, path: tuple[object, ...], key: object) -> str:
        """Return the name that a key is; YAML reads some words, such as `no`, `on` and `010`, as something else."""
        if isinstance(key, str):
            return key
        word = self.document.word(*path)
        if isinstance(key, bool) or word != str(key):
            self._fault(f"YAML takes the name `{word:.80}` for {key}", self.document.key(*path), "put it in quotes")
        return word

    def _fault(self, message: str, place: Place, fix: str) -> Node:
        self.faults.append(RuleError(message, place=place, fix=fix))
        return _FAULTY


def _scalar(given: object) -> None:
    """Raise RuleError for what YAML reads that is no value of Sigma."""
    if isinstance(given, str):
        return
    if isinstance(given, date):
        raise RuleError(f"YAML takes {given} for a date", fix="put it in quotes")
    if isinstance(given, dict | list):
        raise RuleError("a value can't be a map or a list of lists", fix="write scalars, or a list of them")
    if not isinstance(given, int | float | bool | None):
        raise RuleError(f"a value can't be {type(given).__name__}", fix="put it in quotes")
    if isinstance(given, int | float) and not abs(given) <= float_info.max:  # so that nan is none either
        raise RuleError(f"{given!s:.40} is no number that an event can hold", fix="put it in quotes if it is a text")


def _typed(given: Any, read: Chain) -> SigmaType:  # noqa: ANN401  # a scalar of YAML
    """Return a value as pySigma's type of it; a regular expression's text is not parsed for wildcards."""
    if read.gives == REGEX:
        return SigmaString.from_str(checked(str(given)))
    if read.gives == NETWORK:
        _network(given)
    if read.gives == REFERENCE and (not given or SigmaString(given).contains_special()):
        raise RuleError(f"`{given:.80}` is not the name of a field", fix="write one, without wildcards")
    if isinstance(given, float) and TIMES.intersection(read.names):
        raise RuleError(f"a part of a time is a whole number, not {given}")
    typed = sigma_type(given)
    if isinstance(typed, SigmaNumber) and isinstance(given, int):
        typed.number = given  # pySigma would round 2^53 + 1
    return typed


def _network(text: str) -> None:
    try:
        ip_network(text)
    except ValueError:
        try:
            fix = f"write `{ip_interface(text).network}`"
        except ValueError:
            fix = "write an IPv4 or IPv6 network such as 10.0.0.0/8"
        raise RuleError(f"`{text:.80}` is not a network", fix=fix) from None


def _explained(error: Exception) -> tuple[str, str]:
    """Return message and fix of a fault in an author's words."""
    if isinstance(error, RuleError):
        return error.message, error.fix
    if isinstance(error, RecursionError):
        return "too long to be taken apart", "split it"
    return " ".join(str(error.args[0] if error.args else error).split()), ""
