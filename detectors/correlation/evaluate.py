"""Matches in, alerts out: which windows a correlation's condition holds of, and which matches they hold.

An alert of an inner correlation is a match to the outer one: it happens when its window ends, and has what it groups by
and its metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from detectors.contracts import Intervals
from detectors.correlation import metrics, sequence
from detectors.correlation.condition import holds
from detectors.correlation.link import Linked, Member
from detectors.correlation.rule import TEMPORAL, Term
from detectors.correlation.windows import Flags, Matches, Numbers, Reals, Windows, forward, ordered, trailing

Recall = Callable[[Member], pl.DataFrame]  # matches of a rule: `event.id`, `time` (microseconds) and FIELD columns
FIELD = "field:"  # before the name of a field, where it is a column


@dataclass(frozen=True, slots=True)
class Part:
    """Windows of one kind, in order, of which the condition holds."""

    windows: Windows
    metric: Reals | None  # None: told only where somebody asks


@dataclass(frozen=True, slots=True)
class Alerts:
    """The alerts of a correlation, and what they are made of."""

    linked: Linked
    matches: Matches
    parts: tuple[Part, ...]
    inner: dict[int, Alerts]  # by the number of the member

    def __bool__(self) -> bool:
        return any(len(part.windows) for part in self.parts)

    def frame(self) -> pl.DataFrame:
        """Return a row for each alert: its groups, its window and its metric."""
        return pl.concat([self._frame(part) for part in self.parts])

    def _frame(self, part: Part) -> pl.DataFrame:
        groups = self.matches.groups[part.windows.group]
        names = dict(zip(groups.columns, self.linked.rule.group_by, strict=False))
        metric = part.metric if part.metric is not None else self._ranked(part.windows)
        return groups.rename(names).with_columns(
            pl.Series("start", part.windows.start),
            pl.Series("time", part.windows.stop),
            pl.Series("metric", metric),
            pl.Series("group", part.windows.group),
        )

    def _ranked(self, windows: Windows) -> Reals:
        values = metrics.numbers(self.matches, _value(0))
        return metrics.percentiles(values, windows, self.linked.rule.percentile)


def evaluate(
    linked: Linked,
    recall: Recall,
    within: Intervals | None,
    horizon: int | None,
    left: Callable[[Alerts], Alerts] = lambda alerts: alerts,
) -> Alerts:
    """Return the alerts that end within the intervals (None: at any time).

    `horizon` is how far time has come: alerts that wait for it end no later (None: it has come to its end). `left`
    says which alerts of inner correlations exceptions leave.
    """
    inner: dict[int, Alerts] = {}
    frames = []
    for slot, member in enumerate(linked.members):
        if member.inner is None:
            frame = recall(member)
        else:
            inner[slot] = left(evaluate(member.inner, recall, _before(within, linked.span), horizon, left))
            frame = _as_matches(inner[slot])
        frames.append(_member(linked, slot, member, frame))
    matches = ordered(_once(linked, pl.concat(frames)), _keys(linked))
    parts = tuple(_parts(linked, matches, within, horizon)) if matches.frame.height else ()
    return Alerts(linked, matches, parts, inner)


def among(alerts: Alerts, chosen: Callable[[Member], Flags], within: Intervals | None) -> Alerts | None:
    """Return the alerts that some of the matches would make alone; None where that can't be told by the others'.

    `chosen` says of the matches that `recall` gave for a member which they are.
    """
    linked, matches = alerts.linked, alerts.matches
    if not _plain(linked):
        return None
    flags, rows = np.zeros(len(matches.group), np.bool_), matches.frame["row"].to_numpy()
    for slot, member in enumerate(linked.members):
        own = matches.slot == slot
        flags[own] = chosen(member)[rows[own]]
    some = matches.where(flags)
    parts = tuple(_parts(linked, some, within, None)) if some.frame.height else ()
    return Alerts(linked, some, parts, {})


def _plain(linked: Linked) -> bool:
    """Say whether every match of every member counts, whatever others there are."""
    inner = any(member.inner is not None for member in linked.members)
    return not inner and (linked.rule.type in TEMPORAL or len(linked.members) == 1)


def _before(within: Intervals | None, span: int) -> Intervals | None:
    """Return the times of the matches that windows ending within the intervals may hold."""
    if within is None:
        return None
    return merged([(begin - span, end) for begin, end in within])


def merged(intervals: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join intervals that touch, in order."""
    found: list[tuple[int, int]] = []
    for begin, end in sorted(intervals):
        if found and begin <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _key(number: int) -> str:
    return f"key{number}"


def _value(number: int) -> str:
    return f"value{number}"


def _keys(linked: Linked) -> list[str]:
    return [_key(number) for number in range(len(linked.rule.group_by))]


def _as_matches(alerts: Alerts) -> pl.DataFrame:
    """Return alerts as an outer correlation sees them; each is an event of its own."""
    rule = alerts.linked.rule
    frame = alerts.frame() if alerts.parts else _no_alerts(rule.group_by)
    names = {name: f"{FIELD}{name}" for name in rule.group_by if name in frame.columns}
    return frame.rename(names).select(
        pl.format("{}:{}:{}", "group", "start", "time").alias("event.id"),
        "time",
        *names.values(),
        pl.col("metric").cast(pl.String).alias(f"{FIELD}{rule.type}"),
    )


def _no_alerts(group_by: Sequence[str]) -> pl.DataFrame:
    numbers = {"start": pl.Int64, "time": pl.Int64, "metric": pl.Float64, "group": pl.Int64}
    return pl.DataFrame(schema={**dict.fromkeys(group_by, pl.String), **numbers})


def _member(linked: Linked, slot: int, member: Member, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a member's matches with the columns that all members have."""
    textual = linked.rule.type == "value_count"
    keys = [text(name).alias(_key(number)) for number, name in enumerate(member.group)]
    values = [
        (text(name) if textual else pl.col(f"{FIELD}{name}")).alias(_value(number))
        for number, name in enumerate(member.fields)
    ]
    event = pl.col("event.id") if member.inner is None else pl.concat_str(pl.lit(f"{slot}/"), "event.id")
    return frame.select(
        pl.lit(slot, pl.Int32).alias("slot"),
        pl.int_range(pl.len(), dtype=pl.Int32).alias("row"),
        event.alias("event"),
        "time",
        *keys,
        *values,
    )


def text(name: str) -> pl.Expr:
    """Return a field as it is compared: in any case of letters."""
    return pl.col(f"{FIELD}{name}").cast(pl.String).str.to_lowercase()


def _once(linked: Linked, frame: pl.DataFrame) -> pl.DataFrame:
    """Keep an event once where it is counted once, though several of the rules match it, or several terms of one."""
    if linked.rule.type in TEMPORAL or _plain(linked):
        return frame
    values = [_value(number) for number in range(len(linked.rule.fields))]
    return frame.unique(["event", *_keys(linked), *values], keep="first", maintain_order=True)


def _parts(linked: Linked, matches: Matches, within: Intervals | None, horizon: int | None) -> Iterator[Part]:
    """Yield the windows of which the condition holds."""
    rule = linked.rule
    if rule.terms:
        yield from _extended(linked, matches, within, horizon)
        return
    windows = trailing(matches, linked.span, within)
    if linked.waits and horizon is not None:
        windows = windows.where(windows.stop <= horizon)
    if rule.type in ("value_percentile", "value_median"):
        values = metrics.numbers(matches, _value(0))
        yield Part(windows.where(metrics.ranked(values, windows, rule.percentile, rule.bounds)), None)
        return
    metric = _metric(linked, matches, windows)
    chosen = holds(metric, rule.bounds)
    yield Part(windows.where(chosen), metric[chosen])


def _metric(linked: Linked, matches: Matches, windows: Windows) -> Reals:
    rule, count = linked.rule, len(linked.members)
    match rule.type:
        case "event_count":
            return metrics.events(windows)
        case "value_count":
            return metrics.distinct(matches, windows, [_value(number) for number in range(len(rule.fields))])
        case "temporal":
            return metrics.members(matches, windows, count)
        case "temporal_ordered":
            return sequence.longest(matches, windows, count)
        case _:
            return metrics.totals(metrics.numbers(matches, _value(0)), windows, average=rule.type == "value_avg")


def _extended(linked: Linked, matches: Matches, within: Intervals | None, horizon: int | None) -> Iterator[Part]:
    """Yield the windows of an extended condition: with an absence they begin with a match, else they end with one."""
    rule, span, count = linked.rule, linked.span, len(linked.members)
    without = [term for term in rule.terms if not term.absent]
    if without:
        windows = trailing(matches, span, within)
        if linked.waits and horizon is not None:
            windows = windows.where(windows.stop <= horizon)
        chosen = np.logical_or.reduce([_true(rule.type, term, matches, windows) for term in without])
        windows = windows.where(chosen)
        yield Part(windows, metrics.members(matches, windows, count))
    for term in rule.terms:
        if term.absent:
            windows = forward(matches, term.present, span, within)
            if horizon is not None:
                windows = windows.where(windows.stop <= horizon)
            windows = windows.where(_true(rule.type, term, matches, windows))
            yield Part(windows, metrics.members(matches, windows, count))


def _true(kind: str, term: Term, matches: Matches, windows: Windows) -> Flags:
    """Say of which windows a term holds."""
    if kind == "temporal_ordered":
        found = sequence.inorder(matches, windows, term.present)
    else:
        found = np.logical_and.reduce([metrics.present(matches, windows, slot) for slot in term.present])
    for slot in term.absent:
        found &= ~metrics.present(matches, windows, slot)
    return found


def covered(alerts: Alerts, part: int, windows: Numbers, owner: Numbers) -> Iterator[tuple[Member, Numbers, Numbers]]:
    """Yield the matches that some of the alerts are made of, down to those of detection rules.

    `windows` numbers the alerts of a part and `owner` says whose each is. Yields a member, owners, and rows of the
    frame that `recall` gave for it; a row may come more than once.
    """
    owners, places = _slices(alerts.parts[part].windows, windows, owner)
    slots, rows = alerts.matches.slot[places], alerts.matches.frame["row"].to_numpy()[places]
    for slot, member in enumerate(alerts.linked.members):
        own = slots == slot
        if not own.any():
            continue
        if member.inner is None:
            yield member, owners[own], rows[own]
        else:
            yield from _covered_inner(alerts.inner[slot], rows[own], owners[own])


def _covered_inner(inner: Alerts, rows: Numbers, owners: Numbers) -> Iterator[tuple[Member, Numbers, Numbers]]:
    begin = 0
    for part, made in enumerate(inner.parts):
        own = (rows >= begin) & (rows < begin + len(made.windows))
        if own.any():
            yield from covered(inner, part, rows[own] - begin, owners[own])
        begin += len(made.windows)


def _slices(windows: Windows, chosen: Numbers, owner: Numbers) -> tuple[Numbers, Numbers]:
    """Return owners and places of all matches in the chosen windows, each once for an owner."""
    order = np.lexsort((chosen, owner))
    chosen, owner = chosen[order], owner[order]
    first, end = windows.first[chosen], windows.end[chosen]
    same = np.zeros(len(chosen), np.bool_)
    same[1:] = owner[1:] == owner[:-1]
    first[1:] = np.where(same[1:], np.maximum(first[1:], end[:-1]), first[1:])  # the rest came with the window before
    length = np.maximum(end - first, 0)
    begins = np.cumsum(length) - length
    places = np.arange(int(length.sum())) - np.repeat(begins - first, length)
    return np.repeat(owner, length), places
