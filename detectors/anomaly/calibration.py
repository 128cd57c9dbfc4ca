"""Scores to p-values: how probable so high a score is of a normal window.

Below the strangest held-back windows it is the share of them that score as high (conformal: Laxhammar 2014). Among
these and beyond, an exponential tail of the excesses (Pickands 1975): a threshold told by a hundred and fifty windows
moves less, when a day more is learnt of, than one told by the dozen that the budget lets by. Scores grow with a
logarithm, so their tail is lighter than that, and a p-value there is rather too high than too low: less is told than
the budget has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

LEAST: Final = 50  # windows without which nothing can be learnt, or told of a kind of windows
STRANGEST: Final = 150  # calibration scores that the tail is fitted to, at most
SHARE: Final = (0.4, 0.05)  # of the windows that somebody would be told of, or where those are few, of all
BELOW: Final = 1_000.0  # more than any two scores differ by


@dataclass(frozen=True)
class Calibration:
    """Scores of normal windows that the detectors didn't see, in order; by BELOW lower where nobody would be told."""

    scores: Scores

    def p_values(self, scores: Scores) -> Scores:
        """Return how probable such a score is of a normal window."""
        p: Scores = np.exp(-self.surprise(scores))
        return p

    def surprise(self, scores: Scores) -> Scores:
        """Return the same in nats, for scores whose probability is smaller than any number."""
        edge, excess, share = self._tail
        above = len(self.scores) - np.searchsorted(self.scores, scores, side="left")
        exact = np.maximum((above + 1) / (len(self.scores) + 1), share)
        tail = (scores - edge) / excess - np.log(share)
        made: Scores = np.where(scores > edge, tail, -np.log(exact))
        return made

    @cached_property
    def _tail(self) -> tuple[float, float, float]:
        """Return from which score on the tail is, its mean excess, and the share of windows above."""
        usual = self.scores < -BELOW / 2
        worth = self.scores[~usual]
        if len(worth) >= LEAST:
            edge, excess = _excess(worth, min(STRANGEST, round(SHARE[0] * len(worth))))
        else:  # of so few nothing is known: all say how far scores lie apart, and the tail is beyond the highest
            _, excess = _excess(np.sort(self.scores + BELOW * usual), max(round(SHARE[1] * len(self.scores)), 1))
            edge = float(self.scores[-1])
        return edge, excess, (int((self.scores > edge).sum()) + 1) / (len(self.scores) + 1)


def _excess(scores: Scores, most: int) -> tuple[float, float]:
    """Return the score that so many are above, and by how much on average."""
    edge = float(scores[-most - 1])
    return edge, max(float((scores[-most:] - edge).mean()), 1e-3)
