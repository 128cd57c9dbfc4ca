"""Which windows a model learns from, and which it is calibrated on: told by each window's name, and by nothing else.

A window's entity and begin make a number, and the number says what the window is for (permanent random numbers: Brewer,
Early and Joyce 1972). So another day in the archive adds its own windows and leaves the others where they are: a model
of a period a day longer is nearly the same model, which it would not be if windows were drawn by their row.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

SAMPLE: Final = 6_000  # windows that detectors are fitted to; neighbours of more cost more than they tell
HELD: Final = 30_000  # windows that the scores are calibrated on; the threshold is told by the strangest few of them
SHARE: Final = 0.3  # of the windows, at least, is calibrated on

Numbers = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]


def split(windows: pl.DataFrame, seed: int, sample: int = SAMPLE, held: int = HELD) -> tuple[Places, Places]:
    """Return the rows to learn from and those to calibrate on; `windows` has `entity` and `window`, each pair once.

    The sample has places, each for the least number of those that fall to it; so a window that goes makes room for one
    other at most, and detectors that draw from the sample by place draw the same ones.
    """
    number = names(windows, seed)
    place = number % np.uint64(sample)
    to_learn = np.flatnonzero(number >= np.uint64(SHARE * 2**64))
    ordered = to_learn[np.lexsort((number[to_learn], place[to_learn]))]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = place[ordered][1:] != place[ordered][:-1]
    learnt = ordered[first]
    others = np.ones(len(number), dtype=bool)
    others[learnt] = False
    rest = np.flatnonzero(others)
    return learnt, np.sort(rest[np.argsort(number[rest], kind="stable")][:held])


def names(windows: pl.DataFrame, seed: int) -> Numbers:
    """Return a number of 64 bits per row that looks random, and is the same wherever and whenever it is made."""
    known = windows["entity"].unique().sort()
    numbers = [_number(entity, seed) for entity in known]
    who = windows["entity"].replace_strict(known, pl.Series(numbers, dtype=pl.UInt64), return_dtype=pl.UInt64)
    when = windows["window"].dt.epoch("us").cast(pl.UInt64)
    return _mixed(who.to_numpy() ^ _mixed(when.to_numpy()))


def _number(entity: str, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(f"{seed}\n{entity}".encode(), digest_size=8).digest(), "little")


def _mixed(numbers: Numbers) -> Numbers:
    """Mix the bits as SplitMix64 does (Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        made = numbers + np.uint64(0x9E3779B97F4A7C15)
        made = (made ^ (made >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        made = (made ^ (made >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return made ^ (made >> np.uint64(31))
