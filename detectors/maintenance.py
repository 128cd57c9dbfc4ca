"""Maintenance: times when matches are expected, and make no findings.

They are matches all the same, so correlations and risk see them. The time of the event decides, not that of the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.contracts import Hits
from detectors.findings import Detection
from detectors.schema import LEVELS, ORGANISATION
from detectors.sigma import glob

HOST: Final = "host.name"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Window:
    """One time of maintenance; whose, and of what. What is left empty is everything."""

    name: str
    begin: datetime
    end: datetime  # not included
    every: timedelta | None = None  # comes again after so long
    until: datetime | None = None  # and no more from then on
    rules: frozenset[str] = frozenset()  # ids and titles, in lower case
    hosts: tuple[str, ...] = ()  # with wildcards, in lower case
    organisations: frozenset[str] = frozenset()  # ids and names, in lower case
    level: str = "high"  # no match above it is silenced


class Calendar:
    """Windows, ready to be asked about hits."""

    def __init__(self, windows: Sequence[Window] = ()) -> None:
        self.windows = tuple(windows)

    @property
    def wanted(self) -> frozenset[str]:
        """Name the columns that windows look at."""
        return frozenset((HOST, *ORGANISATION)) if self.windows else frozenset()

    def silenced(self, events: pl.DataFrame, hits: Hits, detections: Sequence[Detection]) -> dict[int, str]:
        """Return which hits (by their places) make no finding, and why: the first window that covers them."""
        found: dict[int, str] = {}
        for window in reversed(self.windows):
            covered = _covered(window, events)
            if covered.any():
                ruled = {rule for rule in np.unique(hits.rule).tolist() if _of(window, detections[rule])}
                there = covered[hits.row] & np.isin(hits.rule, np.fromiter(ruled, np.int64))
                found |= dict.fromkeys(np.flatnonzero(there).tolist(), f"maintenance: {window.name}")
        return found


def _of(window: Window, detection: Detection) -> bool:
    """Say whether a window is about a rule."""
    meta = detection.meta
    named = not window.rules or not window.rules.isdisjoint((meta.id.lower(), meta.title.lower()))
    return named and LEVELS.index(meta.level) <= LEVELS.index(window.level)


def _covered(window: Window, events: pl.DataFrame) -> Mask:
    """Say which events happened in a window, where it is about; what has no time or no host was not there."""
    terms = [_within(window)]
    if window.hosts:
        terms.append(_any(HOST, events, "|".join(glob.regex(pattern) for pattern in window.hosts)))
    if window.organisations:
        pattern = "|".join(glob.regex(glob.quote(name)) for name in window.organisations)
        terms.append(pl.any_horizontal(_any(name, events, pattern) for name in ORGANISATION))
    held = events.with_columns(pl.all_horizontal(terms).fill_null(value=False).alias("covered"))["covered"]
    covered: Mask = held.to_numpy()
    return covered


def _within(window: Window) -> pl.Expr:
    time = pl.col("@timestamp")
    if window.every is None:
        return (time >= window.begin) & (time < window.end)
    since = (time - window.begin).dt.total_microseconds()
    lasts, every = ((part // timedelta(microseconds=1)) for part in (window.end - window.begin, window.every))
    again = (since >= 0) & (since % every < lasts)
    return again if window.until is None else again & (time < window.until)


def _any(name: str, events: pl.DataFrame, pattern: str) -> pl.Expr:
    if name not in events.columns:
        return pl.lit(value=False)
    return pl.col(name).cast(pl.String).str.to_lowercase().str.contains(pattern).fill_null(value=False)
