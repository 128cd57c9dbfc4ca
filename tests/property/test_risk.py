from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.risk import BOUNDS, CHANCE, EVIDENCE, HALF_LIFE, ODDS, entity_risk, level, trust

NOW = datetime(2026, 11, 28, tzinfo=UTC)
WORTH = [*ODDS, None]


def row(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "finding": f"f{number:04}",
        "kind": "host",
        "name": "dc01",
        "time": NOW,
        "rule": "r",
        "title": "Rule",
        "level": "low",
        "tactics": ["execution"],
        "trust": 1.0,
        "criticality": "medium",
        "system": "portal",
        "organisation": "H21.09",
    } | changes


def risks(rows: list[dict[str, Any]], now: datetime = NOW) -> dict[tuple[str, str], float]:
    found = entity_risk(pl.DataFrame(rows, schema=EVIDENCE, orient="row"), now)
    return {(kind, name): risk for kind, name, risk in found.select("kind", "name", "risk").iter_rows()}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["dc01", "web01"]),
            "kind": st.sampled_from(["host", "user"]),
            "time": st.integers(0, 30 * 24).map(lambda hours: NOW - timedelta(hours=hours)),
            "rule": st.sampled_from("abc"),
            "level": st.sampled_from(list(CHANCE)),
            "tactics": st.lists(st.sampled_from(["execution", "impact", "discovery"]), max_size=3),
            "trust": st.floats(0.05, 1),
            "criticality": st.sampled_from(WORTH),
            "system": st.sampled_from(["portal", "vpn", None]),
            "organisation": st.sampled_from(["H21.09", "H21.12", None]),
        }
    ),
    min_size=1,
    max_size=12,
).map(lambda found: [row(number, **changes) for number, changes in enumerate(found)])
FEW = settings(max_examples=25, deadline=None)


@FEW
@given(ROWS, st.integers())
def test_order_does_not_matter(rows: list[dict[str, Any]], seed: int) -> None:
    mixed = random.Random(seed).sample(rows, len(rows))  # noqa: S311 - a shuffle
    assert entity_risk(pl.DataFrame(rows, schema=EVIDENCE, orient="row"), NOW).equals(
        entity_risk(pl.DataFrame(mixed, schema=EVIDENCE, orient="row"), NOW)
    )


@FEW
@given(ROWS)
def test_more_evidence_never_lowers(rows: list[dict[str, Any]]) -> None:
    before, after = risks(rows[:-1]), risks(rows)
    assert all(after[entity] >= risk - 1e-6 for entity, risk in before.items())


@FEW
@given(ROWS, st.integers(0, 30), st.floats(0.05, 1))
def test_critical_on_critical_is_never_below_high(rows: list[dict[str, Any]], days: int, doubt: float) -> None:
    grave = row(9999, level="critical", criticality="critical", time=NOW - timedelta(days=days), trust=doubt)
    found = risks([*rows, grave])
    assert min(found["host", "dc01"], found["system", "portal"], found["organisation", "H21.09"]) >= BOUNDS["high"]


@pytest.mark.parametrize("worth", ["low", "medium", "high", "critical"])
@pytest.mark.parametrize("certain", ["low", "medium", "critical"])
def test_a_flood_of_one_low_rule_does_not_outrank_one_certain_compromise(worth: str, certain: str) -> None:
    flood = [row(number, criticality=worth) for number in range(3000)]
    compromise = row(9999, name="web01", level="critical", rule="x", criticality=certain)
    found = risks([*flood, compromise])
    assert found["host", "dc01"] < found["host", "web01"]


@FEW
@given(ROWS)
def test_a_whole_is_never_below_its_worst_member_and_all_is_within_bounds(rows: list[dict[str, Any]]) -> None:
    found = risks(rows)
    assert all(0 <= risk <= 100 for risk in found.values())
    for one in rows:
        for column in ("system", "organisation"):
            if one[column]:
                assert found[column, one[column]] >= found[one["kind"], one["name"]] - 1e-6


def test_a_half_life_halves_the_chance() -> None:
    fresh = risks([row(1, level="high")])["host", "dc01"]
    assert fresh == pytest.approx(100 * CHANCE["high"])
    old = risks([row(1, level="high")], NOW + timedelta(days=HALF_LIFE["high"]))["host", "dc01"]
    assert old == pytest.approx(fresh / 2)


def test_tactics_trust_and_worth_count() -> None:
    one = risks([row(1, level="medium"), row(2, rule="b", level="medium")])
    two = risks([row(1, level="medium"), row(2, rule="b", level="medium", tactics=["impact"])])
    assert two["host", "dc01"] > one["host", "dc01"]
    doubted = risks([row(1, level="medium", trust=trust(0, 12))])
    assert doubted["host", "dc01"] < risks([row(1, level="medium")])["host", "dc01"]
    values = [risks([row(1, level="medium", criticality=each)])["host", "dc01"] for each in ODDS]
    assert values == sorted(values)
    assert len(set(values)) == len(ODDS)


def test_contributors_are_named() -> None:
    rows = [row(1), row(2, level="critical", rule="x", title="Shadow copies deleted"), row(3, kind="user", name="lan")]
    found = entity_risk(pl.DataFrame(rows, schema=EVIDENCE, orient="row"), NOW)
    host = found.row(by_predicate=(pl.col("kind") == "host"), named=True)
    assert host["contributors"] == ["f0002", "f0001"]
    assert host["rules"] == ["Shadow copies deleted", "Rule"]
    system = found.row(by_predicate=(pl.col("kind") == "system"), named=True)
    assert system["contributors"] == ["host dc01", "user lan"]
    assert system["findings"] == 3


def test_levels_and_trust() -> None:
    assert [level(risk) for risk in (0, 15, 40, 70, 90, 100)] == [
        "informational", "low", "medium", "high", "critical", "critical",
    ]  # fmt: skip
    assert trust(0, 0) == 1.0
    assert trust(0, 4) == 0.5
    assert trust(100, 0) == 1.0
    assert entity_risk(EVIDENCE.to_frame(), NOW).is_empty()
