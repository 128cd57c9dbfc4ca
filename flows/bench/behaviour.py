"""The simulated province's behaviour: which changes are found, how late, and what is cried wolf about."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl

from connectors.simulator.behaviour import Size, simulate
from detectors.anomaly import featureset
from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.telling import anomalies as exactly
from detectors.anomaly.scoring import Budget, Origin, score
from detectors.anomaly.tally import Tally, tally, whole
from detectors.schema import TIME
from flows.anomaly.training import prepared, train, trained_period
from flows.sections import Anomaly as Anomalies

BEGIN: Final = datetime(2026, 3, 1, 17, tzinfo=UTC)  # Monday 2 March begins in Vietnam
JUDGED: Final = 20  # the last days
CALENDAR: Final = WorkCalendar(ZoneInfo("Asia/Ho_Chi_Minh"))
DEFAULT: Final = Anomalies()  # the settings that are judged


@dataclass(frozen=True, slots=True)
class Played:
    """A province that was played, and what is measured of it."""

    size: Size
    truth: pl.DataFrame
    tallies: dict[str, Tally]
    frames: dict[str, pl.DataFrame]

    @property
    def since(self) -> datetime:
        return BEGIN + timedelta(days=self.size.days - JUDGED)


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the scenarios."""

    anomalies: list[Anomaly]
    truth: pl.DataFrame  # with `days`, to the end of the first window found, and `by`, what found it
    false: dict[str, int]  # by detector

    def document(self) -> dict[str, Any]:
        explained = [bool(one.details["explained"]) for one in self.anomalies if "explained" in one.details]
        return {
            "recall": self.recall,
            "false_per_day": sum(self.false.values()) / JUDGED,
            "false": {name: count / JUDGED for name, count in sorted(self.false.items())},
            "explained": sum(explained) / max(len(explained), 1),
            "scenarios": {row["scenario"]: row["days"] for row in self.truth.iter_rows(named=True)},
            "by": {row["scenario"]: row["by"] for row in self.truth.iter_rows(named=True)},
        }

    @property
    def recall(self) -> float:
        return float(self.truth["days"].is_not_null().mean() or 0.0)  # type: ignore[arg-type]


def play(size: Size, seed: int, strength: float = 1.0) -> Played:
    """Play a province and measure it."""
    played, sets = simulate(size, seed, BEGIN, JUDGED, strength), featureset.load()
    tallies = {
        name: whole(tally(events, sets[name], CALENDAR), sets[name], CALENDAR) for name, events in played.events.items()
    }
    frames = {name: prepared(each, sets[name], CALENDAR)[0] for name, each in tallies.items()}
    return Played(size, played.truth, tallies, frames)


def judge(played: Played, *, without: int | None = None, budget: Budget | None = None, models: bool = True) -> Judged:
    """Train on the first weeks and judge the last ones; `without` leaves a day out of training (0: the first)."""
    limits = budget or Budget(DEFAULT.weekly, DEFAULT.organisation)
    found = [each for name in played.tallies for each in _watched(played, name)]
    if models:
        found += [each for name in played.frames for each in _modelled(played, name, limits, without)]
    keys = pl.DataFrame(
        [(one.detector, one.detector.split(".")[1], one.entity, one.start, one.end) for one in found],
        schema={"by": pl.String, "set": pl.String, "entity": pl.String, "at": TIME, "to": TIME},
        orient="row",
    )
    met = keys.join(played.truth, on=["set", "entity"], how="left").with_columns(
        ((pl.col("to") > pl.col("start")) & (pl.col("at") < pl.col("end"))).fill_null(value=False).alias("true")
    )
    first = met.filter("true").sort("to").group_by("scenario").agg(pl.col("to", "by").first())
    truth = played.truth.join(first, on="scenario", how="left", maintain_order="left").with_columns(
        ((pl.col("to") - pl.col("start")).dt.total_seconds() / 86_400).ceil().cast(pl.Int64).alias("days")
    )
    wrong = met.filter(~pl.col("true")).group_by("by").len()
    return Judged(found, truth, dict(wrong.iter_rows()))


def _watched(played: Played, name: str) -> list[Anomaly]:
    chosen = featureset.load()[name]
    stage = Stage(played.since, played.since + timedelta(days=JUDGED), CALENDAR)
    moments = played.tallies[name].moments
    return [one for each in chosen.watches for one in exactly(moments, chosen, each, stage, [])[0]]


def _modelled(played: Played, name: str, budget: Budget, without: int | None) -> list[Anomaly]:
    chosen, frame = featureset.load()[name], played.frames[name]
    learnt = frame if without is None else prepared(_without(played.tallies[name], without), chosen, CALENDAR)[0]
    trained = train(learnt.filter(pl.col("window") < played.since), chosen)
    origin = Origin("bench", trained_period(trained.manifest), float(trained.manifest["weekly"]))
    return score(trained.model, frame, chosen, played.since, budget=budget, origin=origin).anomalies


def _without(tally: Tally, day: int) -> Tally:
    """Return a tally as if the archive had nothing of one day."""
    begin = BEGIN + timedelta(days=day)
    kept = (pl.col("window") < begin) | (pl.col("window") >= begin + timedelta(days=1))
    return replace(tally, numbers=tally.numbers.filter(kept), values=tally.values.filter(kept))


def bench(size: Size, seed: int, strength: float) -> dict[str, Any]:
    """Judge once; again with the same seed; and with the first, a middle and the last day left out of training."""
    start = time.process_time()
    played = play(size, seed, strength)
    one = judge(played)
    seconds = time.process_time() - start
    ids = {each.id for each in one.anomalies}
    again = {each.id for each in judge(play(size, seed, strength)).anomalies}
    days = size.days - JUDGED
    left_out = {"first": 0, "middle": days // 2, "last": days - 1}
    shifted = {name: {each.id for each in judge(played, without=day).anomalies} for name, day in left_out.items()}
    return {
        "seed": seed,
        "size": [size.users, size.hosts, size.days],
        "strength": strength,
        **one.document(),
        "seconds": seconds,
        "repeated": ids == again,
        "findings": len(ids),
        "changed": {name: len(ids ^ other) / max(len(ids | other), 1) for name, other in shifted.items()},
        "texts": [{"en": each.text.en, "vi": each.text.vi, "entity": each.entity} for each in one.anomalies],
    }
