"""Which rows of which source a rule's log source means.

The table is data (`logsources.yml`); a rule's log source and a source's own give the routes the rule takes there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any, Final

from detectors.contracts import Dialect, LogSource
from detectors.tables import read_table

Fields = Mapping[str, tuple[str, ...]]  # a rule's name of a field → the source's own columns


@dataclass(frozen=True)
class Route:
    """Rows where every column of `where` has one of the (lower-case) values, and what their fields are called."""

    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    fields: Fields = field(default_factory=dict)

    def columns(self, field: str, dialect: Dialect) -> tuple[str, ...]:
        """Return what the source calls a rule's field here: the first column that has a value gives it."""
        return self.fields.get(field) or (field, *dialect.aliases.get(field, ()))

    def __and__(self, other: Route) -> Route:
        """Return the route of rows that take both."""
        where = dict(self.where)
        for column, values in other.where.items():
            where[column] = where[column] & values if column in where else values
        return Route(where, {**self.fields, **other.fields})


EVERYTHING = Route()
ANY: Final = "*"  # the table's key for sources of whatever product


@cache
def routes(rule: LogSource, source: LogSource) -> tuple[Route, ...]:
    """Return how a rule reaches the events of a source; empty where it has no business there."""
    if rule.covers(source):
        return (EVERYTHING, *_table()[ANY].get(("categories", rule.category), ()))
    table = _table().get(source.product or "", {})
    choices = [
        table.get((kind, name), ())
        for kind, name, own in (
            ("products", rule.product, source.product),
            ("categories", rule.category, source.category),
            ("services", rule.service, source.service),
        )
        if name is not None and name != own
    ]
    found = []
    for choice in product(*choices):
        joined = EVERYTHING
        for route in choice:
            joined = joined & route
        if all(joined.where.values()):
            found.append(joined)
    return tuple(found)


@cache
def _table() -> dict[str, dict[tuple[str, str | None], tuple[Route, ...]]]:
    data: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = read_table("sigma/logsources.yml")
    return {
        name: {
            (kind, key): tuple(_route(entry) for entry in entries)
            for kind, named in kinds.items()
            for key, entries in named.items()
        }
        for name, kinds in data.items()
    }


def _route(entry: dict[str, Any]) -> Route:
    conditions = entry.get("where", {}).items()
    where = {column: frozenset(value.lower() for value in values) for column, values in conditions}
    return Route(where, {name: tuple(columns) for name, columns in entry.get("fields", {}).items()})
