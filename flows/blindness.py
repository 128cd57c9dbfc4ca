"""Which rules never come true on which sources: definitions and rules put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from connectors import enrichment
from connectors.definition import Definition
from detectors.nearest import closest
from detectors.schema import LEVELS, ORIGIN
from detectors.sigma.blind import Names, Sight, Survey, survey
from detectors.sigma.eventfields import event_columns
from detectors.sigma.logsources import Route
from detectors.sigma.rule import Rule


def look(rules: Sequence[Rule], definition: Definition) -> Survey:
    """Say which rules apply to a source, and which of them are blind there."""
    return survey(rules, definition.dialect, lambda route: columns(definition, route))


def columns(definition: Definition, route: Route) -> Names:
    """Return all columns that a source's events on a route can have; None where any is possible."""
    own = definition.own_columns
    if own is None:
        own = event_columns(definition.logsource.product, route)
    return None if own is None else enrichment.makes(definition.all_columns(own)).union(ORIGIN)


def blind(rules: Sequence[Rule], definitions: Mapping[str, Definition], events: Mapping[str, int]) -> set[int]:
    """Return the numbers of the rules that apply to sources that events came from, and are blind on all of these."""
    seen = [look(rules, definitions[name]).whole for name, count in events.items() if count]
    return set().union(*(one.blind for one in seen)).difference(*(one.live for one in seen))


def document(rules: Sequence[Rule], definitions: Iterable[Definition]) -> dict[str, Any]:
    """Return what every source sees, and how many rules none of them has, by log source."""
    sources = {}
    left = {number for number, rule in enumerate(rules) if not rule.waits_for}
    for definition in definitions:
        seen = look(rules, definition)
        sources[definition.name] = source(rules, definition, seen)
        left -= _numbers(seen.whole)
    uncovered = Counter(str(rules[number].logsource) for number in sorted(left))
    return {"sources": sources, "uncovered": dict(uncovered.most_common())}


def source(rules: Sequence[Rule], definition: Definition, seen: Survey) -> dict[str, Any]:
    """Return what a source sees: numbers of rules, and those that are blind, also by route."""
    parts = []
    known: dict[int, set[str]] = defaultdict(set)  # blind rule → columns of the events it looks at
    for route, sight in seen.routes:
        here = columns(definition, route) or frozenset()
        for number in sight.blind:
            known[number] |= here
        if route.where and sight.blind:
            where = {name: sorted(values) for name, values in route.where.items()}
            parts.append({"where": where, **_sight(rules, sight, dict.fromkeys(sight.blind, here))})
    return {**_sight(rules, seen.whole, known), "routes": parts}


def _sight(rules: Sequence[Rule], sight: Sight, known: Mapping[int, Collection[str]]) -> dict[str, Any]:
    blind = []
    for number, missing in sight.blind.items():
        meta, lacks = (
            rules[number].meta,
            {name: closest(name, sorted(known[number], reverse=True)) for name in sorted(missing)},
        )
        blind.append({"id": meta.id, "level": meta.level, "title": meta.title, "lacks": lacks})
    blind.sort(key=lambda rule: (-LEVELS.index(rule["level"]), rule["title"]))
    return {"rules": len(_numbers(sight)), "live": len(sight.live), "blind": blind}


def _numbers(sight: Sight) -> set[int]:
    return sight.live.union(sight.blind)
