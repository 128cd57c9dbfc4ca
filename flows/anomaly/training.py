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
from detectors.anomaly.model import MEMBERS, OPTIONS, Member, Model, fit
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
        members = enumerate(self.model.members)
        return {f"{kind}_{at}": getattr(one, kind) for at, one in members for kind in ("sample", "calibration")}


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
    rows, parts = matrix(usable, chosen), [split(usable, seed + at) for at in range(MEMBERS)]
    members = [
        fit(rows[learnt], rows[held], name=chosen.name, seed=seed + at, whole=at == 0)
        for at, (learnt, held) in enumerate(parts)
    ]
    model = Model(chosen.name, chosen.semantics, tuple(chosen.names), tuple(members))
    manifest = {
        "semantics": chosen.semantics,
        "features": list(model.features),
        "detectors": list(members[0].detectors),
        "options": OPTIONS,
        "seed": seed,
        "period": [first.isoformat(), (last + timedelta(days=1)).isoformat()],
        "windows": {
            "learnt": len(np.unique(np.concatenate([learnt for learnt, _ in parts]))),
            "held": len(np.unique(np.concatenate([held for _, held in parts]))),
            "all": usable.height,
            "entities": usable["entity"].n_unique(),
        },
        "weekly": a_week(usable),
        "shares": shares(rows),
        "cleaned": len(bad),
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return Trained(model, manifest)


def a_week(windows: pl.DataFrame) -> float:
    """Return how many windows a week has: of each kind of day as many as those days have that the archive knows.

    So a day that the archive lacks changes nothing.
    """
    day = pl.col("window").dt.truncate("1d")
    kinds = dict(windows.group_by("works").agg(pl.len() / day.n_unique()).iter_rows())
    return float(5 * kinds.get(True, 0.0) + 2 * kinds.get(False, 0.0))


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
    detectors, seed = tuple(manifest["detectors"]), int(manifest["seed"])
    kept = [(arrays[f"sample_{at}"], arrays[f"calibration_{at}"], seed + at) for at in range(MEMBERS)]
    members = tuple(
        Member(sample.astype(np.float64), scores.astype(np.float64), detectors, at) for sample, scores, at in kept
    )
    return Model(stored.name, str(manifest["semantics"]), tuple(manifest["features"]), members)


def trained_period(manifest: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return from when to when the events were that a model was trained on."""
    first, last = (datetime.fromisoformat(each).astimezone(UTC) for each in manifest["period"])
    return first, last
