"""Drift: whether what comes in still looks like what a model was trained on (population stability index)."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.anomaly.model import Matrix

EDGES: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # spreads; the bins of every feature's distances
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
