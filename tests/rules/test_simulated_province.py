"""Our rules against the simulated province: they find every attack, and cry wolf seldom."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.simulator import Province, Score, read_truth, score, write
from connectors.store import Store
from detectors.schema import LEVELS
from flows import assembly
from flows.judging import matched_events
from flows.scanning import scan
from flows.settings import Settings
from tests.connectors.simulator.conftest import town  # noqa: F401  a fixture

START = date(2026, 11, 18)
SEED = 23


@pytest.fixture(scope="module")
def outcome(town: Province, tmp_path_factory: pytest.TempPathFactory) -> Score:  # noqa: F811  the fixture
    folder = tmp_path_factory.mktemp("province")
    summary = write(folder / "logs", SEED, START, 3, spec=town)
    store, archive = Store(folder / "store.sqlite"), Archive(folder / "archive")
    try:
        parts = assembly.assemble(Settings(cache=folder / "cache"))
        scan(list(summary.logs), parts, store, archive=archive)
        found = matched_events(store, archive, store.select(limit=100_000), parts.rules)
        return score(read_truth(summary.truth), found)
    finally:
        store.close()


def test_every_attack_is_found(outcome: Score) -> None:
    assert outcome.attacks.filter(~pl.col("found"))["attack"].to_list() == []
    assert outcome.attacks.height > 40


def test_attacks_are_found_within_minutes_but_where_only_counting_shows_them(outcome: Score) -> None:
    slow = outcome.attacks.filter(pl.col("delay") > timedelta(minutes=15))["attack"]
    assert set(slow) <= {"curious-nurse", "payment-fraud", "reporter-browsing"}
    assert outcome.attacks["delay"].max() < timedelta(hours=2)  # type: ignore[operator]  # a span here


def test_false_findings_are_few_and_none_is_high(outcome: Score) -> None:
    loud = LEVELS[LEVELS.index("high") :]
    assert outcome.false.filter(pl.col("soc.level").is_in(loud)).is_empty()
    assert 0 < outcome.false_findings < 40  # the simulation is not too easy
