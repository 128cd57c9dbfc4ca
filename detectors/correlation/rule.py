"""A correlation as it is written: what it counts, of which rules, within what time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid5

from detectors.errors import Place
from detectors.meta import Meta

NUMERIC: Final = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})
TEMPORAL: Final = frozenset({"temporal", "temporal_ordered"})
TYPES: Final = ("event_count", "value_count", *sorted(TEMPORAL), *sorted(NUMERIC))
OPERATORS: Final = ("gt", "gte", "lt", "lte", "eq", "neq")


@dataclass(frozen=True, slots=True)
class Reference:
    """A rule by its name or id, as it is written."""

    word: str
    place: Place


@dataclass(frozen=True, slots=True)
class Alias:
    """What one rule calls the field that a correlation gives a name of its own."""

    name: str
    rule: Reference
    field: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison that must hold of the metric."""

    operator: str
    limit: float


@dataclass(frozen=True, slots=True)
class Term:
    """Rules, by their numbers, that must match in a window, and rules that must not."""

    present: tuple[int, ...]
    absent: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlation:
    """A Sigma correlation rule."""

    meta: Meta
    type: str
    rules: tuple[Reference, ...]
    span: int  # seconds
    place: Place
    group_by: tuple[str, ...] = ()
    bounds: tuple[Bound, ...] = ()  # all of them must hold
    terms: tuple[Term, ...] = ()  # an extended condition: one of them must hold
    fields: tuple[str, ...] = ()  # whose values are looked at
    percentile: float = 50.0
    aliases: tuple[Alias, ...] = ()
    generate: bool = False  # whether the rules it refers to have findings of their own as well
    name: str = ""


def counted_id(identity: str) -> str:
    """Return the id of the rule that an aggregation of Sigma 1 counts, by its own."""
    return str(uuid5(UUID(identity), "counted"))


def encode_correlation(correlation: Correlation) -> dict[str, Any]:
    """Return a correlation as plain data, for the cache."""
    return asdict(correlation)


def decode_correlation(data: dict[str, Any], file: str) -> Correlation:
    """Return the correlation of plain data that `encode_correlation` gave, standing in this file."""
    words: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in data["meta"].items()
    }
    return Correlation(
        **{
            **data,
            "meta": Meta(**words),
            "rules": tuple(_reference(each, file) for each in data["rules"]),
            "place": _place(data["place"], file),
            "group_by": tuple(data["group_by"]),
            "bounds": tuple(Bound(**each) for each in data["bounds"]),
            "terms": tuple(Term(tuple(each["present"]), tuple(each["absent"])) for each in data["terms"]),
            "fields": tuple(data["fields"]),
            "aliases": tuple(
                Alias(each["name"], _reference(each["rule"], file), each["field"]) for each in data["aliases"]
            ),
        }
    )


def _reference(data: dict[str, Any], file: str) -> Reference:
    return Reference(data["word"], _place(data["place"], file))


def _place(data: dict[str, Any], file: str) -> Place:
    return replace(Place(**data), file=file)
