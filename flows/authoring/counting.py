"""`soc rules explain` of a correlation: which rules each event matches, in which group, and what windows hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

import numpy as np
import polars as pl

from detectors.correlation.condition import holds
from detectors.correlation.correlator import Correlator
from detectors.correlation.evaluate import FIELD, Alerts, evaluate
from detectors.correlation.events import texts_of
from detectors.correlation.exceptions import Excepted
from detectors.correlation.link import MAX_REACH, SECOND, Linked, Member
from detectors.correlation.memory import Held
from detectors.correlation.rule import TEMPORAL
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows.assembly import Parts
from flows.authoring.events import FIELDS, Events
from flows.authoring.wording import asks, length
from flows.correlating import columns_of, kept

MOST = 20  # events, and groups, that are told of
_LONGEST = MAX_REACH // SECOND


@dataclass(frozen=True, slots=True)
class Seen:
    """What a correlation makes of one event."""

    number: int
    time: str
    rules: tuple[str, ...]  # titles of those that match it
    groups: tuple[str, ...]
    why: str  # it never correlates, though a rule matches


@dataclass(frozen=True, slots=True)
class Group:
    """The window of a group that comes nearest to an alert."""

    name: str
    begin: str
    end: str
    events: tuple[int, ...]
    value: float | None
    missing: tuple[str, ...]  # rules that do not match in it, or should not
    alerts: int
    taken: str  # title of the exception that takes the alerts
    why: str


@dataclass(frozen=True, slots=True)
class Counted:
    """A correlation on some events."""

    title: str
    place: str
    what: str  # its type: what is counted
    asks: str
    seen: tuple[Seen, ...]
    groups: tuple[Group, ...]
    source: str
    inner: tuple[Counted, ...] = ()

    @property
    def alerts(self) -> int:
        """Count the windows of which the condition holds, and which no exception takes."""
        return sum(group.alerts for group in self.groups if not group.taken)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        plain = {
            "correlation": {"title": self.title, "place": self.place, "asks": self.asks},
            "alerts": self.alerts,
            "events": [{name: getattr(each, name) for name in Seen.__slots__} for each in self.seen],
            "groups": [{name: getattr(each, name) for name in Group.__slots__} for each in self.groups],
        }
        return plain | ({"inner": [each.document() for each in self.inner]} if self.inner else {})


def explain(linked: Linked, events: Sequence[Events], parts: Parts, zone: tzinfo) -> Counted:
    """Explain a correlation, and those that it refers to, on events, which are numbered source by source."""
    fields = Correlator([linked], Held()).fields
    known = {rule.id: rule for rule in parts.rules.rules if rule.id in fields}
    frames = {identity: _matches(rule, fields[identity], events) for identity, rule in known.items()}
    return _Teller(frames, known, events, parts.excepted, zone).counted(linked)


def _matches(rule: Rule, fields: Sequence[str], events: Sequence[Events]) -> pl.DataFrame:
    """Return a rule's matches as a correlation sees them; their ids are the numbers of events."""
    found, before = [], 0
    for each in events:
        # events as rules see them are those of every rule's own log source
        dialect = each.dialect if each.source != FIELDS else replace(each.dialect, logsource=rule.logsource)
        rows = Engine([rule]).detect(dialect, each.frame).row
        numbers = pl.Series("event.id", [str(before + row + 1) for row in rows.tolist()], pl.String)
        hit = each.frame[rows].with_columns(numbers, pl.lit(each.source).alias("soc.source"))
        found.append(kept(hit, columns_of(rule, fields, dialect)))
        before += each.frame.height
    return pl.concat(found)


class _Teller:
    def __init__(
        self,
        frames: Mapping[str, pl.DataFrame],
        rules: Mapping[str, Rule],
        events: Sequence[Events],
        excepted: Excepted,
        zone: tzinfo,
    ) -> None:
        self._frames, self._rules = frames, rules
        self._times = pl.concat([each.frame["@timestamp"] for each in events])
        self._sources = ", ".join(each.source for each in events)
        self._excepted, self._zone = excepted, zone

    def counted(self, linked: Linked) -> Counted:
        inner = tuple(self.counted(member.inner) for member in linked.members if member.inner is not None)
        return Counted(
            linked.rule.meta.title,
            str(linked.rule.place),
            linked.rule.type,
            asks(linked),
            tuple(self._seen(linked)),
            tuple(self._groups(linked)),
            self._sources,
            inner,
        )

    def _evaluated(self, linked: Linked) -> Alerts:
        return evaluate(linked, lambda member: self._frames[member.id], None, None, self._excepted.left)

    def _seen(self, linked: Linked) -> Iterator[Seen]:
        """Yield the events that its own rules match; where none does, say so of the first ones."""
        own = [member for member in linked.members if member.inner is None]
        times = self._times
        for row in range(len(times)):
            matched = [member for member in own if str(row + 1) in set(self._frames[member.id]["event.id"])]
            time = self._text(times[row]) if times[row] is not None else ""
            groups = {member.id: self._group(linked, member, str(row + 1)) for member in matched}
            lacking = sorted({name for _, names in groups.values() for name in names})
            why = "no time: it never correlates" if not time else ""
            if lacking:
                why = f"no {', '.join(lacking)}: it is in no group"
            found = dict.fromkeys(name for name, names in groups.values() if not names)
            yield Seen(row + 1, time, tuple(self._title(each) for each in matched), tuple(found), why)

    def _group(self, linked: Linked, member: Member, event: str) -> tuple[str, list[str]]:
        """Return the group of a match, and which of its fields the event lacks."""
        match = self._frames[member.id].filter(pl.col("event.id") == event)
        values = [match[f"{FIELD}{name}"][0] for name in member.group]
        pairs = [*zip(linked.rule.group_by, values, strict=True)]
        name = " | ".join(f"{field}={str(value).lower()}" for field, value in pairs)
        return name, [called for called, value in zip(member.group, values, strict=True) if value is None]

    def _groups(self, linked: Linked) -> Iterator[Group]:
        """Yield of each group the window that comes nearest, those with alerts first."""
        real, every = self._evaluated(linked), self._evaluated(_open(linked))
        rows = [*self._windows(every)]
        alerts = real.frame()["group"].value_counts() if real.parts else pl.DataFrame({"group": [], "count": []})
        counts = dict(alerts.iter_rows())
        taken = {
            group: each.title for each, some in self._excepted.taken(real) for group in some.frame()["group"].unique()
        }
        names = texts_of(every)
        best: dict[int, _Window] = {}
        for window in rows:
            known = best.get(window.group)
            if known is None or _distance(linked, window) < _distance(linked, known):
                best[window.group] = window
        for group, window in sorted(best.items(), key=lambda pair: (-counts.get(pair[0], 0), names[pair[0]])):
            yield Group(
                name=names[group],
                begin=self._moment(window.start),
                end=self._moment(window.stop),
                events=window.events,
                value=window.value,
                missing=tuple(self._missing(linked, window)),
                alerts=counts.get(group, 0),
                taken=taken.get(group, ""),
                why="" if group in counts else self._why(linked, every, group),
            )

    def _windows(self, alerts: Alerts) -> Iterator[_Window]:
        slots, events = alerts.matches.slot, self._numbers(alerts)
        for number, part in enumerate(alerts.parts):
            values = pl.concat([alerts.frame()])["metric"] if number == 0 and len(alerts.parts) == 1 else None
            for at in range(len(part.windows)):
                inside = slice(int(part.windows.first[at]), int(part.windows.end[at]))
                numbers = {each for each in events[inside] if each}
                value = None if values is None else values[at]
                yield _Window(
                    group=int(part.windows.group[at]),
                    start=int(part.windows.start[at]),
                    stop=int(part.windows.stop[at]),
                    events=tuple(sorted(numbers)),
                    slots=frozenset(slots[inside].tolist()),
                    value=value,
                )

    def _numbers(self, alerts: Alerts) -> list[int]:
        """Return the number of the event that each match is of; 0 for alerts of inner correlations."""
        members = alerts.linked.members
        known = [[] if each.inner is not None else self._frames[each.id]["event.id"].to_list() for each in members]
        places = zip(alerts.matches.slot.tolist(), alerts.matches.frame["row"].to_list(), strict=True)
        return [int(known[slot][row]) if known[slot] else 0 for slot, row in places]

    def _missing(self, linked: Linked, window: _Window) -> Iterator[str]:
        """Yield the rules that keep a window of a temporal correlation from being an alert."""
        if linked.rule.type not in TEMPORAL:
            return
        for slot, member in enumerate(linked.members):
            unwanted = bool(linked.rule.terms) and all(slot in term.absent for term in linked.rule.terms)
            if unwanted and slot in window.slots:
                yield f"{self._title(member)}, which must not match"
            elif not unwanted and slot not in window.slots:
                yield self._title(member)

    def _why(self, linked: Linked, every: Alerts, group: int) -> str:
        """Say what small thing would have to be otherwise for an alert of a group."""
        longer = self._evaluated(replace(linked, rule=replace(linked.rule, span=_LONGEST)))
        texts = texts_of(every)
        if longer and texts[group] in texts_of(longer).gather(longer.frame()["group"].unique()).to_list():
            times = every.matches.time[every.matches.group == group]
            return f"its events lie further apart than the timespan: {length(int(np.ptp(times)) // SECOND)}"
        if linked.rule.group_by:
            members = tuple(replace(each, group=()) for each in linked.members)
            if self._evaluated(replace(linked, rule=replace(linked.rule, group_by=()), members=members)):
                return (
                    f"there would be an alert if all were one group: they differ in {', '.join(linked.rule.group_by)}"
                )
        return ""

    def _title(self, member: Member) -> str:
        return member.inner.rule.meta.title if member.inner else self._rules[member.id].meta.title

    def _moment(self, micros: int) -> str:
        return self._text(datetime.fromtimestamp(micros / SECOND, UTC))

    def _text(self, time: datetime) -> str:
        return time.astimezone(self._zone).isoformat(sep=" ", timespec="seconds")


@dataclass(frozen=True, slots=True)
class _Window:
    group: int
    start: int
    stop: int
    events: tuple[int, ...]
    slots: frozenset[int]
    value: float | None


def _open(linked: Linked) -> Linked:
    """Return a correlation that finds every window."""
    return replace(linked, rule=replace(linked.rule, bounds=(), terms=()))


def _distance(linked: Linked, window: _Window) -> tuple[float, float]:
    """Say how far a window is from what is asked of it; of two the one with more in it is nearer."""
    bounds, value = linked.rule.bounds, window.value
    if not bounds or value is None or np.isnan(value):
        return float(len(linked.members) - len(window.slots)), -float(len(window.events))
    missed = [abs(value - bound.limit) for bound in bounds if not holds(value, (bound,))]
    return float(sum(missed)) + 0.5 * bool(missed), -float(len(window.events))


def lines(made: Counted, indent: str = "") -> Iterator[str]:
    """Yield an explanation for a terminal; what logs say in it is not yet made safe."""
    for inner in made.inner:
        yield from lines(inner, indent + "  ")
    verdict = f"{made.alerts:,} alerts" if made.alerts > 1 else "an alert" if made.alerts else "no alert"
    yield f"{indent}`{made.title}` ({made.place}): {verdict}"
    yield f"{indent}asks for {made.asks}"
    matched = [each for each in made.seen if each.rules]
    for each in matched[:MOST]:
        what = " | ".join(each.groups) or each.why
        yield (
            f"{indent}  event {each.number:,}  {each.time}  {', '.join(each.rules)}   ← {what}"
            if what
            else (f"{indent}  event {each.number:,}  {each.time}  {', '.join(each.rules)}")
        )
    if len(matched) > MOST:
        yield f"{indent}  … {len(matched) - MOST:,} more events"
    rest = len(made.seen) - len(matched)
    if rest and not made.inner:
        yield f"{indent}  {rest:,} of {len(made.seen):,} events of {made.source} match none of its rules"
    for group in made.groups[:MOST]:
        yield from _told(group, made.what, indent)
    if len(made.groups) > MOST:
        yield f"{indent}  … {len(made.groups) - MOST:,} more groups"


def _told(group: Group, what: str, indent: str) -> Iterator[str]:
    mark = "✓" if group.alerts and not group.taken else "✗"
    value = "" if group.value is None or np.isnan(group.value) else f"{what} is {group.value:g} "
    events = ", ".join(map(str, group.events[:MOST])) + (" …" if len(group.events) > MOST else "")
    of = f": events {events}" if events else ""
    yield f"{indent}  {mark} {group.name}: {value}from {group.begin} to {group.end}{of}"
    if group.missing and not group.alerts:
        yield f"{indent}      lacks {', '.join(group.missing)}"
    if group.taken:
        yield f"{indent}      taken by the exception `{group.taken}`"
    if group.why:
        yield f"{indent}      {group.why}"
