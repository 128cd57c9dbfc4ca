"""Sigma, evaluated in the plainest way: one rule, one event, straight from the YAML and the specification.

Slow and simple on purpose, and written apart from the engine: no import of `detectors.sigma`, none of pySigma. Where
the specification leaves a choice the same choice is made here, each marked `choice`.
"""

from __future__ import annotations

import ipaddress
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from tests.property import reference_texts as texts

Held = str | list[str | None] | None
Values = list[str] | None  # what a field holds; None: it is missing


@dataclass(frozen=True)
class Case:
    """One event, its text as a whole (in which keywords are searched), and the lists that fill placeholders."""

    event: Mapping[str, Held]
    text: str
    lists: texts.Lists


def matches(detection: Mapping[str, Any], case: Case) -> bool:
    """Say whether a detection section is true of an event."""
    conditions = detection["condition"]
    conditions = conditions if isinstance(conditions, list) else [conditions]
    parts = {name: body for name, body in detection.items() if name != "condition"}
    return any(_Condition(text, parts, case).value() for text in conditions)


class _Condition:
    """A condition, evaluated while it is read."""

    def __init__(self, text: str, parts: Mapping[str, Any], case: Case) -> None:
        self.words = list(_split(text))
        self.parts, self.case = parts, case

    def value(self) -> bool:
        answer = self.disjunction()
        assert not self.words, "left over"
        return answer

    def disjunction(self) -> bool:
        answers = [self.conjunction()]
        while self.words[:1] == ["or"]:
            self.words.pop(0)
            answers.append(self.conjunction())
        return any(answers)

    def conjunction(self) -> bool:
        answers = [self.negation()]
        while self.words[:1] == ["and"]:
            self.words.pop(0)
            answers.append(self.negation())
        return all(answers)

    def negation(self) -> bool:
        word = self.words.pop(0)
        if word == "not":
            return not self.negation()
        if word == "(":
            answer = self.disjunction()
            self.words.pop(0)
            return answer
        if self.words[:1] == ["of"]:
            self.words.pop(0)
            pattern = self.words.pop(0)
            chosen = [self.part(name) for name in self.parts if _chosen(name, pattern)]
            return all(chosen) if word == "all" else any(chosen)
        return self.part(word)

    def part(self, name: str) -> bool:
        return part(self.parts[name], self.case)


@lru_cache(10_000)
def _split(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[()]|[^\s()]+", text))


def _chosen(name: str, pattern: str) -> bool:
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    return pattern == "them" or re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def part(body: object, case: Case) -> bool:
    """Evaluate a named part: a map is And, a list is Or, a scalar is a keyword."""
    if isinstance(body, dict):
        return all(item(key, value, case) for key, value in body.items())
    if isinstance(body, list):
        return any(part(each, case) for each in body)
    return item("", body, case)


def item(key: str, body: object, case: Case) -> bool:
    """Evaluate `field|modifier|…: value`."""
    field, *names = key.split("|")
    modifiers = tuple(names)
    values = body if isinstance(body, list) else [body]
    held = _values(case, field) if field else [case.text]
    answers = [_value(each, modifiers, field, held, case) for each in values]
    answer = all(answers) if "all" in modifiers else any(answers)
    return answer != ("neq" in modifiers)


def _values(case: Case, field: str) -> Values:
    held = case.event.get(field)
    if held is None:
        return None
    return [each for each in held if each is not None] if isinstance(held, list) else [held]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda time: time.minute,
    "hour": lambda time: time.hour,
    "day": lambda time: time.day,
    "week": lambda time: time.isocalendar()[1],  # choice: ISO weeks
    "month": lambda time: time.month,
    "year": lambda time: time.year,
}


def _value(value: Any, modifiers: tuple[str, ...], field: str, held: Values, case: Case) -> bool:  # noqa: C901, PLR0911
    """Evaluate one value of an item: a field that is missing satisfies null and `exists: false` only."""
    if "exists" in modifiers:
        return bool(value) == (held is not None)
    if value is None:
        return held is None
    if held is None:
        return False
    times = [name for name in modifiers if name in _PARTS]
    comparisons = [name for name in modifiers if name in _COMPARE]
    if times:
        compare = _COMPARE[comparisons[0]] if comparisons else operator.eq
        return any(time and compare(_PARTS[times[0]](time), value) for time in map(_time, held))
    if comparisons:
        return any(number is not None and _COMPARE[comparisons[0]](number, value) for number in map(_number, held))
    if "cidr" in modifiers:
        return any(_inside(text, value) for text in held)
    if "re" in modifiers:
        expressions = texts.expressions(str(value), modifiers, case.lists)
        return any(each.search(text) for each in expressions for text in held)
    if "fieldref" in modifiers:
        others = _values(case, value)
        return others is not None and any(texts.refers(text, other, modifiers) for text in held for other in others)
    if isinstance(value, bool):
        return any(text.lower() in (("true", "1") if value else ("false", "0")) for text in held)
    if isinstance(value, int | float):
        plain = str(int(value) if value == int(value) else value)
        if not field:
            return plain in case.text
        return any(text == plain or _number(text) == value for text in held)
    patterns = texts.wildcards(value, modifiers, case.lists, part=not field)
    return any(each.anything or any(map(each.fits, held)) for each in patterns)  # an empty list is a value, too


def _number(text: str) -> float | Decimal | None:
    """Choice: decimal numbers, with blanks around them, that a float can hold; exact where a float would not be."""
    text = text.strip(" \t")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII) or abs(float(text)) == math.inf:
        return None
    return Decimal(text) if abs(float(text)) >= 2**53 else float(text)


def _time(text: str) -> datetime | None:
    """Choice: ISO 8601 in the zone it is written in, or a count of (milli-, micro-, nano-) seconds in UTC."""
    counted = re.fullmatch(r"(\d{9,10})(?:\.\d+|(?:\d{3}){1,3})?", text.strip(), re.ASCII)
    if counted:
        return datetime(1970, 1, 1) + timedelta(seconds=int(counted[1]))  # noqa: DTZ001  # only its parts are asked for
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _inside(text: str, network: str) -> bool:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    known = ipaddress.ip_network(network)
    mapped = getattr(address, "ipv4_mapped", None)
    return address in known or (mapped is not None and mapped in known)
