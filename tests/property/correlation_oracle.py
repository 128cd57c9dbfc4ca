"""Correlations by brute force, written from the specification: every window is walked through, one match at a time.

Shares nothing with the engine but the parsed rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from detectors.correlation.link import Linked

Parts = tuple[tuple[int, ...], tuple[int, ...]]  # members that must match, and those that must not


@dataclass(frozen=True)
class Event:
    """A match of a detection rule."""

    rule: str
    id: str
    time: int | None
    fields: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """A match as one correlation sees it."""

    slot: int
    id: str
    time: int
    group: tuple[str, ...]
    values: tuple[str | None, ...]


@dataclass(frozen=True, order=True)
class Alert:
    """A window of which the condition holds."""

    group: tuple[str, ...]
    start: int
    stop: int
    metric: float = field(compare=False)
    events: frozenset[str] = field(compare=False)  # of detection rules


def alerts(linked: Linked, events: Sequence[Event], horizon: int) -> list[Alert]:
    """Return all alerts, in order."""
    inner: dict[str, frozenset[str]] = {}
    seen = list(dict.fromkeys(_seen(linked, events, horizon, inner)))
    found = {(each.group, each.start, each.stop): each for each in _alerts(linked, seen, horizon, inner)}
    return sorted(found.values())


def _seen(linked: Linked, events: Sequence[Event], horizon: int, inner: dict[str, frozenset[str]]) -> Iterator[Seen]:
    for slot, member in enumerate(linked.members):
        if member.inner is None:
            rows: list[tuple[str, int | None, Mapping[str, str | None]]] = [
                (each.id, each.time, each.fields) for each in events if each.rule == member.id
            ]
            inner.update({each.id: frozenset({each.id}) for each in events})
        else:
            rows = []
            for alert in alerts(member.inner, events, horizon):
                name = f"{member.id} {alert.group} {alert.start} {alert.stop}"
                inner[name] = alert.events
                keyed = dict(zip(member.inner.rule.group_by, alert.group, strict=True))
                rows.append((name, alert.stop, {**keyed, member.inner.rule.type: repr(alert.metric)}))
        for name, time, fields in rows:
            keys = [fields.get(key) for key in member.group]
            if time is None or any(key is None for key in keys):
                continue
            values = tuple(fields.get(value) for value in member.fields)
            yield Seen(slot, name, time, tuple(str(key).lower() for key in keys), values)


def _alerts(linked: Linked, seen: Sequence[Seen], horizon: int, inner: Mapping[str, frozenset[str]]) -> Iterator[Alert]:
    waits = not growing(linked)
    for start, stop, group, term in _windows(linked, seen):
        held = [each for each in seen if each.group == group and start <= each.time <= stop]
        if waits and stop > horizon:
            continue
        metric = _metric(linked, held)
        if term is not None:
            true = _term(linked, held, *term)
        else:
            true = metric is not None and all(
                _compare(metric, bound.operator, bound.limit) for bound in linked.rule.bounds
            )
        if true:
            number = float(metric) if metric is not None else math.nan
            yield Alert(group, start, stop, number, frozenset().union(*(inner[each.id] for each in held)))


def growing(linked: Linked) -> bool:
    """Say whether an alert stays true whatever else happens."""
    rule = linked.rule
    for member in linked.members:
        if member.inner is not None:
            used = {*member.group, *member.fields}
            if member.inner.rule.type in used or not growing(member.inner):
                return False
    if rule.terms:
        return not any(term.absent for term in rule.terms)
    return rule.type in ("event_count", "value_count", "temporal", "temporal_ordered") and all(
        bound.operator in ("gt", "gte") for bound in rule.bounds
    )


def _windows(linked: Linked, seen: Sequence[Seen]) -> Iterator[tuple[int, int, tuple[str, ...], Parts | None]]:
    terms: list[Parts | None] = [(term.present, term.absent) for term in linked.rule.terms]
    for term in terms or [None]:
        for each in seen:
            if term is not None and term[1]:
                if each.slot in term[0]:
                    yield each.time, each.time + linked.span, each.group, term
            else:
                yield each.time - linked.span, each.time, each.group, term


def _metric(linked: Linked, held: Sequence[Seen]) -> Fraction | None:
    rule = linked.rule
    if rule.type in ("value_sum", "value_avg", "value_percentile", "value_median"):
        return _numeric(linked, held)
    if rule.type == "event_count":
        return Fraction(len({each.id for each in held}))
    if rule.type == "value_count":
        whole = {tuple(str(value).lower() for value in each.values) for each in held if None not in each.values}
        return Fraction(len(whole))
    if rule.type == "temporal" or rule.terms:
        return Fraction(len({each.slot for each in held}))
    return Fraction(_longest(held, len(linked.members), -(10**30)))


def _numeric(linked: Linked, held: Sequence[Seen]) -> Fraction | None:
    rule = linked.rule
    numbers = [
        number
        for each in {(e.id, e.values): e for e in held}.values()
        if (number := _number(each.values[0])) is not None
    ]
    if not numbers:
        return None
    if rule.type == "value_sum":
        return Fraction(float(sum(numbers)))
    if rule.type == "value_avg":
        return Fraction(float(sum(numbers) / len(numbers)))
    return _percentile(
        sorted(numbers), Fraction(str(rule.percentile)) if rule.type == "value_percentile" else Fraction(50)
    )


def _longest(held: Sequence[Seen], slots: int, after: int, first: int = 0) -> int:
    """Try every member next, or none."""
    best = 0
    for slot in range(first, slots):
        times = [each.time for each in held if each.slot == slot and each.time > after]
        if times:
            best = max(best, 1 + _longest(held, slots, min(times), slot + 1))
    return best


def _term(linked: Linked, held: Sequence[Seen], present: tuple[int, ...], absent: tuple[int, ...]) -> bool:
    if any(each.slot in absent for each in held):
        return False
    if linked.rule.type == "temporal":
        return all(any(each.slot == slot for each in held) for slot in present)
    after = -(10**30)
    for slot in present:
        times = [each.time for each in held if each.slot == slot and each.time > after]
        if not times:
            return False
        after = min(times)
    return True


def _number(text: str | None) -> Fraction | None:
    try:
        number = float(str(text))
    except ValueError:
        return None
    return Fraction(number) if math.isfinite(number) else None


def _percentile(numbers: list[Fraction], percentile: Fraction) -> Fraction:
    place = (len(numbers) - 1) * percentile / 100
    low = math.floor(place)
    if place == low:
        return numbers[low]
    return numbers[low] + (numbers[low + 1] - numbers[low]) * (place - low)


def _compare(metric: Fraction, operator: str, limit: float) -> bool:
    exact = Fraction(limit)
    return {
        "gt": metric > exact,
        "gte": metric >= exact,
        "lt": metric < exact,
        "lte": metric <= exact,
        "eq": metric == exact,
        "neq": metric != exact,
    }[operator]
