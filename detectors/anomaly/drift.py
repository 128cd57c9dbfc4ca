"""Drift: whether what comes in still looks like what a model was trained on (population stability index)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from detectors.anomaly.model import Matrix
from detectors.anomaly.parts import Words
from detectors.numbers import number

EDGES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # spreads; the bins of every feature's distances
DECILES: Final = np.linspace(0, 1, 11)
RUSH: Final = 3.0  # times the budget
SCORES: Final = Words(en="strangeness of all windows", vi="mức lạ của mọi kỳ")
SHIFTED: Final = 0.25  # a PSI above this is called a major shift by everyone who uses the index


def shares(rows: Matrix) -> list[list[float]]:
    """Return per feature the share of windows in each bin of distance."""
    counts = [np.bincount(np.digitize(np.abs(column), EDGES), minlength=len(EDGES) + 1) for column in rows.T]
    return [(count / max(count.sum(), 1)).round(6).tolist() for count in counts]


def stability(before: list[list[float]], rows: Matrix) -> list[float]:
    """Return per feature the PSI of these windows against the shares of training."""
    smallest = 0.5 / max(len(rows), 1)
    old = np.maximum(np.array(before), smallest)
    new = np.maximum(np.array(shares(rows)), smallest)
    index: list[float] = ((new - old) * np.log(new / old)).sum(axis=1).round(4).tolist()
    return index


def uniformity(p_values: Matrix) -> float:
    """Return the PSI of p-values against an even spread, which those of normal windows have."""
    known = p_values[np.isfinite(p_values)]
    counts = np.histogram(known, DECILES)[0]
    share = np.maximum(counts / max(len(known), 1), 0.5 / max(len(known), 1))
    even = np.full(len(counts), 1 / len(counts))
    return float(((share - even) * np.log(share / even)).sum()) if len(known) else 0.0


@dataclass(frozen=True, slots=True)
class Drift:
    """How windows look to a model, against those that it was trained and calibrated on."""

    features: dict[str, float]  # PSI of each
    scores: float  # PSI of the p-values against an even spread
    alarms: int  # anomalies, also those beyond the budget
    allowed: float  # anomalies that the budget has for as many days
    words: Mapping[str, Words]  # of the features

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """Return what has shifted, in both languages."""
        moved = sorted((each for each in self.features.items() if each[1] > SHIFTED), key=lambda each: -each[1])
        shifted = [(self.words[name], index) for name, index in moved]
        if self.scores > SHIFTED:
            shifted.append((SCORES, self.scores))
        found = [(f"{words.en} (PSI {number(index, 'en')})", f"{words.vi} (PSI {number(index, 'vi')})")
                 for words, index in shifted]  # fmt: skip
        if self.alarms > RUSH * self.allowed + 1:
            found.append(
                (f"{self.alarms} anomalies where {self.allowed:.0f} are expected",
                 f"{self.alarms} bất thường trong khi dự kiến {self.allowed:.0f}")
            )  # fmt: skip
        return found
