"""Exceptions to correlations: which alerts filters take.

A filter that names a correlation is asked about the groups of its alerts, which have the fields that it groups by; what
it takes feeds no other correlation either. An aggregation of Sigma 1 is one rule to whoever wrote it, so filters that
name it are asked about the events that it counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Final

import numpy as np
import polars as pl

from detectors.contracts import Dialect, LogSource
from detectors.correlation.evaluate import Alerts, Part
from detectors.correlation.link import Linked
from detectors.correlation.rule import Correlation, counted_id
from detectors.correlation.windows import Flags, Numbers
from detectors.errors import Place, RuleError
from detectors.identity import digest
from detectors.nearest import nearest
from detectors.schema import ORGANISATION
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import question
from detectors.sigma.filters import Filter, Reference
from detectors.sigma.predicates import REFERENCE_OPS, predicates

_ALERTS: Final = LogSource(category="correlation")
_DIALECT: Final = Dialect("correlations", _ALERTS, {}, structured=True)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def names(correlations: Iterable[Correlation]) -> dict[str, str]:
    """Return what filters may call correlations by, and the id of the rule that is meant: itself, or what it counts."""
    found: dict[str, str] = {}
    for each in correlations:
        inner = counted_id(each.meta.id)
        meant = inner if [reference.word for reference in each.rules] == [inner] else each.meta.id
        found |= dict.fromkeys(filter(None, (each.meta.id, each.name)), meant)
    return found


@dataclass(frozen=True, slots=True)
class Resolved:
    """Which filters apply to which correlations (by id), and what is wrong with their references."""

    filters: Mapping[str, tuple[int, ...]]
    faults: tuple[RuleError, ...]


def resolve(
    filters: Sequence[Filter],
    correlations: Iterable[Linked],
    logsources: Mapping[str, LogSource],
    called: Mapping[str, str],
) -> Resolved:
    """Find the correlations that filters name among those `called` so; a wrong reference costs itself.

    `logsources` are those of the rules that correlations put together, by their ids.
    """
    known = {linked.rule.meta.id: linked for linked in correlations}
    found, faults = defaultdict[str, list[int]](list), list[RuleError]()
    for number, each in enumerate(filters):
        for reference in each.rules if not each.waits_for else ():
            meant = called.get(reference.rule)
            if meant is None or meant in logsources:
                continue
            fault = _fault(each, reference, known.get(meant), logsources)
            if fault is not None:
                faults.append(fault)
            elif number not in found[meant]:
                found[meant].append(number)
    return Resolved({name: tuple(numbers) for name, numbers in found.items() if numbers}, tuple(faults))


def _fault(
    each: Filter, reference: Reference, linked: Linked | None, logsources: Mapping[str, LogSource]
) -> RuleError | None:
    """Return what keeps a filter from being an exception to a correlation."""
    place, named = Place(each.place.file, reference.line, reference.column), f"`{reference.rule:.80}`"
    if linked is None:
        return RuleError(f"the correlation {named} can't be run", place=place, fix="see what is said of it")
    sources = {str(logsources[leaf.id]) for leaf in linked.leaves() if leaf.id in logsources}
    if not any(each.logsource.covers(logsources[leaf.id]) for leaf in linked.leaves() if leaf.id in logsources):
        message = f"the correlation {named} is of {', '.join(sorted(sources))}, none of which {each.logsource} covers"
        return RuleError(message, place=place, fix="give the filter the log source of one of its rules")
    legal = linked.rule.group_by
    has = f"alerts of {named} have {', '.join(legal) if legal else 'no fields: it has no `group-by`'}"
    for field in _asked(each):
        if field is None:
            return RuleError(f"{has}, and no text to look for keywords in", place=place, fix="name a field")
        if field not in legal:
            fix = nearest(field, legal) if legal else "except from the rules that it puts together"
            return RuleError(f"{has}; they have no `{field:.80}`", place=place, fix=fix)
    if each.terms.organisation and not set(ORGANISATION) & set(legal):
        fix = "group the correlation by `organization.id`, or except from the rules that it puts together"
        return RuleError(f"{has}, and don't say whose they are", place=place, fix=fix)
    return None


def _asked(each: Filter) -> Iterator[str | None]:
    for predicate in predicates(each.condition):
        yield predicate.field
        yield from predicate.values if predicate.op in REFERENCE_OPS else ()


class Excepted:
    """Filters, ready to be asked about the alerts of correlations.

    `failures` says of a filter (by number) why it could not be evaluated; it takes nothing then.
    """

    def __init__(
        self,
        filters: Sequence[Filter] = (),
        correlations: Sequence[Linked] = (),
        logsources: Mapping[str, LogSource] | None = None,
        called: Mapping[str, str] | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        """Take what `resolve` takes; `zone` is that of terms without one."""
        self.filters = tuple(filters)
        self.of = resolve(self.filters, correlations, logsources or {}, called or {}).filters
        self._numbers = sorted({number for numbers in self.of.values() for number in numbers})
        self._bounds = {
            number: tuple(_micros(time) for time in (terms.since(zone), terms.until(zone)))
            for number in self._numbers
            for terms in (self.filters[number].terms,)
        }
        self._engines = {
            name: Engine([question(self.filters[number], _ALERTS) for number in numbers])
            for name, numbers in self.of.items()
        }

    @property
    def failures(self) -> dict[int, str]:
        """Say why filters could not be evaluated."""
        return {
            self.of[name][place]: reason
            for name, engine in self._engines.items()
            for place, reason in engine.failures.items()
        }

    @property
    def semantics(self) -> str:
        """Name what all of them take together."""
        given = [(name, [(self.filters[each].semantics, self._bounds[each], self.filters[each].terms.organisation)
                         for each in numbers]) for name, numbers in sorted(self.of.items())]  # fmt: skip
        return digest((repr(given),)) if given else ""

    def left(self, alerts: Alerts) -> Alerts:
        """Return the alerts that no filter takes."""
        if not self._asks(alerts):
            return alerts
        parts = []
        for part in alerts.parts:
            taken = [takes for _, takes in self._taken(alerts, part)]
            parts.append(_where(part, ~np.logical_or.reduce(taken)) if taken else part)
        return replace(alerts, parts=tuple(parts))

    def taken(self, alerts: Alerts) -> Iterator[tuple[Filter, Alerts]]:
        """Yield each filter with the alerts that it takes; several may take the same."""
        if not self._asks(alerts):
            return
        found = defaultdict[int, list[Part]](list)
        for part in alerts.parts:
            takes = dict(self._taken(alerts, part))
            for number in self.of[alerts.linked.rule.meta.id]:
                found[number].append(_where(part, takes.get(number, np.zeros(len(part.windows), np.bool_))))
        for number, parts in found.items():
            if any(len(part.windows) for part in parts):
                yield self.filters[number], replace(alerts, parts=tuple(parts))

    def takers(self, linked: Linked, group: Mapping[str, str | None], time: datetime) -> Iterator[Filter]:
        """Yield the filters that take an alert of this group, whose window ends at this time."""
        if linked.rule.meta.id in self.of:
            times = np.array([_micros(time)], np.int64)
            frame = pl.DataFrame([group], schema=dict.fromkeys(linked.rule.group_by, pl.String))
            for number, fits in self._fitting(linked, frame):
                if (fits & self._holds(number, times)).all():
                    yield self.filters[number]

    def _asks(self, alerts: Alerts) -> bool:
        return alerts.linked.rule.meta.id in self.of and bool(alerts)

    def _taken(self, alerts: Alerts, part: Part) -> Iterator[tuple[int, Flags]]:
        """Yield which alerts of a part each filter takes: by their groups, and by when they end."""
        numbers, groups = np.unique(part.windows.group, return_inverse=True)
        keys = alerts.matches.groups
        frame = keys[numbers].rename(dict(zip(keys.columns, alerts.linked.rule.group_by, strict=False)))
        for number, fits in self._fitting(alerts.linked, frame):
            yield number, fits[groups] & self._holds(number, part.windows.stop)

    def _fitting(self, linked: Linked, groups: pl.DataFrame) -> Iterator[tuple[int, Flags]]:
        """Yield which groups each filter describes; a column for each field."""
        name = linked.rule.meta.id
        hits = self._engines[name].detect(_DIALECT, groups)
        for place, number in enumerate(self.of[name]):
            fits = np.zeros(groups.height, np.bool_)
            fits[hits.row[hits.rule == place]] = True
            yield number, fits & _owned(groups, self.filters[number].terms.organisation)

    def _holds(self, number: int, times: Numbers) -> Flags:
        since, until = self._bounds[number]
        held = np.ones(times.size, np.bool_)
        if since is not None:
            held &= times >= since
        if until is not None:
            held &= times < until
        return held


def _owned(groups: pl.DataFrame, organisation: str) -> Flags:
    """Say which groups are of an organisation; all, where none is named."""
    wanted = organisation.lower()
    own = [pl.col(name) == wanted for name in ORGANISATION if name in groups.columns]
    said = pl.any_horizontal(own) if wanted and own else pl.lit(value=not wanted)
    flags: Flags = groups.select(pl.repeat(value=True, n=pl.len()) & said).to_series().to_numpy()
    return flags


def _where(part: Part, chosen: Flags) -> Part:
    return Part(part.windows.where(chosen), None if part.metric is None else part.metric[chosen])


def _micros(time: datetime | None) -> int | None:
    if time is None:
        return None
    passed = time - _EPOCH
    return (passed.days * 86400 + passed.seconds) * 1_000_000 + passed.microseconds
