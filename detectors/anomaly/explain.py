"""Why a window is an anomaly: the features that count, put back to usual one by one until the score is normal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.anomaly.baseline import counted
from detectors.anomaly.featureset import Feature, FeatureSet
from detectors.anomaly.model import Matrix
from detectors.numbers import number

Scorer = Callable[[Matrix], npt.NDArray[np.float64]]


def named_features(score: Scorer, rows: Matrix, thresholds: Sequence[float]) -> list[tuple[list[int], bool]]:
    """Return per row the features that count, the weightiest first, and whether without their excess it is normal.

    Greedy: each step puts that feature back to usual whose return lowers the score most. The trials of all rows are
    scored together, because detectors take about as long for a thousand as for one.
    """
    current, chosen = rows.copy(), [list[int]() for _ in rows]
    explained = [False] * len(rows)
    at_work = list(range(len(rows)))
    while at_work:
        left = {at: np.flatnonzero(np.abs(current[at]) > 1e-9).tolist() for at in at_work}
        trials = [np.repeat(current[at][None, :], max(len(left[at]), 1), axis=0) for at in at_work]
        for at, rows_ in zip(at_work, trials, strict=True):
            rows_[np.arange(len(left[at])), left[at]] = 0.0
        scores = np.split(score(np.concatenate(trials)), np.cumsum([len(each) for each in trials])[:-1])
        going = []
        for at, rows_, values in zip(at_work, trials, scores, strict=True):
            best = int(values.argmin())
            current[at] = rows_[best]
            chosen[at] += left[at][best : best + 1]
            explained[at] = bool(values[best] < thresholds[at])
            if not explained[at] and left[at]:
                going.append(at)
        at_work = going
    return list(zip(chosen, explained, strict=True))


@dataclass(frozen=True, slots=True)
class Told:
    """One feature of an anomaly: what was seen, and what is usual."""

    feature: Feature
    seen: float
    usual: tuple[float, float]
    peers: tuple[float, float] | None
    own: bool  # `usual` is the entity's own range, not its peers'

    def text(self, lang: str) -> str:
        """Return `source addresses: 9, usually 1–2 (peers 1–3)`."""
        word = self.feature.words.get(lang)
        usually = {"en": "usually", "vi": "thường ngày"}[lang]
        among = {"en": "among peers", "vi": "ở nhóm tương đương"}[lang]
        peers = {"en": "peers", "vi": "nhóm tương đương"}[lang]
        usual = f"{usually if self.own else among} {spread(self.usual, lang)}"
        beside = f" ({peers} {spread(self.peers, lang)})" if self.own and self.peers else ""
        return f"{word}: {number(self.seen, lang)}, {usual}{beside}"

    def document(self) -> dict[str, Any]:
        words = self.feature.words
        return {
            "feature": self.feature.name,
            "words": {"en": words.en, "vi": words.vi},
            "seen": round(self.seen, 3),
            "usual": [round(each, 3) for each in self.usual],
            "peers": [round(each, 3) for each in self.peers] if self.peers else None,
            "own": self.own,
        }


def told(chosen: FeatureSet, row: dict[str, Any], numbers: Sequence[int], enough: int) -> list[Told]:
    """Say of features (by their numbers) what was seen and usual; `row` is one of `deviations`."""
    own = (row["history"] or 0) >= enough
    return [_told(chosen.features[at], row, own=own) for at in numbers]


def _told(feature: Feature, row: dict[str, Any], *, own: bool) -> Told:
    peers = _back(feature, row[f"peer low {feature.name}"], row[f"peer high {feature.name}"])
    mine = _back(feature, row[f"low {feature.name}"], row[f"high {feature.name}"]) if own else None
    return Told(feature, row[feature.name] or 0.0, mine or peers or (0.0, 0.0), peers, own=mine is not None)


def _back(feature: Feature, low: float | None, high: float | None) -> tuple[float, float] | None:
    if low is None or high is None:
        return None
    if not counted(feature):
        return low, high
    pair = float(np.expm1(low)), float(np.expm1(high))
    # quantiles may lie between two counts, but nobody opens 4.2 records
    return pair if feature.sum else (round(pair[0]), round(pair[1]))


def spread(pair: Sequence[float], lang: str) -> str:
    """Return a range as that language writes it: 3–7, or 3 where both ends are."""
    low, high = (number(each, lang) for each in pair)
    return low if low == high else f"{low}–{high}"
