"""Deviations to anomalies: which windows a model calls strange, within an alarm budget, each explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.baseline import ENOUGH
from detectors.anomaly.explain import named_features, told
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.model import WORTH, Matrix, Model
from detectors.anomaly.parts import Words
from detectors.anomaly.wording import sentence
from detectors.errors import UsageError

LENGTH: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
HISTORY: Final = 30  # windows shown beside an anomaly, with or without events of the entity
NORMAL: Final = 0.05  # windows above this p-value may be called normal days
LANGUAGES: Final = ("en", "vi")
STRANGEST: Final = 0.01  # no budget is so large that a window likelier than this is an anomaly


@dataclass(frozen=True, slots=True)
class Budget:
    """How many findings people can look at."""

    weekly: float = 7.0  # of one feature set
    organisation: int = 3  # of one feature set, per cohort and window of scoring; the strangest are told
    adjusted: Mapping[str, float] = field(default_factory=dict)  # entity → factor on its threshold, by verdicts


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model and the events that it scores come from."""

    version: str
    period: tuple[datetime, datetime]  # that it was trained on
    weekly: float  # windows that a week has
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """What scoring some windows gave."""

    anomalies: list[Anomaly]
    windows: int
    over: int  # anomalies beyond the cap of their cohort: counted, not told
    p_values: pl.DataFrame  # entity, window, p


def matrix(deviations: pl.DataFrame, chosen: FeatureSet) -> Matrix:
    """Return the deviations as a model takes them: what can't be told is as usual."""
    far: Matrix = deviations.select(f"far {name}" for name in chosen.names).to_numpy().astype(np.float64)
    return np.nan_to_num(far)


def threshold(weekly_windows: float, budget: Budget) -> float:
    """Return the p-value below which a window is an anomaly: as many windows a week as the budget has findings."""
    return min(budget.weekly / max(weekly_windows, budget.weekly), STRANGEST)


def fitting(model: Model, chosen: FeatureSet) -> None:
    """Refuse a model that was trained with other features than a set has now.

    Raises:
        UsageError: it was.
    """
    if model.semantics != chosen.semantics:
        raise UsageError(
            f"the model of {chosen.name} was trained with other features",
            fix=f"train it again: soc train {chosen.name}",
        )


def score(
    model: Model,
    deviations: pl.DataFrame,
    chosen: FeatureSet,
    since: datetime,
    *,
    budget: Budget,
    origin: Origin,
) -> Scored:
    """Score the windows from `since` on.

    Args:
        model: what was learnt; of the same features.
        deviations: as `baseline.deviations` gives them, with enough earlier windows.
        chosen: the feature set.
        since: the first window to score.
        budget: how many findings people can look at.
        origin: where the model and the events come from.

    Raises:
        UsageError: the model was trained with other features.
    """
    fitting(model, chosen)
    rows = deviations.filter(pl.col("window") >= since)
    if rows.is_empty():
        return Scored([], 0, 0, rows.select("entity", "window", pl.lit(None, pl.Float64).alias("p")))
    values = matrix(rows, chosen)
    rows = rows.with_columns(pl.Series("p", model.p_values(values)), pl.Series("row", np.arange(len(values))))
    limit = threshold(origin.weekly, budget)
    factors = rows["entity"].replace_strict(dict(budget.adjusted), default=1.0, return_dtype=pl.Float64)
    far = pl.max_horizontal(pl.col(f"far {name}").abs() for name in chosen.names)
    strange = rows.with_columns((factors * limit).alias("limit")).filter(
        (pl.col("p") <= pl.col("limit")) & (far >= WORTH)
    )
    kept, over = _capped(strange, budget)
    limits = (-np.log(kept["limit"].to_numpy())).tolist()
    named = named_features(model.surprise, values[kept["row"].to_numpy()], limits) if len(kept) else []
    told_of = list(kept.iter_rows(named=True))
    histories = [_history(deviations, row) for row in told_of]
    nearest = _nearest(histories, told_of, model, chosen)
    begin = deviations["window"].min()
    anomalies = [
        _anomaly(*each, chosen=chosen, origin=origin, begin=begin)  # type: ignore[arg-type]
        for each in zip(told_of, named, histories, nearest, strict=True)
    ]
    return Scored(anomalies, rows.height, over, rows.select("entity", "window", "p"))


def _capped(strange: pl.DataFrame, budget: Budget) -> tuple[pl.DataFrame, int]:
    """Keep the strangest windows of each cohort and week."""
    week = pl.col("window").dt.truncate("1w").alias("week")
    rank = pl.col("p").rank("ordinal").over("peers", week)
    kept = strange.sort("p", "entity", "window").filter(rank <= max(budget.organisation, 1))
    everyone = kept.group_by(week, maintain_order=True).head(max(round(2 * budget.weekly), 1)).sort("window", "p")
    return everyone.drop("week"), strange.height - everyone.height


def _history(deviations: pl.DataFrame, row: dict[str, Any]) -> pl.DataFrame:
    """Return the last windows of a row's entity up to this one."""
    own = (pl.col("entity") == row["entity"]) & (pl.col("window") <= row["window"])
    return deviations.filter(own).tail(HISTORY + 1)


def _shown(own: pl.DataFrame, last: datetime, name: str, length: timedelta, begin: datetime) -> dict[datetime, float]:
    """Return a feature of an entity's last windows; 0 in those that it did nothing in, and none before `begin`."""
    # by number, for at a change of the clock a day has an hour more or less
    found = {round((last - at) / length): value for at, value in own.select("window", name).iter_rows()}
    back = range(min(HISTORY - 1, round((last - begin) / length)), -1, -1)
    return {last - length * each: round(found.get(each) or 0.0, 3) for each in back}


def _anomaly(
    row: dict[str, Any],
    why: tuple[list[int], bool],
    own: pl.DataFrame,
    nearest: datetime | None,
    *,
    chosen: FeatureSet,
    origin: Origin,
    begin: datetime,
) -> Anomaly:
    period = origin.period
    weighty, explained = why
    numbers = sorted(weighty, key=lambda at: -abs(row[f"far {chosen.names[at]}"]))  # the farthest from usual first
    features = told(chosen, row, numbers, ENOUGH)
    first = chosen.names[numbers[0]] if numbers else chosen.names[0]
    history = _shown(own, row["window"], first, LENGTH[chosen.window], begin)
    details = {
        "p": float(row["p"]),
        "threshold": float(row["limit"]),
        "features": [feature.document() for feature in features],
        "explained": explained,
        "nearest": nearest.isoformat() if nearest else None,
        "trained": [each.isoformat() for each in period],
        "peers": row["peers"],
        "history": {
            "feature": first,
            "windows": [each.isoformat() for each in history],
            "values": list(history.values()),
        },
    }
    words = chosen.words
    return Anomaly(
        detector=f"anomaly.{chosen.name}",
        version=origin.version,
        title=Words(en=f"Unusual {words.en}", vi=f"Bất thường: {words.vi}"),
        check=chosen.check,
        level=chosen.level if explained else "low",
        tags=tuple(chosen.tags),
        source=", ".join(origin.sources) or chosen.sources[0],
        column=chosen.entity,
        entity=row["entity"],
        start=row["window"],
        end=row["window"] + LENGTH[chosen.window],
        text=Words(**{lang: sentence(features, float(row["p"]), nearest, period, lang) for lang in LANGUAGES}),
        details=details,
        count=_events(row, chosen),
    )


def _events(row: dict[str, Any], chosen: FeatureSet) -> int:
    """Return how many events a window has, if a feature counts all of them; else 1."""
    return next((int(row[each.name] or 1) for each in chosen.features if each.count == {}), 1)


def _nearest(
    histories: list[pl.DataFrame], rows: list[dict[str, Any]], model: Model, chosen: FeatureSet
) -> list[datetime | None]:
    """Return of each row the earlier window of its entity that is most like it among the normal ones.

    The windows of all rows are scored together, because detectors take about as long for a thousand as for one.
    """
    earlier = [own.filter((pl.col("window") < row["window"]) & (pl.col("history") >= ENOUGH))
               for own, row in zip(histories, rows, strict=True)]  # fmt: skip
    if not any(each.height for each in earlier):
        return [None] * len(rows)
    p_values = model.p_values(np.concatenate([matrix(each, chosen) for each in earlier]))
    borders = np.cumsum([each.height for each in earlier])[:-1]
    normal = [each.filter(p > NORMAL) for each, p in zip(earlier, np.split(p_values, borders), strict=True)]
    return [_most_like(row, each, chosen) for row, each in zip(rows, normal, strict=True)]


def _most_like(row: dict[str, Any], windows: pl.DataFrame, chosen: FeatureSet) -> datetime | None:
    if windows.is_empty():
        return None
    scaled = windows.select(f"scaled {name}" for name in chosen.names).fill_null(0.0).to_numpy()
    here = np.array([row[f"scaled {name}"] or 0.0 for name in chosen.names])
    best: datetime = windows["window"][int(np.linalg.norm(scaled - here, axis=1).argmin())]
    return best
