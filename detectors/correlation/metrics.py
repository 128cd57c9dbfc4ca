"""What is counted, added up or ranked in each window.

Windows come in order, so that `first` and `end` never fall: what a match adds to each window is then one stretch of
windows, and everything here is a few passes of sorting and adding over all matches and windows at once.
Sums are exact: they are taken of whole numbers, and rounded once. So they depend on the window alone, not on what else
was read with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.correlation.condition import holds
from detectors.correlation.rule import Bound
from detectors.correlation.windows import Flags, Matches, Numbers, Reals, Windows

_EXACT = float(2**53)  # up to here doubles are whole numbers without gaps
_Which = npt.NDArray[np.int64]


def events(windows: Windows) -> Reals:
    """Count the matches; one event stands once among them."""
    return (windows.end - windows.first).astype(np.float64)


def members(matches: Matches, windows: Windows, count: int) -> Reals:
    """Count the members that have a match."""
    return np.asarray(np.sum([present(matches, windows, slot) for slot in range(count)], axis=0, dtype=np.float64))


def present(matches: Matches, windows: Windows, slot: int) -> Flags:
    """Say whether a member has a match in each window."""
    seen = np.concatenate([[0], np.cumsum(matches.slot == slot)])
    return np.asarray(seen[windows.end] > seen[windows.first])


def distinct(matches: Matches, windows: Windows, fields: Sequence[str]) -> Reals:
    """Count the distinct values of fields; of several fields their combinations. A missing value is none."""
    key = ["group", *fields]
    values = matches.frame.select(key).with_row_index("at").drop_nulls().sort(*key, "at")
    same = values.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in key)).to_series()
    at = values["at"].to_numpy().astype(np.int64)
    before = np.full(len(at), -1, np.int64)  # where the value stood last
    before[1:] = np.where(same[1:].to_numpy(), at[:-1], -1)
    # a match counts in the windows that hold it and not the one before
    begin = np.maximum(
        np.searchsorted(windows.end, at, side="right"), np.searchsorted(windows.first, before, side="right")
    )
    end = np.searchsorted(windows.first, at, side="right")
    counts = begin < end
    change = np.zeros(len(windows) + 1, np.int64)
    np.add.at(change, begin[counts], 1)
    np.add.at(change, end[counts], -1)
    return np.cumsum(change)[:-1].astype(np.float64)


def numbers(matches: Matches, field: str) -> Reals:
    """Read a field as numbers; what is none, or isn't finite, is nan."""
    text = matches.frame[field].cast(pl.String).str.strip_chars()
    plain = text.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
    read = pl.select(pl.when(plain).then(text)).to_series().cast(pl.Float64, strict=False).fill_null(float("nan"))
    values = read.to_numpy()
    return np.where(np.isfinite(values), values, np.nan)


def totals(values: Reals, windows: Windows, *, average: bool) -> Reals:
    """Add up the values of each window, or average them; nan where there is none."""
    known = ~np.isnan(values)
    count = _counted(known, windows)
    plain = np.where(known, values, 0.0)
    if np.abs(plain).sum() < _EXACT and (plain == np.floor(plain)).all():
        sums = np.concatenate([[0], np.cumsum(plain.astype(np.int64))])
        total = (sums[windows.end] - sums[windows.first]).astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(count > 0, total / count if average else total, np.nan)
    parts = [value.as_integer_ratio() for value in plain.tolist()]
    unit = max((below for _, below in parts), default=1)  # powers of two all of them
    whole = np.array([0, *(above * (unit // below) for above, below in parts)], object).cumsum()
    found = zip((whole[windows.end] - whole[windows.first]).tolist(), count.tolist(), strict=True)
    return np.array([_quotient(total, unit * (n if average else 1)) if n else np.nan for total, n in found], np.float64)


def _quotient(total: int, unit: int) -> float:
    try:
        return total / unit
    except OverflowError:
        return float("inf") if total > 0 else float("-inf")


def ranked(values: Reals, windows: Windows, percentile: float, bounds: Sequence[Bound]) -> Flags:
    """Say of which windows all bounds hold of the percentile, without sorting any of them.

    The percentile lies between the values of two ranks, `low` and `high`; how many values are below a limit tells on
    which side of it they are. Only where the limit lies between the two are the values themselves looked up.
    """
    result = np.ones(len(windows), np.bool_)
    count = _counted(~np.isnan(values), windows)
    ranks = _rank(count, percentile)
    for bound in bounds:
        result &= holds(_side(values, windows, ranks, bound.limit), (Bound(bound.operator, 0.0),))
    return result & (count > 0)


@dataclass(frozen=True, slots=True)
class _Ranks:
    """Where the percentile of some values lies: `part`/`whole` of the way from the value of rank `low` to the next."""

    low: Numbers
    part: Numbers
    whole: int

    @property
    def high(self) -> Numbers:
        return self.low + (self.part > 0)


def _rank(count: Numbers, percentile: float) -> _Ranks:
    exact = Fraction(str(percentile)) / 100
    low, part = np.divmod((np.maximum(count, 1) - 1) * exact.numerator, exact.denominator)
    return _Ranks(low, part, exact.denominator)


def _side(values: Reals, windows: Windows, ranks: _Ranks, limit: float) -> Reals:
    """Say for each window whether the percentile is below the limit (-1), the limit (0) or above it (1)."""
    below, upto = (_counted(flags, windows) for flags in (values < limit, values <= limit))
    side = np.where(below > ranks.high, -1.0, np.where(upto <= ranks.high, 1.0, 0.0))
    chosen = np.flatnonzero((below > ranks.low) & (below <= ranks.high))
    left = _extreme(np.where(values < limit, values, -np.inf), windows, chosen, np.maximum)
    right = _extreme(np.where(values >= limit, values, np.inf), windows, chosen, np.minimum)
    distance = _between(left, right, ranks.part[chosen] / ranks.whole) - limit
    close = np.abs(distance) <= 1e-9 * np.maximum(np.abs(left), np.abs(right))  # too near for doubles to tell
    for at in np.flatnonzero(close).tolist():
        share = Fraction(int(ranks.part[chosen[at]]), ranks.whole)
        distance[at] = Fraction(left[at]) * (1 - share) + Fraction(right[at]) * share - Fraction(limit)
    side[chosen] = np.sign(distance)
    return side


def percentiles(values: Reals, windows: Windows, percentile: float) -> Reals:
    """Return the percentile of each window, which takes as long as the windows are."""
    found = np.full(len(windows), np.nan)
    for number, (first, end) in enumerate(zip(windows.first.tolist(), windows.end.tolist(), strict=True)):
        part = values[first:end]
        part = part[~np.isnan(part)]
        if part.size:
            ranks = _rank(np.array([part.size]), percentile)
            low, high = ranks.low[0], ranks.high[0]
            placed = np.partition(part, [low, high])
            found[number] = _between(placed[low], placed[high], ranks.part[0] / ranks.whole)
    return found


def _between(left: Reals, right: Reals, share: Reals) -> Reals:
    return left * (1 - share) + right * share


def _counted(flags: Flags, windows: Windows) -> Numbers:
    sums = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(sums[windows.end] - sums[windows.first])


def _extreme(values: Reals, windows: Windows, chosen: _Which, pick: Callable[[Reals, Reals], Reals]) -> Reals:
    """Return the extreme value of each chosen window, from those of stretches of 1, 2, 4, 8 … matches."""
    first, end = windows.first[chosen], windows.end[chosen]
    level = np.floor(np.log2(np.maximum(end - first, 1))).astype(np.int64)
    found, width = np.empty(len(chosen)), 1
    for step in range(int(level.max(initial=-1)) + 1):
        at = level == step
        found[at] = pick(values[first[at]], values[end[at] - width])
        if len(values) > width:
            values = pick(values[:-width], values[width:])
        width *= 2
    return found
