"""Which rules never come true on which sources: definitions and rules put together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connectors import enrichment
from connectors.definitions import Definition
from detectors.schema import LEVELS, ORIGIN
from detectors.sigma.blind import Names, Sight, Survey, survey
from detectors.sigma.eventfields import event_columns
from detectors.sigma.logsources import Route
from detectors.sigma.nearest import closest
from detectors.sigma.rule import Rule

FIELDS: Final = 8  # shown of those that the rules of a route lack


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


def lines(told: dict[str, Any], *, whole: bool) -> Iterator[str]:
    """Yield a document in words; `whole` names also the rules that are blind on some of a source's events only."""
    for name, seen in told["sources"].items():
        yield f"{name}: {counted(seen['rules'])}, {len(seen['blind']):,} blind"
        yield from (f"  {_line(rule)}" for rule in seen["blind"])
        for part in seen["routes"]:
            where = ", ".join(f"{column} {'/'.join(values)}" for column, values in part["where"].items())
            lacking = Counter(field for rule in part["blind"] for field in rule["lacks"])
            fields = ", ".join(f"{field} {count:,}" for field, count in lacking.most_common(FIELDS))
            yield f"  {where}: {counted(part['rules'])}, {len(part['blind']):,} blind for want of {fields}"
            yield from (f"    {_line(rule)}" for rule in part["blind"] if whole)
    if told.get("uncovered"):
        yield f"of no source here: {counted(sum(told['uncovered'].values()))}"
        yield from (f"  {name}: {count:,}" for name, count in told["uncovered"].items())


def counted(rules: int) -> str:
    """Return `1 rule` or `7 rules`."""
    return "1 rule" if rules == 1 else f"{rules:,} rules"


def _line(rule: dict[str, Any]) -> str:
    lacks = ", ".join(f"{field} (there is {near})" if near else field for field, near in rule["lacks"].items())
    return f"{rule['level']:<13} {rule['id']}  {rule['title']}: lacks {lacks}"


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
