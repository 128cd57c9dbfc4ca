"""The simulated province's behaviour: which changes are found, how late, and what is cried wolf about."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from connectors.simulator.behaviour import SCENARIOS, Behaviour, Size, simulate
from detectors.anomaly import featureset
from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.scoring import Budget, Origin, score
from detectors.anomaly.tally import tally
from flows.anomaly.training import prepared, train, trained_period

BEGIN: Final = datetime(2026, 3, 1, 17, tzinfo=UTC)  # Monday 2 March begins in Vietnam
JUDGED: Final = 20  # the last days
CALENDAR: Final = WorkCalendar(ZoneInfo("Asia/Ho_Chi_Minh"))


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the scenarios."""

    anomalies: list[Anomaly]
    truth: pl.DataFrame  # with `found` and `days`, to the end of the first window found
    false: int
    days: int
    seconds: float
    explained: int

    def document(self) -> dict[str, Any]:
        return {
            "recall": self.recall,
            "false_per_day": self.false / self.days,
            "explained": self.explained / max(len(self.anomalies), 1),
            "seconds": self.seconds,
            "scenarios": {row["scenario"]: row["days"] for row in self.truth.iter_rows(named=True)},
        }

    @property
    def recall(self) -> float:
        return float(self.truth["days"].is_not_null().mean() or 0.0)  # type: ignore[arg-type]


def judge(size: Size, seed: int, *, strength: float = 1.0, weekly: float = 7.0, shift: int = 0) -> Judged:
    """Play a province, train on its first weeks, and judge its last ones; `shift` leaves out days of training."""
    played = simulate(size, seed, BEGIN, JUDGED, strength)
    start = time.process_time()
    anomalies = [each for name in played.events for each in _anomalies(played, name, size, weekly, shift)]
    keys = pl.DataFrame(
        [(one.detector.removeprefix("anomaly."), one.entity, one.start) for one in anomalies],
        schema={"set": pl.String, "entity": pl.String, "at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    met = keys.join(played.truth, on=["set", "entity"], how="left").with_columns(
        ((pl.col("at") >= pl.col("start")) & (pl.col("at") < pl.col("end"))).fill_null(value=False).alias("true")
    )
    first = met.filter("true").group_by("scenario").agg(pl.col("at").min())
    truth = played.truth.join(first, on="scenario", how="left", maintain_order="left").with_columns(
        ((pl.col("at") - pl.col("start")).dt.total_days() + 1).alias("days")
    )
    explained = sum(bool(one.details["explained"]) for one in anomalies)
    seconds = time.process_time() - start
    return Judged(anomalies, truth, int((~met["true"]).sum()), JUDGED, seconds, explained)


def _anomalies(played: Behaviour, name: str, size: Size, weekly: float, shift: int) -> list[Anomaly]:
    chosen = featureset.load()[name]
    since = BEGIN + timedelta(days=size.days - JUDGED)
    frame, _ = prepared(tally(played.events[name], chosen, CALENDAR), chosen, CALENDAR)
    learnt = frame.filter((pl.col("window") < since) & (pl.col("window") >= BEGIN + timedelta(days=shift)))
    trained = train(learnt, chosen)
    origin = Origin("bench", trained_period(trained.manifest), float(trained.manifest["weekly"]))
    return score(trained.model, frame, chosen, since, budget=Budget(weekly), origin=origin).anomalies


def bench(size: Size, seed: int, strength: float) -> dict[str, Any]:
    """Judge once; again with the same seed; and with a day less of training."""
    one, again, other = (judge(size, seed, strength=strength, shift=shift) for shift in (0, 0, 1))
    ids, same, changed = ({each.id for each in done.anomalies} for done in (one, again, other))
    return {
        "seed": seed,
        "size": [size.users, size.hosts, size.days],
        "strength": strength,
        "scenarios": len(SCENARIOS),
        **one.document(),
        "repeated": ids == same,
        "changed": len(ids ^ changed) / max(len(ids | changed), 1),
        "texts": [{"en": each.text.en, "vi": each.text.vi, "entity": each.entity} for each in one.anomalies],
    }
