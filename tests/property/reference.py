"""Sigma, evaluated in the plainest way: one rule, one event, straight from the YAML and the specification.

Slow and simple on purpose, and written apart from the engine: no import of `detectors.sigma`, none of pySigma. Where
the specification leaves a choice the same choice is made here, each marked `choice`.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Event = Mapping[str, str | list[str | None] | None]
Values = list[str] | None  # what a field holds; None: it is missing

ANY, ONE = object(), object()  # wildcards
Pattern = list[Any]  # of characters and wildcards


def matches(detection: Mapping[str, Any], event: Event) -> bool:
    """Say whether a detection section is true of an event."""
    conditions = detection["condition"]
    conditions = conditions if isinstance(conditions, list) else [conditions]
    parts = {name: body for name, body in detection.items() if name != "condition"}
    return any(_Condition(text, parts, event).value() for text in conditions)


class _Condition:
    """A condition, evaluated while it is read."""

    def __init__(self, text: str, parts: Mapping[str, Any], event: Event) -> None:
        self.words = re.findall(r"[()]|[^\s()]+", text)
        self.parts, self.event = parts, event

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
            chosen = [part(self.parts[name], self.event) for name in self.parts if _chosen(name, pattern)]
            return all(chosen) if word == "all" else any(chosen)
        return part(self.parts[word], self.event)


def _chosen(name: str, pattern: str) -> bool:
    if name.startswith("_") and not pattern.startswith("_"):
        return False
    return pattern == "them" or re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def part(body: object, event: Event) -> bool:
    """Evaluate a named part: a map is And, a list is Or, a scalar is a keyword."""
    if isinstance(body, dict):
        return all(item(key, value, event) for key, value in body.items())
    if isinstance(body, list):
        return any(part(each, event) for each in body)
    return item("", body, event)


def item(key: str, body: object, event: Event) -> bool:
    """Evaluate `field|modifier|…: value`."""
    field, *modifiers = key.split("|")
    values = body if isinstance(body, list) else [body]
    held = _values(event, field) if field else [_whole(event)]
    answers = [_value(each, modifiers, field, held, event) for each in values]
    answer = all(answers) if "all" in modifiers else any(answers)
    return answer != ("neq" in modifiers)


def _values(event: Event, field: str) -> Values:
    held = event.get(field)
    if held is None:
        return None
    return [each for each in held if each is not None] if isinstance(held, list) else [held]


def _whole(event: Event) -> str:
    """Choice: the text of an event is its values, one a line."""
    texts: list[str] = []
    for held in event.values():
        texts += [each for each in (held if isinstance(held, list) else [held]) if each is not None]
    return "\n".join(texts)


_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}
_PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda time: time.minute,
    "hour": lambda time: time.hour,
    "day": lambda time: time.day,
    "week": lambda time: time.isocalendar()[1],  # choice: ISO weeks
    "month": lambda time: time.month,
    "year": lambda time: time.year,
}


def _value(value: Any, modifiers: list[str], field: str, held: Values, event: Event) -> bool:  # noqa: C901, PLR0911
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
        compare = _COMPARE[comparisons[0]] if comparisons else _equal
        return any(time and compare(_PARTS[times[0]](time), value) for time in map(_time, held))
    if comparisons:
        return any(number is not None and _COMPARE[comparisons[0]](number, value) for number in map(_number, held))
    if "cidr" in modifiers:
        return any(_inside(text, value) for text in held)
    if "re" in modifiers:
        return any(_search(str(value), modifiers, text) for text in held)
    if "fieldref" in modifiers:
        others = _values(event, value)
        return others is not None and any(_refer(text, other, modifiers) for text in held for other in others)
    if isinstance(value, bool):
        return any(text.lower() in (("true", "1") if value else ("false", "0")) for text in held)
    if isinstance(value, int | float):
        if not field:
            return any(_text(list(str(value)), ["contains"], text) for text in held)
        return any(text == str(value) or _number(text) == value for text in held)
    if value == "*" and field:
        return True
    return any(
        _text(pattern, modifiers + ["contains"] * (not field), text)
        for pattern in _variants(value, modifiers)
        for text in held
    )


def _equal(a: float, b: float) -> bool:
    return a == b


def _text(pattern: Pattern, modifiers: Sequence[str], text: str) -> bool:
    """Match a wildcard pattern, whole or in part."""
    if {"contains", "endswith"} & set(modifiers):
        pattern = [ANY, *pattern]
    if {"contains", "startswith"} & set(modifiers):
        pattern = [*pattern, ANY]
    if "cased" not in modifiers:
        pattern = [_fold(each) if isinstance(each, str) else each for each in pattern]
        text = "".join(map(_fold, text))
    reached = {0}  # how much of the pattern the text so far may have used up
    reached = _skip(pattern, reached)
    for character in text:
        after = {
            at + (pattern[at] is not ANY)
            for at in reached
            if at < len(pattern) and (pattern[at] in (ANY, ONE) or pattern[at] == character)
        }
        reached = _skip(pattern, after)
    return len(pattern) in reached


def _skip(pattern: Pattern, reached: set[int]) -> set[int]:
    found = set(reached)
    for at in range(len(pattern)):
        if at in found and pattern[at] is ANY:
            found.add(at + 1)
    return found


def _fold(character: str) -> str:
    """Choice: any case of Unicode, character by character."""
    return {"İ": "i", "ς": "σ"}.get(character, character.lower())


def _parse(value: str) -> Pattern:
    """Read wildcards; a backslash makes a wildcard or a backslash behind it plain, and is itself elsewhere."""
    pattern: Pattern = []
    at = 0
    while at < len(value):
        character, following = value[at], value[at + 1 : at + 2]
        if character == "\\" and following and following in "*?\\":
            pattern.append(following)
            at += 1
        else:
            pattern.append({"*": ANY, "?": ONE}.get(character, character))
        at += 1
    return pattern


def _variants(value: str, modifiers: Sequence[str]) -> list[Pattern]:
    """Apply encodings and dashes."""
    pattern = _parse(value)
    if "windash" in modifiers:
        return _dashes(pattern)
    encodings = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf16": "utf-16-le"}
    encoded = [name for name in modifiers if name in encodings]
    data = "".join(map(str, pattern)).encode(encodings[encoded[0]] if encoded else "utf-8")
    if "utf16" in modifiers:
        data = b"\xff\xfe" + data
    if "base64" in modifiers:
        return [list(base64.b64encode(data).decode())]
    if "base64offset" in modifiers:
        return [list(_offset(data, shift)) for shift in range(3)]
    return [list(data.decode("latin-1"))] if encoded else [pattern]


def _offset(data: bytes, shift: int) -> str:
    """Return the characters that only depend on the data, wherever it begins in the encoded bytes."""
    bits = "".join(f"{byte:08b}" for byte in data)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    bits = bits[-8 * shift % 6 :]  # the first whole character begins here
    return "".join(alphabet[int(bits[at : at + 6], 2)] for at in range(0, len(bits) - 5, 6))


def _dashes(pattern: Pattern) -> list[Pattern]:
    """Vary each dash that begins a parameter: no word before it, a word behind it."""
    dashes = "-/\u2013\u2014\u2015"
    variants: list[Pattern] = [[]]
    for at, character in enumerate(pattern):
        before = pattern[at - 1] if at else " "
        behind = pattern[at + 1] if at + 1 < len(pattern) else " "
        starts = isinstance(character, str) and character in dashes and not _word(before) and _word(behind)
        choices = dashes if starts else [character]
        variants = [[*known, choice] for known in variants for choice in choices]
    return variants


def _word(character: object) -> bool:
    return isinstance(character, str) and re.match(r"\w", character) is not None


def _number(text: str) -> float | None:
    """Choice: decimal numbers, with blanks around them."""
    text = text.strip(" \t")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
        return None
    return int(text) if re.fullmatch(r"[+-]?\d+", text, re.ASCII) else float(text)


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


def _search(pattern: str, modifiers: Sequence[str], text: str) -> bool:
    flags = re.ASCII
    for name, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)):
        flags |= flag if name in modifiers else 0
    if "m" not in modifiers:
        pattern = re.sub(r"(?<!\\)\$", r"\\Z", pattern)  # Python's own `$` also stands before a last line feed
    return re.search(pattern, text, flags) is not None


def _refer(mine: str, theirs: str, modifiers: Sequence[str]) -> bool:
    return _text(list(theirs), [name for name in modifiers if name != "cased"], mine)
