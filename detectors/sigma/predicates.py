"""What a rule asks of an event: a tree of And, Or and Not over predicates.

A predicate on a missing field is false, whatever it asks, but for `null` and `missing`; Not turns that round. There are
two truth values only (specification, and the SigmaHQ filters depend on it).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Literal

import orjson

Op = Literal[
    "equals",  # the whole text is one of the values
    "contains",
    "startswith",
    "endswith",
    "like",  # the whole text (a keyword: a part of it) matches one of the wildcard patterns
    "regex",  # a part of the text matches one of the regular expressions
    "number",  # the text is one of these numbers, however it is spelled
    "lt",
    "lte",
    "gt",
    "gte",
    "bool",  # "true" or "false"; an event may say True, true or 1
    "cidr",
    "null",  # missing or null
    "exists",
    "missing",
    "present",  # not null
    "ref_equals",  # equal to another field of the same event; the value is its name
    "ref_contains",
    "ref_startswith",
    "ref_endswith",
    "minute",  # part of a time; the values are a comparison and a number
    "hour",
    "day",
    "week",
    "month",
    "year",
]

PATTERN_OPS = frozenset({"like", "regex"})
TEXT_OPS = frozenset({"equals", "contains", "startswith", "endswith"})
REFERENCE_OPS = frozenset({"ref_equals", "ref_contains", "ref_startswith", "ref_endswith"})
TIME_OPS = frozenset({"minute", "hour", "day", "week", "month", "year"})
_MERGED = TEXT_OPS | PATTERN_OPS | {"number", "cidr"}  # whose values are alternatives
ABSENCE_OPS = frozenset({"null", "missing"})  # true where a field is not

MAX_WEIGHT = 16_000_000  # the heaviest SigmaHQ rule has 0.3 million
_VALUE, _PATTERN = 64, 32_000  # characters that any value, and any pattern, costs as much as
_EXACT = 8  # a value that is looked up: lists may be long
HEAVY = (
    f"more than {MAX_WEIGHT // 1_000_000} million characters to look for "
    f"(a value counts {_VALUE} more, a pattern {_PATTERN})"
)


@dataclass(frozen=True, slots=True)
class Predicate:
    """One question about one field (None: about the whole event), true if any of the values fits."""

    field: str | None
    op: Op
    values: tuple[str, ...] = ()
    cased: bool = False  # values of an uncased predicate are lower case already


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of the parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of the part."""

    part: Node


Node = Predicate | And | Or | Not


def conjunction(parts: list[Node]) -> Node:
    """Join parts by And; a single part stays itself."""
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def disjunction(parts: list[Node]) -> Node:
    """Join parts by Or; predicates that differ in their values only become one predicate."""
    flat = _flat(parts)
    values: dict[object, dict[str, None]] = defaultdict(dict)  # in order, each once
    for part in flat:
        if isinstance(part, Predicate) and part.op in _MERGED:
            values[part.field, part.op, part.cased].update(dict.fromkeys(part.values))
    nodes: list[Node] = []
    for part in flat:
        if not isinstance(part, Predicate) or part.op not in _MERGED:
            nodes.append(part)
        elif (found := values.pop((part.field, part.op, part.cased), None)) is not None:
            nodes.append(Predicate(part.field, part.op, tuple(found), part.cased))
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def _flat(parts: list[Node]) -> list[Node]:
    return [inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))]


def predicates(node: Node) -> list[Predicate]:
    """List the predicates of a tree from left to right."""
    found: list[Predicate] = []
    pending: list[Node] = [node]
    while pending:
        match pending.pop():
            case Predicate() as predicate:
                found.append(predicate)
            case And(parts) | Or(parts):
                pending.extend(reversed(parts))
            case Not(part):
                pending.append(part)
    return found


def weight(node: Node) -> int:
    """Say what looking for a tree costs, in characters."""
    return sum(map(_weight, predicates(node)))


def _weight(predicate: Predicate) -> int:
    each = _PATTERN if predicate.op in PATTERN_OPS else _EXACT if predicate.op in ("equals", "cidr") else _VALUE
    return _VALUE + each * len(predicate.values) + sum(map(len, predicate.values))


def least_weight(characters: int) -> int:
    """Say what looking for a value of so many characters costs at least."""
    return _EXACT + characters


def encode(node: Node) -> list[Any]:
    """Return the tree as plain lists, for JSON."""
    match node:
        case Predicate():
            return ["p", node.field, node.op, list(node.values), int(node.cased)]
        case And(parts):
            return ["and", *map(encode, parts)]
        case Or(parts):
            return ["or", *map(encode, parts)]
        case Not(part):
            return ["not", encode(part)]


def decode(data: list[Any]) -> Node:
    """Return the tree of plain lists that `encode` gave."""
    match data[:1]:  # the head alone: matching whole lists takes three times as long
        case ["p"]:
            _, field, op, values, cased = data
            return Predicate(field, op, tuple(values), bool(cased))
        case ["and"]:
            return And(tuple(map(decode, data[1:])))
        case ["or"]:
            return Or(tuple(map(decode, data[1:])))
        case ["not"]:
            return Not(decode(data[1]))
        case _:
            raise ValueError(f"not an encoded rule: {data!r:.80}")


def canonical(node: Node) -> bytes:
    """Return bytes that are equal for equal trees, for hashing."""
    return orjson.dumps(encode(node))
