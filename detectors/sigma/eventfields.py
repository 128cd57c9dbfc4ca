"""Which columns the events of a route can have, as far as that is documented (`eventfields.yml`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from detectors.sigma.logsources import Route
from detectors.tables import read_table


@dataclass(frozen=True, slots=True)
class _Kinds:
    every: frozenset[str]
    events: dict[tuple[str, str], frozenset[str]]  # channel (lower case), event id → columns


def event_columns(made_by: str | None, route: Route) -> frozenset[str] | None:
    """Return all columns of the events that a product writes and that take a route; None where any is possible."""
    kinds = _table().get(made_by or "")
    where = route.where
    if kinds is None or not {"Channel", "EventID"} <= where.keys():
        return None
    found = [kinds.events.get(kind) for kind in product(where["Channel"], where["EventID"])]
    return kinds.every.union(*(columns for columns in found if columns)) if all(found) else None


def documented(made_by: str | None) -> frozenset[str]:
    """Return all columns of a product's documented events, without those that any event has."""
    kinds = _table().get(made_by or "")
    return frozenset().union(*kinds.events.values()) if kinds else frozenset()


@cache
def _table() -> dict[str, _Kinds]:
    data: dict[str, dict[str, Any]] = read_table("sigma/eventfields.yml")
    return {name: _kinds(documented) for name, documented in data.items()}


def _kinds(data: dict[str, Any]) -> _Kinds:
    events = {
        (channel.lower(), number): frozenset(_flat(columns))
        for channel, numbered in data["events"].items()
        for number, columns in numbered.items()
    }
    return _Kinds(frozenset(data["every"]), events)


def _flat(columns: list[Any]) -> list[str]:
    """Return names, of which some stand in lists that kinds of event share."""
    return [name for column in columns for name in (column if isinstance(column, list) else [column])]
