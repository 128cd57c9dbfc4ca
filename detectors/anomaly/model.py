"""A model: PyOD detectors fitted to the deviations of normal windows, and what their scores mean.

What is kept of a model is data only: the training sample, the scores of held-back normal windows, names and a seed.
The detectors are fitted again from the sample when the model is used, which takes a second, gives the same scores, and
leaves no pickle to trust.

Scores of the detectors are put on one scale by their training scores and averaged (PyOD's `average`, after
`standardizer`: Aggarwal and Sathe 2015). A score becomes a p-value by the share of held-back windows that score as high
(conformal, Laxhammar 2014); beyond the highest of them by an exponential tail of the excesses (Pickands 1975).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from detectors.errors import UsageError

Matrix = npt.NDArray[np.float64]

LEAST: Final = 50  # rows without which nothing can be learnt
NARROW: Final = 0.5  # a feature that hardly ever moves is not strange when it moves a little
TAIL: Final = 0.05  # share of the calibration scores that the tail is fitted to
SLICE: Final = 20_000  # rows scored at once
# Chosen by `soc bench anomaly`: see docs/anomaly.md.
ENSEMBLE: Final = ("KNN", "GMM", "INNE")
MODULES: Final = {name: f"pyod.models.{name.lower()}" for name in
                  ("ECOD", "COPOD", "HBOS", "IForest", "PCA", "LOF", "KNN", "GMM", "INNE")}  # fmt: skip
SEEDED: Final = frozenset({"IForest", "PCA", "GMM", "INNE"})
# A feature that is nearly always as usual has hardly any variance, and detectors call a window strange that is a hair
# away from it. Deviations are known to have a width, so the mixture is told that they have; and a window that nobody is
# told of must not tell what is strange either: it ranks below all others. Of a rare kind of window the sample has about
# as many as a budget lets by, and the distance to the fifth neighbour jumps when one of them goes: so it is the mean
# distance to several times as many neighbours.
Options: TypeAlias = Mapping[str, Mapping[str, float | str]]
NONE: Final[Options] = {}
WIDE: Final[Options] = {
    "GMM": {"reg_covar": 0.1},  # variance of each feature within a component, at least
    "KNN": {"n_neighbors": 20, "method": "mean"},
}
WORTH: Final = 3.0  # spreads by which some feature of a window that is told must be away from usual
BELOW: Final = 1_000.0  # more than any two scores differ by
OPTIONS: Final = {"worth": WORTH, **WIDE}  # what a model was made with besides


def detector(name: str, seed: int, **options: float | str) -> Any:  # noqa: ANN401  PyOD has no types
    """Make a PyOD detector with its own defaults, but for `options`."""
    made = getattr(import_module(MODULES[name]), name)
    return made(random_state=seed, **options) if name in SEEDED else made(**options)


def _sklearn() -> Any:  # noqa: ANN401  scikit-learn has no types, and takes a second to import
    return import_module("sklearn")


class Ensemble:
    """Several detectors, one score: the mean of their standard scores. Deterministic for a sample and a seed.

    `options` of detectors differ from PyOD's defaults where the rows are known to be deviations (WIDE).
    """

    def __init__(
        self,
        sample: Matrix,
        names: tuple[str, ...] = ENSEMBLE,
        seed: int = 0,
        options: Options = NONE,
    ) -> None:
        self._centre, self._scale = sample.mean(axis=0), np.maximum(sample.std(axis=0), NARROW)
        scaled = self._scaled(sample)
        self._detectors = [detector(name, seed, **options.get(name, {})).fit(scaled) for name in names]
        scores = np.column_stack([one.decision_scores_ for one in self._detectors])
        self._median = np.median(scores, axis=0)
        spread = np.quantile(scores, 0.9, axis=0) - self._median
        self._spread = np.where(spread > 1e-12, spread, np.maximum(scores.std(axis=0), 1e-12))

    def score(self, rows: Matrix) -> npt.NDArray[np.float64]:
        """Return a score per row; higher is stranger."""
        parts = [self._score(rows[at : at + SLICE]) for at in range(0, len(rows), SLICE)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _score(self, rows: Matrix) -> npt.NDArray[np.float64]:
        scaled = self._scaled(rows)
        # INNE asks scikit-learn for distances 200 times, which takes longer to look for faults than to reckon
        with _sklearn().config_context(assume_finite=True, skip_parameter_validation=True):
            scores = np.column_stack([one.decision_function(scaled) for one in self._detectors])
        standard = (np.nan_to_num(scores, posinf=1e300, neginf=-1e300) - self._median) / self._spread
        # one detector that shouts must not outvote the others: its voice grows with the logarithm
        joined: Matrix = (np.sign(standard) * np.log1p(np.abs(standard))).mean(axis=1)
        return joined

    def _scaled(self, rows: Matrix) -> Matrix:
        scaled: Matrix = (rows - self._centre) / self._scale
        return scaled


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores of normal windows that the detectors didn't see, in order."""

    scores: npt.NDArray[np.float64]

    def p_values(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return how probable such a score is of a normal window."""
        known = self.scores
        above = len(known) - np.searchsorted(known, scores, side="left")
        exact = (above + 1) / (len(known) + 1)
        edge, excess = self._tail()
        share = float((known > edge).mean()) or 1 / (len(known) + 1)
        tail = share * np.exp(-np.maximum(scores - edge, 0.0) / excess)
        return np.where(scores > known[-1], np.minimum(tail, exact), exact)

    def score(self, p: float) -> float:
        """Return the least score whose p-value is not above `p`."""
        edge, excess = self._tail()
        share = float((self.scores > edge).mean()) or 1 / (len(self.scores) + 1)
        low, high = float(self.scores[0]), max(float(self.scores[-1]), edge + excess * float(np.log(share / p))) + 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.p_values(np.array([middle]))[0] <= p else (middle, high)
        return high

    def _tail(self) -> tuple[float, float]:
        usual = self.scores < -BELOW / 2
        worth = self.scores[~usual]  # what else tells nothing of how far those of another kind lie apart
        known = worth if len(worth) >= LEAST else self.scores + BELOW * usual
        edge = float(np.quantile(known, 1 - TAIL))
        over = known[known > edge] - edge
        return edge, max(float(over.mean()) if len(over) else 0.0, 1e-3)


@dataclass(frozen=True)
class Model:
    """What was learnt of one feature set."""

    name: str  # of the feature set
    semantics: str  # of the feature set that it was trained with
    features: tuple[str, ...]
    sample: Matrix = field(repr=False)
    calibration: npt.NDArray[np.float64] = field(repr=False)
    detectors: tuple[str, ...] = ENSEMBLE
    seed: int = 0

    @cached_property
    def ensemble(self) -> Ensemble:
        return Ensemble(self.sample, self.detectors, self.seed, WIDE)

    @cached_property
    def calibrated(self) -> Calibration:
        return Calibration(self.calibration)

    def score(self, rows: Matrix) -> Matrix:
        """Return a score per row; higher is stranger."""
        return ranked(self.ensemble, rows)

    def p_values(self, rows: Matrix) -> Matrix:
        return self.calibrated.p_values(self.score(rows))


def ranked(ensemble: Ensemble, rows: Matrix) -> Matrix:
    """Return scores, those of windows that are as good as usual below all others."""
    usual = np.abs(rows).max(axis=1, initial=0.0) < WORTH
    scores: Matrix = ensemble.score(rows) - BELOW * usual
    return scores


def fit(
    name: str,
    semantics: str,
    features: tuple[str, ...],
    train: Matrix,
    held: Matrix,
    *,
    detectors: tuple[str, ...] = ENSEMBLE,
    seed: int = 0,
) -> Model:
    """Fit to `train` and calibrate on `held`, other windows (`split.py`); both are deviations, a column per feature.

    Raises:
        UsageError: there is too little to learn from.
    """
    if len(train) < LEAST or len(held) < LEAST:
        raise UsageError(
            f"{name}: {len(train)} windows to learn from and {len(held)} to calibrate on are too few (least: {LEAST})",
            fix="train on a longer period",
        )
    sample = np.nan_to_num(train)
    ensemble = Ensemble(sample, detectors, seed, WIDE)
    scores = np.sort(ranked(ensemble, np.nan_to_num(held)))
    made = Model(name, semantics, features, sample, scores, detectors, seed)
    vars(made)["ensemble"] = ensemble  # as `Model.ensemble` would make it again
    return made
