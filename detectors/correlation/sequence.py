"""Rules that match one after the other, each strictly later than the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.correlation.windows import Flags, Matches, Numbers, Reals, Windows


def longest(matches: Matches, windows: Windows, count: int) -> Reals:
    """Count the members that match in their order within each window; some may be left out.

    Of all ways to have so many in order, the one that is over first leaves most room for the others.
    """
    never = np.iinfo(np.int64).max
    over = np.full((count + 1, len(windows)), never, np.int64)  # the key when so many have matched in order, at best
    over[0] = windows.opening - 1
    for slot in range(count):
        keys = matches.key[matches.slot == slot]
        for length in range(slot, -1, -1):
            over[length + 1] = np.minimum(over[length + 1], _next(keys, over[length], windows))
    return np.asarray((over != never).sum(axis=0) - 1, np.float64)


def inorder(matches: Matches, windows: Windows, slots: Sequence[int]) -> Flags:
    """Say in which windows all these members match in this order."""
    at = windows.opening - 1
    for slot in slots:
        at = _next(matches.key[matches.slot == slot], at, windows)
    return np.asarray(at != np.iinfo(np.int64).max)


def _next(keys: Numbers, after: Numbers, windows: Windows) -> Numbers:
    """Return for each window the first of the keys after another one, as long as it lies in the window."""
    never = np.iinfo(np.int64).max
    at = np.searchsorted(keys, after, side="right")
    found = np.append(keys, never)[at]
    return np.where(found <= windows.closing, found, never)
