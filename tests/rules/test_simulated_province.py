"""Our rules against the simulated province: what they find, what they can't, and what they cry wolf about."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from connectors.parser import DefinedParser
from connectors.simulator import MATCHED, Score, read_truth, score, write
from detectors.contracts import Batch
from detectors.schema import LEVELS, RECORD
from detectors.sigma.engine import Engine
from tests.rules.test_own_rules import DEFINITIONS, FILES, compiled

START = date(2026, 11, 18)
NEEDS_CORRELATION = {"reporter-browsing"}  # forty looks, each of them allowed


@pytest.fixture(scope="module", params=[7, 11])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Score:
    summary = write(tmp_path_factory.mktemp("province"), request.param, START, 2)
    engine = Engine([compiled(path) for path in FILES])
    return score(read_truth(summary.truth), pl.concat(matched(engine, log) for log in summary.logs))


def matched(engine: Engine, log: Path) -> pl.DataFrame:
    """Return every match in a log, each as a finding of its own."""
    lines = log.read_text(encoding="utf-8").splitlines()
    records = {"event.original": lines, "log.offset": range(len(lines)), "soc.index": [0] * len(lines)}
    parser = DefinedParser(DEFINITIONS[log.parent.name], year=START.year)
    batch = Batch(log.parent.name, "file:test", log.name, pl.DataFrame(records, schema=RECORD))
    parsed = parser.parse(batch, engine.wanted(parser.dialect))
    assert parsed.dead.is_empty()
    hits = engine.detect(parser.dialect, parsed.events, parsed.encoded)
    rules = [engine.rules[number].meta for number in hits.rule]
    return parsed.events[hits.row].select(
        "@timestamp",
        "event.original",
        pl.Series("rule.id", [rule.id for rule in rules], pl.String),
        pl.Series("soc.level", [rule.level for rule in rules], pl.String),
        pl.Series("soc.finding.id", [f"{rule.id}/{row}" for rule, row in zip(rules, hits.row, strict=True)], pl.String),
    ).cast(MATCHED)  # fmt: skip


def test_every_attack_that_one_event_betrays_is_found(outcome: Score) -> None:
    missed = outcome.attacks.filter(~pl.col("found"))["attack"]
    assert set(missed) == NEEDS_CORRELATION


def test_attacks_are_found_within_minutes(outcome: Score) -> None:
    assert outcome.attacks["delay"].dt.total_seconds().max() < 15 * 60  # type: ignore[operator]  # a number here


def test_false_findings_are_few_and_none_is_high(outcome: Score) -> None:
    loud = LEVELS[LEVELS.index("high") :]
    assert outcome.false.filter(pl.col("soc.level").is_in(loud)).is_empty()
    assert 0 < outcome.false_findings < 60  # two days of a hundred people: the simulation is not too easy
