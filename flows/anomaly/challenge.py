"""Champion and challenger: two versions of a model on the same days, before one takes the other's place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from detectors.anomaly.drift import uniformity
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.scoring import Scored
from flows.anomaly.feedback import real_windows
from flows.anomaly.room import Room

WEEK: Final = timedelta(days=7)
SPARE: Final = 1.5  # times the budget that a challenger may tell
LIKE: Final = 0.1  # a stability index below this is none


@dataclass(frozen=True, slots=True)
class Contest:
    """What two versions made of the same days; pairs are (champion, challenger)."""

    alarms: tuple[int, int]
    both: int
    agreement: float  # rank correlation of the windows' p-values
    shift: tuple[float, float]  # how far the p-values are from even, as they are of normal days
    allowed: float  # alarms that the budget has for these days
    lost: int  # windows known to be real that only the champion tells of
    windows: int

    @property
    def wins(self) -> bool:
        """Say whether the challenger may take over: it loses nothing real, keeps the budget, and fits the days."""
        fits = self.shift[1] <= max(self.shift[0], LIKE)
        return self.lost == 0 and self.alarms[1] <= max(SPARE * self.allowed, self.alarms[0]) and fits

    def __str__(self) -> str:
        verdict = "the challenger may take over" if self.wins else "the champion stays"
        return (
            f"{self.windows:,} windows, anomalies by the one in use: {self.alarms[0]}, by the challenger: "
            f"{self.alarms[1]}, by both: {self.both}; real ones lost: {self.lost}; rank correlation of p-values: "
            f"{self.agreement:.3f}, their distance from an even spread (PSI): {self.shift[0]:.3f} and "
            f"{self.shift[1]:.3f}: {verdict}"
        )


def contest(where: Room, chosen: FeatureSet, done: tuple[Scored, Scored], days: tuple[datetime, datetime]) -> Contest:
    """Compare what champion and challenger made of some days."""
    keys = [{(each.entity, each.start) for each in one.anomalies} for one in done]
    real = set(real_windows(where.settings, chosen.name, chosen.entity))
    both = done[0].p_values.join(done[1].p_values, on=["entity", "window"], suffix=" other")
    ranks = both.select(pl.corr("p", "p other", method="spearman")).item() if both.height > 2 else None
    return Contest(
        (len(keys[0]), len(keys[1])),
        len(keys[0] & keys[1]),
        float(np.nan_to_num(ranks or 0.0)),
        (uniformity(done[0].p_values["p"].to_numpy()), uniformity(done[1].p_values["p"].to_numpy())),
        where.settings.anomaly.weekly * ((days[1] - days[0]) / WEEK),
        len(real & keys[0] - keys[1]),
        done[0].windows,
    )
