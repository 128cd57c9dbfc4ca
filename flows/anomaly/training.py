"""Training: tallies to a model, judged on days that it did not see."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import polars as pl

from connectors.models import Arrays, Stored
from detectors.anomaly.baseline import ENOUGH, deviations
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.drift import shares
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.measure import measure
from detectors.anomaly.model import OPTIONS, Model, fit
from detectors.anomaly.scoring import matrix
from detectors.anomaly.split import split
from detectors.anomaly.tally import Tally
from detectors.errors import UsageError
from flows.anomaly.collecting import MOST

LIBRARIES: Final = ("pyod", "scikit-learn", "numpy", "polars")
WEEK: Final = timedelta(days=7)
# At the begin of the period nobody has a usual range yet, and then a rough one, from which normal windows are far.
# Calibrated on them, a model would find too little, and other things with each day that the period moves.
WARM: Final = (WEEK, 2 * WEEK)  # at least and at most, and a third of the period between


@dataclass(frozen=True, slots=True)
class Trained:
    """A model and what there is to say about it."""

    model: Model
    manifest: dict[str, Any]

    @property
    def arrays(self) -> Arrays:
        return {"sample": self.model.sample, "calibration": self.model.calibration}


def prepared(tally: Tally, chosen: FeatureSet, calendar: WorkCalendar) -> tuple[pl.DataFrame, int]:
    """Return the deviations of a tally, and how many entities were too many to be looked at."""
    tally, left_out = bounded(tally)
    return deviations(measure(tally, chosen), chosen, calendar), left_out + tally.left_out


def bounded(tally: Tally, most: int = MOST) -> tuple[Tally, int]:
    """Return the tally of the entities that were there most often, and how many were left out."""
    seen = tally.numbers.group_by("entity").len()
    if seen.height <= most:
        return tally, 0
    kept = seen.sort("len", "entity", descending=[True, False]).head(most).select("entity")
    return replace(
        tally,
        numbers=tally.numbers.join(kept, on="entity", how="semi"),
        values=tally.values.join(kept, on="entity", how="semi"),
    ), seen.height - most


def train(
    frame: pl.DataFrame, chosen: FeatureSet, *, seed: int = 0, without: Collection[tuple[str, datetime]] = ()
) -> Trained:
    """Fit a model to deviations; `without` names windows (entity, begin) that were no normal ones.

    Raises:
        UsageError: the period is too short, or there is too little in it.
    """
    first, last = frame["window"].min(), frame["window"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime) or last - first < 2 * WEEK:
        raise UsageError(f"{chosen.name}: less than two weeks of events", fix="train when there are more")
    bad = pl.DataFrame(list(without), schema={"entity": pl.String, "window": pl.Datetime("us", "UTC")}, orient="row")
    warm = min(max(timedelta(days=(last - first).days // 3), WARM[0]), WARM[1])
    usable = frame.filter(pl.col("window") >= first + warm).join(bad, on=["entity", "window"], how="anti")
    usable = usable.filter((pl.col("history") >= ENOUGH) | pl.col("peers").is_not_null()).sort("window", "entity")
    rows, (learnt, held) = matrix(usable, chosen), split(usable, seed)
    model = fit(chosen.name, chosen.semantics, tuple(chosen.names), rows[learnt], rows[held], seed=seed)
    weeks = max((last - first - warm) / WEEK, 1 / 7)
    manifest = {
        "semantics": chosen.semantics,
        "features": list(model.features),
        "detectors": list(model.detectors),
        "options": OPTIONS,
        "seed": seed,
        "period": [first.isoformat(), (last + timedelta(days=1)).isoformat()],
        "windows": {"learnt": len(learnt), "held": len(held), "entities": usable["entity"].n_unique()},
        "weekly": usable.height / weeks,
        "shares": shares(rows),
        "cleaned": len(bad),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return Trained(model, manifest)


def revived(stored: Stored, arrays: Arrays) -> Model:
    """Make a model of what the registry keeps.

    Raises:
        UsageError: it was calibrated in another way than models are now.
    """
    manifest = stored.manifest
    if manifest.get("options") != OPTIONS:
        raise UsageError(
            f"{stored.name} {stored.version} was calibrated in another way",
            fix=f"train it again: soc train {stored.name}",
        )
    return Model(
        stored.name,
        str(manifest["semantics"]),
        tuple(manifest["features"]),
        arrays["sample"].astype(np.float64),
        arrays["calibration"].astype(np.float64),
        tuple(manifest["detectors"]),
        int(manifest["seed"]),
    )


def trained_period(manifest: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return from when to when the events were that a model was trained on."""
    first, last = (datetime.fromisoformat(each).astimezone(UTC) for each in manifest["period"])
    return first, last
