"""Weeks of routine: they repeat with their seed, show every watch something, and are hardly told of."""

from __future__ import annotations

import polars as pl
from polars.testing import assert_frame_equal

from connectors.simulator.routine import Extent, play
from detectors.anomaly import featureset
from flows.bench import routine
from flows.bench.behaviour import BEGIN

SMALL = Extent(accounts=200, hosts=25, senders=40, sources=12, days=30)


def test_routine_repeats_with_its_seed_and_has_what_looks_odd() -> None:
    one, again, other = (play(SMALL, seed, BEGIN) for seed in (3, 3, 4))
    for name, frame in {**one.events, **one.hours}.items():
        assert_frame_equal(frame, {**again.events, **again.hours}[name])
    assert not one.events["logons"].equals(other.events["logons"])
    programs = one.events["hosts"].group_by("process.executable").len()
    assert programs.filter((pl.col("len") == 1) & pl.col("process.executable").str.starts_with("setup")).height > 20
    for frame in one.hours.values():
        silent = frame.group_by("entity").len().filter(pl.col("len") < 24 * SMALL.days)
        assert silent.height == frame["entity"].n_unique()  # all of them, at times


def test_of_routine_each_detector_tells_no_more_than_a_few_a_week() -> None:
    told = routine.costs(SMALL, 3)
    sets = [
        one for name, one in featureset.load().items() if name in ("feeds", "hosts", "logons", "senders", "traffic")
    ]
    assert set(told["told"]) == {f"anomaly.{one.name}.{each.name}" for one in sets for each in one.watches}
    assert max(told["told"].values()) <= 2 * 3
    assert f"{told['per_day']:.2f} false anomalies a day" in routine.shown(told)
