"""A model: PyOD detectors fitted to the deviations of normal windows, and what their scores mean.

What is kept of a model is data only: the training sample, the scores of held-back normal windows, names and a seed.
The detectors are fitted again from the sample when the model is used, which takes a second, gives the same scores, and
leaves no pickle to trust.

Scores of the detectors are put on one scale by their training scores and averaged (PyOD's `average`, after
`standardizer`: Aggarwal and Sathe 2015), and become p-values (`calibration.py`).

A model has three members, each with a sample and held-back windows of its own (`split.py`), and its p-value is the
geometric mean of theirs. Which windows a sample happens to have moves the p-values of a member by a fifth; of three it
moves less what is told (Breiman 1996, "Bagging predictors").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from detectors.anomaly.calibration import BELOW, LEAST, STRANGEST, Calibration
from detectors.errors import UsageError

Matrix = npt.NDArray[np.float64]

MEMBERS: Final = 3
NARROW: Final = 0.5  # a feature that hardly ever moves is not strange when it moves a little
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
OPTIONS: Final = {"worth": WORTH, "members": MEMBERS, "tail": STRANGEST, **WIDE}  # what a model was made with besides


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


@dataclass(frozen=True)
class Member:
    """One of a model's parts: detectors fitted to a sample, calibrated on windows that they didn't see."""

    sample: Matrix = field(repr=False)
    calibration: npt.NDArray[np.float64] = field(repr=False)  # scores, in order
    detectors: tuple[str, ...] = ENSEMBLE
    seed: int = 0

    @cached_property
    def ensemble(self) -> Ensemble:
        return Ensemble(self.sample, self.detectors, self.seed, WIDE)

    @cached_property
    def calibrated(self) -> Calibration:
        return Calibration(self.calibration)

    def surprise(self, rows: Matrix) -> Matrix:
        """Return by how many nats each row surprises, after the windows that it is calibrated on."""
        return self.calibrated.surprise(ranked(self.ensemble, rows))


@dataclass(frozen=True)
class Model:
    """What was learnt of one feature set."""

    name: str  # of the feature set
    semantics: str  # of the feature set that it was trained with
    features: tuple[str, ...]
    members: tuple[Member, ...]

    def surprise(self, rows: Matrix) -> Matrix:
        """Return by how many nats each row surprises: the mean of what its members say; higher is stranger.

        Of windows that nobody is told of the first member tells alone.
        """
        surprises = self.members[0].surprise(rows)
        odd = np.flatnonzero(~as_usual(rows))
        if len(odd):
            others = [one.surprise(rows[odd]) for one in self.members[1:]]
            surprises[odd] = np.mean([surprises[odd], *others], axis=0)
        return surprises

    def p_values(self, rows: Matrix) -> Matrix:
        """Return how probable windows so strange are: the geometric mean of what the members say."""
        p: Matrix = np.exp(-self.surprise(rows))
        return p


def as_usual(rows: Matrix) -> npt.NDArray[np.bool_]:
    """Say of which windows nobody would be told, for no feature is far from usual."""
    near: npt.NDArray[np.bool_] = np.abs(rows).max(axis=1, initial=0.0) < WORTH
    return near


def ranked(ensemble: Ensemble, rows: Matrix, *, whole: bool = True) -> Matrix:
    """Return scores, those of windows that are as good as usual below all others.

    Unless the `whole` is wanted, these are not told apart, which saves most of the work; if there are enough others.
    """
    odd = ~as_usual(rows)
    if whole or odd.sum() < LEAST:
        return ensemble.score(rows) - BELOW * ~odd
    scores = np.full(len(rows), -BELOW)
    scores[odd] = ensemble.score(rows[odd])
    return scores


def fit(
    train: Matrix,
    held: Matrix,
    *,
    name: str = "",
    detectors: tuple[str, ...] = ENSEMBLE,
    seed: int = 0,
    whole: bool = True,
) -> Member:
    """Fit to `train` and calibrate on `held`, other windows (`split.py`); both are deviations, a column per feature.

    Unless `whole`, it is calibrated for windows that somebody may be told of only.

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
    made = Member(sample, np.sort(ranked(ensemble, np.nan_to_num(held), whole=whole)), detectors, seed)
    vars(made)["ensemble"] = ensemble  # as `Member.ensemble` would make it again
    return made
