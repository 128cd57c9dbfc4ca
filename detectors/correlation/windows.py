"""Matches in order of group and time, and the windows over them.

A match's key is its group and its time, as one number: times are numbered in their order, so that keys are small. All
that a window holds is then a slice of the matches, from `first` up to `end`, and no window is ever walked through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.contracts import Intervals, inside

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches of all members, in order of group and time.

    The frame has `row` (where the match stands among those of its member), `group` and the values.
    """

    frame: pl.DataFrame
    groups: pl.DataFrame  # the keys of each group
    group: Numbers  # of each match
    time: Numbers
    slot: Numbers  # the number of the member
    key: Numbers
    times: Numbers  # the distinct times, in order, and maybe others

    @property
    def width(self) -> int:
        """What a group's keys take of the numbers."""
        return len(self.times) + 1

    def where(self, chosen: Flags) -> Matches:
        """Return those of the matches that are chosen."""
        group, time, slot, key = (each[chosen] for each in (self.group, self.time, self.slot, self.key))
        return Matches(self.frame.filter(chosen), self.groups, group, time, slot, key, self.times)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows over matches, in order of group and time; each holds the matches from `first` up to `end`."""

    group: Numbers
    start: Numbers  # times, both belong to the window
    stop: Numbers
    first: Numbers
    end: Numbers
    opening: Numbers  # the keys of start and stop
    closing: Numbers

    def __len__(self) -> int:
        return len(self.group)

    def where(self, chosen: Flags) -> Windows:
        """Return those of the windows that are chosen."""
        return Windows(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def ordered(frame: pl.DataFrame, keys: Sequence[str]) -> Matches:
    """Put matches in order; those without a time or without a group are left out: they never correlate."""
    frame = frame.drop_nulls(["time", *keys])
    groups = frame.select(keys).unique() if keys else pl.DataFrame({"all": [0]})
    group, time = _numbered(frame, keys, groups), frame["time"].to_numpy()
    times = distinct(np.sort(time))
    key = group * (len(times) + 1) + np.searchsorted(times, time)
    order = _order(frame, key)
    group, time, key = group[order], time[order], key[order]
    slot = frame["slot"].to_numpy()[order].astype(np.int64)
    frame = frame.drop("slot", "time", "event", *keys)[order].with_columns(pl.Series("group", group))
    return Matches(frame, groups, group, time, slot, key, times)


def _numbered(frame: pl.DataFrame, keys: Sequence[str], groups: pl.DataFrame) -> Numbers:
    """Return the number of each match's group."""
    if not keys:
        return np.zeros(frame.height, np.int64)
    found = frame.select(keys).join(groups.with_row_index("group"), on=keys, how="left", maintain_order="left")
    return found["group"].to_numpy().astype(np.int64)


def _order(frame: pl.DataFrame, key: Numbers) -> Numbers:
    """Return the order of matches: by key, and only where keys are equal by member and event, which takes longer."""
    order = np.argsort(key, kind="stable")
    same = np.diff(key[order]) == 0
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(tied):
        places = order[tied]
        among = frame[places].select("slot", "event", pl.Series("key", key[places]), pl.Series("place", places))
        order[tied] = among.sort("key", "slot", "event", maintain_order=True)["place"].to_numpy()
    return order


def trailing(matches: Matches, span: int, within: Intervals | None) -> Windows:
    """Return the windows that end with a match: of `span` before it, both ends included."""
    return _windows(matches, matches.key, -span, within)


def forward(matches: Matches, slots: Sequence[int], span: int, within: Intervals | None) -> Windows:
    """Return the windows that begin with a match of one of the slots, and end `span` after it."""
    return _windows(matches, matches.key[np.isin(matches.slot, slots)], span, within)


def distinct(numbers: Numbers) -> Numbers:
    """Return numbers that are in order, each once. `np.unique` hashes them, and takes minutes for some millions."""
    return numbers[changes(numbers)]


def changes(numbers: Numbers) -> Flags:
    """Say of each number whether it differs from the one before."""
    differs = np.ones(len(numbers), np.bool_)
    differs[1:] = numbers[1:] != numbers[:-1]
    return differs


def _windows(matches: Matches, anchors: Numbers, span: int, within: Intervals | None) -> Windows:
    keys = distinct(anchors)
    group, rank = np.divmod(keys, matches.width)
    anchor = matches.times[rank]
    start, stop = anchor + min(span, 0), anchor + max(span, 0)
    chosen = inside(stop, within)
    group, start, stop = group[chosen], start[chosen], stop[chosen]
    # one of both is the anchor
    at = keys[chosen]
    opening = at if span >= 0 else group * matches.width + np.searchsorted(matches.times, start)
    closing = at if span <= 0 else group * matches.width + np.searchsorted(matches.times, stop, side="right") - 1
    first = np.searchsorted(matches.key, opening)
    end = np.searchsorted(matches.key, closing, side="right")
    return Windows(group, start, stop, first, end, opening, closing)
