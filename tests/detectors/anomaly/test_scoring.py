"""Scoring: what is told of a small province holds, and what is named explains it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from connectors.simulator.behaviour import Size, simulate
from detectors.anomaly import featureset
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.model import Model
from detectors.anomaly.scoring import HISTORY, Budget, Origin, Scored, matrix, score
from detectors.anomaly.tally import tally
from detectors.errors import UsageError
from flows.anomaly.training import a_week, prepared, train, trained_period
from flows.bench.behaviour import BEGIN, CALENDAR

DAYS, JUDGED = 35, 10
SINCE = BEGIN + timedelta(days=DAYS - JUDGED)
BUDGET = Budget(weekly=20.0, organisation=5)


@pytest.fixture(scope="module")
def scored() -> tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin]:
    chosen = featureset.load()["records"]
    events = simulate(Size(120, 17, DAYS), 5, BEGIN, JUDGED).events["records"]
    frame, _ = prepared(tally(events, chosen, CALENDAR), chosen, CALENDAR)
    trained = train(frame.filter(pl.col("window") < SINCE), chosen)
    origin = Origin("v", trained_period(trained.manifest), float(trained.manifest["weekly"]))
    done = score(trained.model, frame, chosen, SINCE, budget=BUDGET, origin=origin)
    return trained.model, chosen, frame, done, origin


def test_without_the_excess_of_the_named_features_the_window_is_normal(
    scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin],
) -> None:
    model, chosen, frame, done, _ = scored
    assert len(done.anomalies) >= 5
    for one in done.anomalies:
        row = frame.filter((pl.col("entity") == one.entity) & (pl.col("window") == one.start))
        seen = matrix(row, chosen)
        assert model.p_values(seen)[0] <= one.details["threshold"]
        named = [each["feature"] for each in one.details["features"]]
        usual = row.with_columns(pl.lit(0.0).alias(f"far {name}") for name in named)
        assert bool(model.p_values(matrix(usual, chosen))[0] > one.details["threshold"]) is one.details["explained"]
    assert all(one.details["explained"] for one in done.anomalies)


def test_of_each_feature_is_told_what_was_seen(
    scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin],
) -> None:
    _, _, frame, done, _ = scored
    for one in done.anomalies:
        row = frame.filter((pl.col("entity") == one.entity) & (pl.col("window") == one.start))
        for each in one.details["features"]:
            assert each["seen"] == pytest.approx(row[each["feature"]].item(), abs=1e-3)
            assert each["usual"][0] <= each["usual"][1]


def test_the_farthest_from_usual_is_told_first_and_nothing_that_is_usual(
    scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin],
) -> None:
    _, _, frame, done, origin = scored
    last = origin.period[1].astimezone(CALENDAR.zone) - timedelta(seconds=1)  # that was learnt of
    for one in done.anomalies:
        assert one.text.en.endswith(f"to {last:%Y-%m-%d}.")
        row = frame.filter((pl.col("entity") == one.entity) & (pl.col("window") == one.start))
        far = [abs(row[f"far {each['feature']}"].item()) for each in one.details["features"]]
        assert far == sorted(far, reverse=True)
        first = one.details["features"][0]
        assert one.text.en.startswith(f"{first['words']['en']}: ")
        for each in one.details["features"]:
            if each["usual"][0] <= each["seen"] <= each["usual"][1]:
                assert f"{each['words']['en']}: " not in one.text.en


def test_the_last_thirty_days_are_shown_with_those_without_events(
    scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin],
) -> None:
    _, _, frame, done, _ = scored
    for one in done.anomalies:
        history = one.details["history"]
        days = [datetime.fromisoformat(each) for each in history["windows"]]
        assert days == [one.start - timedelta(days=back) for back in range(len(days) - 1, -1, -1)]
        assert len(days) == min(HISTORY, (one.start - BEGIN).days + 1)
        own = frame.filter(pl.col("entity") == one.entity)
        known = dict(own.select("window", history["feature"]).iter_rows())
        assert history["values"] == [pytest.approx(known.get(day) or 0.0, abs=1e-3) for day in days]
        assert one.count == own.filter(pl.col("window") == one.start)["actions"].item()


def test_a_model_of_other_features_is_refused(scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin]) -> None:
    model, chosen, frame, _, origin = scored
    with pytest.raises(UsageError, match="other features"):
        score(replace(model, semantics="other"), frame, chosen, SINCE, budget=BUDGET, origin=origin)


def test_odd_windows_give_no_finding_and_the_others_go_on(
    scored: tuple[Model, FeatureSet, pl.DataFrame, Scored, Origin],
) -> None:
    model, chosen, frame, done, origin = scored
    at = done.anomalies[0].start
    odd = pl.DataFrame({
        "@timestamp": [at, at, datetime(1970, 1, 2, tzinfo=UTC), datetime(9999, 5, 1, tzinfo=UTC)],
        "user.name": ["lone", None, "clock", "clock"],
        "event.action": ["view", None, "export", "export"],
    }, schema_overrides={"@timestamp": pl.Datetime("us", "UTC")})  # fmt: skip
    alone, _ = prepared(tally(odd, chosen, CALENDAR), chosen, CALENDAR)
    assert alone["entity"].to_list() == ["lone"]
    assert score(model, alone, chosen, SINCE, budget=BUDGET, origin=origin).anomalies == []
    spoilt = frame.with_columns(pl.lit(np.nan).alias(f"far {name}") for name in chosen.names)
    assert score(model, spoilt, chosen, SINCE, budget=BUDGET, origin=origin).anomalies == []
    later = datetime(2027, 1, 1, tzinfo=UTC)
    assert score(model, frame, chosen, later, budget=BUDGET, origin=origin).windows == 0


def test_a_day_that_the_archive_lacks_changes_nothing_of_how_many_windows_a_week_has() -> None:
    days = [BEGIN + timedelta(days=day) for day in range(28)]
    frame = pl.DataFrame({"window": [day for day in days for _ in range(10 if day.weekday() < 5 else 2)]})
    frame = frame.with_columns(CALENDAR.works(pl.col("window")).alias("works"), pl.lit("u").alias("entity"))
    whole = a_week(frame)
    for lacking in (days[0], days[9], days[-1]):
        assert a_week(frame.filter(pl.col("window") != lacking)) == pytest.approx(whole, rel=0.05)
    assert whole > 50
