"""What a predicate says of texts that are there (a missing field has no text: see `vocabulary`)."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import polars as pl

from detectors.sigma import glob
from detectors.sigma.fold import fold_list
from detectors.sigma.networks import networks
from detectors.sigma.predicates import TEXT_OPS, TIME_OPS, Predicate
from detectors.sigma.regex import program

Number = float | Decimal  # a Decimal where a float could not tell neighbours apart

_NUMBER = re.compile(r"[ \t]*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[ \t]*", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}(\.\d+)?|\d{12,13}|\d{15,16}|\d{18,19}", re.ASCII)  # s, ms, µs, ns: 1973 to 2286
_MANY = 100_000  # values × characters from which one multi-pattern pass beats a loop
_EXACT = 2**53  # beyond this a float no longer tells neighbours apart
_TRUE, _FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
_COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
}
_PARTS: dict[str, Callable[[datetime], int]] = {
    "minute": lambda time: time.minute,
    "hour": lambda time: time.hour,
    "day": lambda time: time.day,
    "week": lambda time: time.isocalendar().week,  # ISO 8601, 1 to 53
    "month": lambda time: time.month,
    "year": lambda time: time.year,
}


REFERENCES: dict[str, Callable[[str, str], bool]] = {  # what is asked of two fields of one event, both folded
    "ref_equals": lambda mine, theirs: mine == theirs,
    "ref_contains": lambda mine, theirs: theirs in mine,
    "ref_startswith": lambda mine, theirs: mine.startswith(theirs),
    "ref_endswith": lambda mine, theirs: mine.endswith(theirs),
}


def holds(predicate: Predicate, texts: Sequence[str]) -> list[bool]:
    """Say for each text whether the predicate holds; references between fields are not asked here."""
    op = predicate.op
    if op in TEXT_OPS or op == "like":
        folded = texts if predicate.cased else fold_list(texts)
        return _like(predicate.values, folded) if op == "like" else _TEXT[op](predicate.values, folded)
    if op == "regex":
        return _regex(predicate.values, texts)
    if op in _COMPARE:
        limit, compare = number(predicate.values[0]) or Decimal(predicate.values[0]), _COMPARE[op]
        return [(value := number(text)) is not None and compare(value, limit) for text in texts]
    if op in TIME_OPS:
        compare, limit, part = _COMPARE[predicate.values[0]], float(predicate.values[1]), _PARTS[op]
        return [(time := _time(text)) is not None and compare(part(time), limit) for text in texts]
    return _OTHER[op](predicate.values, texts)


def number(text: str) -> Number | None:
    """Read a decimal number, blanks around it allowed, or None (for nan, underscores, hexadecimal and the like)."""
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    if abs(value) < _EXACT:
        return value
    return Decimal(text.strip()) if math.isfinite(value) else None


def _contains(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    if len(values) == 1:
        return [values[0] in text for text in texts]
    if len(values) * sum(map(len, texts)) < _MANY:
        return [any(value in text for value in values) for text in texts]
    return pl.Series(texts, dtype=pl.String).str.contains_any(list(values)).to_list()


def _equals(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    known = frozenset(values)
    return [text in known for text in texts]


_TEXT: dict[str, Callable[[Sequence[str], Sequence[str]], list[bool]]] = {
    "equals": _equals,
    "contains": _contains,
    "startswith": lambda values, texts: [text.startswith(tuple(values)) for text in texts],
    "endswith": lambda values, texts: [text.endswith(tuple(values)) for text in texts],
}


def _like(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    return _regex([glob.regex(value) for value in values], texts)


def _regex(patterns: Sequence[str], texts: Sequence[str]) -> list[bool]:
    programs = [program(pattern) for pattern in patterns]
    # RE2 searches bytes; given a text it would also count characters, which takes as long as the search
    return [any(each.search(data) is not None for each in programs) for data in map(str.encode, texts)]


def _numbers(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    numbers = {value for each in values if (value := number(each)) is not None}
    return [number(text) in numbers for text in texts]


def _networks(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    known = networks(tuple(values))
    return [any(address in known for address in _addresses(text)) for text in texts]


@lru_cache(maxsize=65536)
def _addresses(text: str) -> tuple[IPv4Address | IPv6Address, ...]:
    """Return the address a text spells; an IPv4 address mapped into IPv6 counts as both."""
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return ()
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (address, mapped) if mapped else (address,)


@lru_cache(maxsize=65536)
def _time(text: str) -> datetime | None:
    """Read a time as ISO 8601, in the zone it is written in, or as seconds (ms, µs, ns) since 1970, in UTC."""
    text = text.strip()
    try:
        if _EPOCH.fullmatch(text):
            whole = text.partition(".")[0]
            return datetime.fromtimestamp(int(whole) // 1000 ** ((len(whole) - 9) // 3), UTC)
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _bool(values: Sequence[str], texts: Sequence[str]) -> list[bool]:
    legal = _TRUE if values[0] == "true" else _FALSE
    return [text.lower() in legal for text in texts]


_OTHER: dict[str, Callable[[Sequence[str], Sequence[str]], list[bool]]] = {
    "number": _numbers,
    "cidr": _networks,
    "bool": _bool,
    "present": lambda _, texts: [True] * len(texts),
    "exists": lambda _, texts: [True] * len(texts),
    "null": lambda _, texts: [False] * len(texts),
    "missing": lambda _, texts: [False] * len(texts),
}
