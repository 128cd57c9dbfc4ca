"""The detection section of a rule to a tree; pySigma reads values and applies modifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sigma.conditions import ConditionAND
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaListModifier, SigmaModifier, SigmaRegularExpressionModifier, SigmaTimestampModifier
from sigma.rule.detection import SigmaDetectionItem
from sigma.types import SigmaNumber, SigmaString, SigmaType, sigma_type

from detectors.errors import RuleError
from detectors.sigma import condition
from detectors.sigma.departures import MODIFIERS
from detectors.sigma.document import Document
from detectors.sigma.lower import Lists, value
from detectors.sigma.nearest import nearest
from detectors.sigma.predicates import Node, Not, Predicate, conjunction, disjunction
from detectors.sigma.regex import checked

_RESERVED = ("condition", "timeframe")  # `timeframe` belonged to Sigma 1's aggregations
_FAULTY = Predicate(None, "present")  # stands for a part that can't be read, so that the rest is read too
_MISFIT = re.compile(r"Modifier (\w+) incompatible to value type of '(.*)'", re.DOTALL)
_NAMES = {modifier.__name__: name for name, modifier in sorted(MODIFIERS.items(), reverse=True)}
_NUMBER, _TEXT = "write a number without quotes", "write a text (in quotes if it looks like something else)"
_WANTS = {
    **dict.fromkeys(("lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"), _NUMBER),
    **dict.fromkeys(("contains", "startswith", "endswith", "cased", "windash", "base64", "base64offset"), _TEXT),
    **dict.fromkeys(("i", "m", "s"), "use it after `re` only"),
    "exists": "write true or false",
}


@dataclass(slots=True)
class Detection:
    """Reads the detection of one document; faults are collected, so that an author sees all of them at once."""

    document: Document
    lists: Lists
    missing: set[str] = field(default_factory=set)  # placeholders without a list
    faults: list[RuleError] = field(default_factory=list)

    def tree(self) -> Node:
        """Return the whole detection as a tree; worth nothing if there are `faults`."""
        given = self.document.data.get("detection")
        if not isinstance(given, dict):
            return self._fault(RuleError("no detection", fix="add `detection:` with a condition"), "detection")
        parts = {
            self._name(("detection", name), name): self._part(("detection", name), body)
            for name, body in given.items()
            if name not in _RESERVED
        }
        written = given.get("condition")
        conditions = written if isinstance(written, list) else [written]
        if not conditions or not all(isinstance(each, str) and each.strip() for each in conditions):
            fault = RuleError("no condition", fix="add `condition:` that says how the parts go together")
            return self._fault(fault, "detection", "condition")
        return disjunction([self._condition(number, each, parts) for number, each in enumerate(conditions)])

    def _condition(self, number: int, text: str, parts: Mapping[str, Node]) -> Node:
        try:
            return condition.read(text, parts)
        except condition.ConditionError as error:
            place = self.document.inside(error.offset, "detection", "condition", number)
            self.faults.append(RuleError(f"condition: {error.message}", place=place, fix=error.fix))
            return _FAULTY

    def _part(self, path: tuple[str | int, ...], body: object) -> Node:
        """Read a named part, or a part of one: a map is And, a list is Or, a scalar is a keyword."""
        if body in ({}, []):
            return self._fault(RuleError("an empty detection", fix="give it at least one field"), *path)
        if isinstance(body, dict):
            return conjunction(
                [self._item((*path, key), self._name((*path, key), key), inner) for key, inner in body.items()]
            )
        if isinstance(body, list) and any(isinstance(each, dict | list) for each in body):
            return disjunction([self._part((*path, index), each) for index, each in enumerate(body)])
        return self._item(path, "", body)

    def _item(self, path: tuple[str | int, ...], key: str, body: object) -> Node:
        """Read `field|modifier|…: value`; without a field it is a keyword."""
        if body == []:
            fault = RuleError(f"`{key}`: an empty list", fix="give it a value, or `null` for a missing field")
            return self._fault(fault, *path)
        name, *chain = key.split("|")
        values = body if isinstance(body, list) else [body]
        try:
            modifiers = [_modifier(each) for each in chain]
            typed = [_typed(each, modifiers) for each in values]
            # `all` and `neq` concern the list, so they may stand anywhere, even before `re`
            modifiers.sort(key=lambda modifier: issubclass(modifier, SigmaListModifier))
            item = SigmaDetectionItem(name or None, modifiers, typed)
            found = [value(name or None, each, self.lists, self.missing) for each in item.value]
        except (RuleError, SigmaError, RecursionError) as error:
            fault = _explained(error)
            return self._fault(RuleError(f"`{key or 'keyword'}`: {fault.message}", fix=fault.fix), *path)
        join: Callable[[list[Node]], Node] = conjunction if item.value_linking is ConditionAND else disjunction
        return Not(join(found)) if item.negated else join(found)

    def _name(self, path: tuple[str | int, ...], key: object) -> str:
        """Return the name that a key is; YAML reads some words, such as `no` and `on`, as something else."""
        if isinstance(key, str) or (isinstance(key, int) and not isinstance(key, bool)):
            return str(key)
        word = self.document.word(*path)
        self._fault(RuleError(f"YAML takes the name `{word:.80}` for {key}", fix="put it in quotes"), *path)
        return word

    def _fault(self, fault: RuleError, *path: str | int) -> Node:
        self.faults.append(RuleError(fault.message, place=self.document.key(*path), fix=fault.fix))
        return _FAULTY


def _modifier(name: str) -> type[SigmaModifier[Any, Any]]:
    if name not in MODIFIERS:
        raise RuleError(f"unknown modifier `{name}`", fix=nearest(name, MODIFIERS))
    return MODIFIERS[name]


def _typed(given: object, modifiers: list[type[SigmaModifier[Any, Any]]]) -> SigmaType:
    """Return a value as pySigma's type of it; a regular expression's text is not parsed for wildcards."""
    if isinstance(given, date):
        raise RuleError(f"YAML takes {given} for a date", fix="put it in quotes")
    if isinstance(given, dict | list):
        raise RuleError("a value can't be a map or a list of lists", fix="write scalars, or a list of them")
    if not isinstance(given, str | int | float | bool | None):
        raise RuleError(f"a value can't be {type(given).__name__}", fix="put it in quotes")
    if SigmaRegularExpressionModifier in modifiers:
        if given is None or isinstance(given, bool):
            raise RuleError(f"{given} is no regular expression", fix="put it in quotes")
        return SigmaString.from_str(checked(str(given)))
    if isinstance(given, float) and any(issubclass(modifier, SigmaTimestampModifier) for modifier in modifiers):
        raise RuleError(f"a part of a time is a whole number, not {given}")
    typed = sigma_type(given)
    if isinstance(typed, SigmaNumber) and isinstance(given, int):
        typed.number = given  # pySigma would round 2^53 + 1
    return typed


def _explained(error: Exception) -> RuleError:
    """Return a fault in an author's words."""
    if isinstance(error, RuleError):
        return error
    if isinstance(error, RecursionError):
        return RuleError("too long to be taken apart", fix="split it")
    message = " ".join(str(error.args[0] if error.args else error).split())
    misfit = _MISFIT.fullmatch(message)
    if misfit is None:
        return RuleError(message)
    name = _NAMES.get(misfit[1], misfit[1])
    return RuleError(f"the modifier `{name}` doesn't take {misfit[2]:.80}", fix=_WANTS.get(name, "leave it out"))
