"""The condition of a correlation: thresholds of its metric, or which rules match and which do not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final

from detectors.correlation import boolean
from detectors.correlation.rule import NUMERIC, OPERATORS, TEMPORAL, Bound, Term
from detectors.errors import RuleError
from detectors.nearest import nearest
from detectors.sigma.document import Document, TextError

WHERE: Final = ("correlation", "condition")
_COMPARED = {
    "gt": lambda metric, limit: metric > limit,
    "gte": lambda metric, limit: metric >= limit,
    "lt": lambda metric, limit: metric < limit,
    "lte": lambda metric, limit: metric <= limit,
    "eq": lambda metric, limit: metric == limit,
    "neq": lambda metric, limit: metric != limit,
}  # works on numbers and on arrays of them


@dataclass(frozen=True, slots=True)
class Condition:
    """When a window raises an alert."""

    bounds: tuple[Bound, ...] = ()
    terms: tuple[Term, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: float = 50.0


def holds(metric: Any, bounds: Sequence[Bound]) -> Any:  # noqa: ANN401 - a number or an array of them
    """Say whether all bounds hold of a metric."""
    result = metric == metric  # false for nan: nothing to compare  # noqa: PLR0124
    for bound in bounds:
        result = result & _COMPARED[bound.operator](metric, bound.limit)
    return result


def extended(document: Document, kind: str, rules: Sequence[str]) -> Condition:
    """Read an extended condition, a text such as `a and not b`."""
    if kind not in TEMPORAL:
        fix = "write `gte:` and a number, or make the type `temporal`"
        raise RuleError(f"a text is no condition of {kind or 'this type'}", place=document.place(*WHERE), fix=fix)
    text: str = document.data["correlation"]["condition"]
    try:
        found = boolean.terms(text, rules)
    except TextError as error:
        place = document.inside(error.offset, *WHERE)
        raise RuleError(f"condition: {error.message}", place=place, fix=error.fix) from None
    except RuleError as error:
        raise RuleError(f"condition: {error.message}", place=document.place(*WHERE), fix=error.fix) from None
    named = boolean.names(text)
    for number, rule in enumerate(rules):
        if rule not in named:
            place = document.place("correlation", "rules", number)
            raise RuleError(f"the condition doesn't name `{rule:.80}`", place=place, fix="name it, or leave it out")
    return Condition(terms=found)


def thresholds(document: Document, kind: str, rules: int) -> Condition:
    """Read a map of thresholds; `temporal` needs none: all of its rules must match."""
    given = document.data["correlation"].get("condition")
    if given is None and kind in TEMPORAL:
        return Condition(bounds=(Bound("gte", rules),))
    if not isinstance(given, dict):
        message = "no condition" if given is None else f"{given!s:.80} is no condition"
        place = document.key("correlation") if given is None else document.place(*WHERE)
        raise RuleError(message, place=place, fix="add `condition:` with `gte:` and a number")
    _known(document, given)
    bounds = tuple(_bound(document, name, given[name]) for name in given if name in OPERATORS)
    if not bounds:
        raise RuleError("no threshold", place=document.key(*WHERE), fix="add `gte:` and a number")
    fields = _fields(document, kind, given)
    _possible(document, kind, rules, bounds)
    return Condition(bounds, (), fields, _percentile(document, kind, given))


def _known(document: Document, given: dict[str, Any]) -> None:
    legal = (*OPERATORS, "field", "percentile")
    for name in given:
        if name not in legal:
            fix = nearest(str(name), legal)
            raise RuleError(f"condition.{name!s:.80} is not known", place=document.key(*WHERE, name), fix=fix)


def _bound(document: Document, name: str, given: object) -> Bound:
    return Bound(name, _number(document, name, given))


def _number(document: Document, name: str, given: object) -> float:
    try:
        number = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if math.isfinite(number):
        return number
    raise RuleError(f"`{name}` takes a number, not {given!s:.80}", place=document.place(*WHERE, name))


def _fields(document: Document, kind: str, given: dict[str, Any]) -> tuple[str, ...]:
    field = given.get("field")
    takes = kind in NUMERIC or kind == "value_count"
    if takes != (field is not None):
        place = document.key(*WHERE, "field") if field is not None else document.key(*WHERE)
        message = f"{kind} needs a field" if takes else f"{kind} looks at no field"
        raise RuleError(message, place=place, fix="add `field:`" if takes else "leave it out, or count values")
    fields = field if isinstance(field, list) else [field] if takes else []
    if not all(isinstance(each, str) and each for each in fields) or (takes and not fields):
        raise RuleError("`field` is not a name", place=document.place(*WHERE, "field"))
    if len(fields) > 1 and kind != "value_count":
        raise RuleError(f"{kind} takes one field", place=document.place(*WHERE, "field", 1), fix="write one")
    return tuple(fields)


def _percentile(document: Document, kind: str, given: dict[str, Any]) -> float:
    if kind != "value_percentile":
        if "percentile" in given:
            place = document.key(*WHERE, "percentile")
            raise RuleError(f"{kind} has no percentile", place=place, fix="make the type `value_percentile`")
        return 50.0
    if "percentile" not in given:
        fix = "add `percentile:`, from 0 to 100; to find what is rare, count values"
        raise RuleError("value_percentile doesn't say which percentile", place=document.key(*WHERE), fix=fix)
    number = _number(document, "percentile", given["percentile"])
    if not 0 <= number <= 100 or round(number, 4) != number:
        fix = "four decimals at most"
        raise RuleError("a percentile is from 0 to 100", place=document.place(*WHERE, "percentile"), fix=fix)
    return number


def _possible(document: Document, kind: str, rules: int, bounds: tuple[Bound, ...]) -> None:
    """Refuse thresholds that no window reaches; a window has at least the match that it ends with."""
    least = 0 if kind == "value_count" else 1  # where that match has no value
    if kind in NUMERIC:
        tried = _around(bounds)
    elif kind in TEMPORAL:
        tried = iter([float(number) for number in range(1, rules + 1)])
    else:
        tried = (number for number in _around(bounds) if number >= least and number.is_integer())
    if not any(holds(number, bounds) for number in tried):
        fix = "a window begins with a match: for absence write a condition with `not`"
        raise RuleError("the condition can never be true", place=document.key(*WHERE), fix=fix)


def _around(bounds: tuple[Bound, ...]) -> Iterator[float]:
    """Yield numbers at, between and beside the limits: one of them fits if any does."""
    limits = sorted({bound.limit for bound in bounds})
    middles = [(left + right) / 2 for left, right in pairwise(limits)]
    for number, beside in product([*limits, *middles], (-1, 0, 1)):
        yield number + beside
        yield float(math.floor(number) + beside)
    yield limits[0] - 1
    yield limits[-1] + 1
    yield 1.0
