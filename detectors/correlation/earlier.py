"""What was told before of a correlation, and what of its alerts is new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from detectors.contracts import Intervals
from detectors.correlation.evaluate import FIELD, Alerts, among, evaluate
from detectors.correlation.events import gathered, placed
from detectors.correlation.link import Linked
from detectors.correlation.windows import Flags, Numbers, distinct

PIECE = 100_000  # events that are told of at once, if they are of several findings


@dataclass(frozen=True, slots=True)
class Earlier:
    """Alerts that were told before, and the matches that they are made of."""

    alerts: Alerts
    matches: Mapping[str, pl.DataFrame]
    among: bool = False  # whether they are among the matches of what is told now, and so of one group and row with them

    def of(self, alerts: Alerts, seconds: int) -> pl.DataFrame:
        """Return the events of some of the alerts: finding by finding, as what is told now can be told by."""
        numbered = self.among and len(alerts.linked.members) == 1  # of several rules one event has several rows
        if numbered and (places := placed(alerts, seconds)) is not None:
            return places
        names = ("number", "anchor", "row") if numbered else ("group", "anchor", "event.id")
        return gathered(alerts, self.matches, seconds).select(names)


def earlier(
    alerts: Alerts,
    frames: Mapping[str, pl.DataFrame],
    within: Intervals | None,
    left: Callable[[Alerts], Alerts],
) -> Earlier:
    """Return alerts that were told before: most of those whose events alerts within these times may share.

    The matches are those at hand, so windows that begin before them are missed; what they hold is told again. `left`
    says what exceptions leave of alerts.
    """
    linked = alerts.linked
    told = among(alerts, lambda member: frames[member.id]["told"].to_numpy(), within)
    if told is not None:
        return Earlier(told, frames, among=True)
    matches = {rule: frame.filter("told").select(_asked_for(linked, rule)) for rule, frame in frames.items()}
    return Earlier(evaluate(linked, lambda member: matches[member.id], within, None, left), matches)


def fresh(events: pl.DataFrame, known: pl.DataFrame, *, anew: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events of findings that are told, and the events that were not told before.

    Findings that were told stand there: their new matches are all that is to be told. With `anew` they are told again,
    for they may have been muted, and anything new may be loud.
    """
    rows, key = "row" in known.columns, known.columns[:2]
    new = events.filter(~_among(events, known, "row")) if rows else events.join(known, on=known.columns, how="anti")
    if anew:
        return events.join(new.select(key).unique(), on=key, how="semi"), new
    if rows:
        return events.filter(~_among(events, known, "number")), new
    return events.join(known.select(key).unique(), on=key, how="anti"), new


def pieces(events: pl.DataFrame, new: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cut events, and the new ones, into such of some findings each, so that a million need no more room than some."""
    if new.height <= PIECE:
        yield events, new
        return
    key = ["number", "anchor"]
    counts = new.group_by(key, maintain_order=True).len()
    piece = counts.select(*key, (pl.col("len").cum_sum() // PIECE).alias("piece"))

    def cut(frame: pl.DataFrame) -> dict[tuple[object, ...], pl.DataFrame]:
        part = frame.join(piece, on=key, how="inner", maintain_order="left")
        return part.partition_by("piece", as_dict=True, include_key=False, maintain_order=True)

    fresh = cut(new)
    of = fresh if events is new else cut(events)
    for name, some in fresh.items():
        yield of.get(name, events.clear()), some


def _among(events: pl.DataFrame, known: pl.DataFrame, column: str) -> Flags:
    """Say of which events the anchor and the row, or the group's number, are known."""
    anchors = distinct(np.sort(np.concatenate([each["anchor"].to_numpy() for each in (events, known)])))
    width = 1 + max(each[column].to_numpy().max(initial=0) for each in (events, known))

    def keys(frame: pl.DataFrame) -> Numbers:
        return np.asarray(np.searchsorted(anchors, frame["anchor"].to_numpy()) * width + frame[column].to_numpy())

    asked, there = keys(events), distinct(np.sort(keys(known)))  # `np.isin` takes several times the room
    if not there.size:
        return np.zeros(asked.size, np.bool_)
    return np.asarray(there[np.minimum(np.searchsorted(there, asked), there.size - 1)] == asked)


def _asked_for(linked: Linked, rule: str) -> list[str]:
    """Return the columns of a rule's matches that decide on alerts."""
    names = {name for leaf in linked.leaves() if leaf.id == rule for name in (*leaf.group, *leaf.fields)}
    return ["event.id", "time", *(f"{FIELD}{name}" for name in sorted(names))]
