"""Risk comes before muting: what makes no finding, as its rule only signals or maintenance goes on, counts as well."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.store import Store
from detectors.schema import MATCH, MUTED
from flows.settings import Settings
from flows.triage import reckoning
from tests.sample_findings import START

NOW = START + timedelta(hours=12)
RULE = "6c1f2d1e-6c5e-4a55-9d2f-0a1b2c3d4e5f"
TEXT = f"""
title: A key was asked for
id: {RULE}
status: stable
level: high
logsource: {{product: linux}}
detection: {{sel: {{program: sshd}}, condition: sel}}
tags: [attack.credential-access, attack.t1110]
soc: {{signal: true}}
"""


def matches(*groups: str | None, silenced: str | None = "signal", hours: int = 0, rule: str = RULE) -> pl.DataFrame:
    """Return a match per group, so many hours after the start."""
    rows = [
        {
            "@timestamp": START + timedelta(hours=hours),
            "soc.match.id": f"{rule}{group}{silenced}{hours}{number}",
            "rule.id": rule,
            "event.id": [f"{group}{hours}{number}"],
            "soc.source": "auth",
            "soc.group": group,
            "soc.silenced": silenced,
        }
        for number, group in enumerate(groups)
    ]
    return pl.DataFrame([{name: row.get(name) for name in MATCH} for row in rows], schema=MATCH)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    rules = tmp_path / "rules"
    rules.mkdir()
    rules.joinpath("signal.yml").write_text(TEXT)
    return Settings(store=tmp_path / "store.sqlite", rules=[rules], own_rules=False)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.store)


def test_signals_and_what_maintenance_mutes_are_at_risk_without_a_finding(settings: Settings, store: Store) -> None:
    store.matches(matches("host.name=web01 | user.name=lan"))
    store.matches(matches("host.name=db01", silenced="maintenance: Patches"))
    store.matches(matches("host.name=app01", silenced=None))  # its finding counts, not the match
    found = reckoning.risk(settings, store, NOW)
    assert set(found.select("kind", "name").iter_rows()) == {("host", "web01"), ("user", "lan"), ("host", "db01")}
    web = found.row(by_predicate=pl.col("name") == "web01", named=True)
    assert (web["rules"], web["tactics"]) == (["A key was asked for"], ["credential-access"])
    assert web["risk"] > 20


def test_those_of_a_day_count_as_one(settings: Settings, store: Store) -> None:
    store.matches(matches("host.name=web01"))
    once = reckoning.risk(settings, store, NOW)["risk"].to_list()
    store.matches(matches(*["host.name=web01"] * 500))
    assert reckoning.risk(settings, store, NOW)["risk"].to_list() == once
    store.matches(matches("host.name=web01", hours=-30))
    assert reckoning.risk(settings, store, NOW)["risk"].to_list() > once


def test_what_is_old_or_of_no_rule_is_left_out(settings: Settings, store: Store) -> None:
    store.matches(matches("host.name=web01", hours=-24 * 40))
    store.matches(matches("host.name=web02", rule="gone"))
    store.matches(matches("", None))
    found = store.muted(START - timedelta(days=30), NOW)
    assert found.schema == MUTED
    assert sorted(found["rule.id"]) == sorted([RULE, "gone"])
    assert reckoning.risk(settings, store, NOW).is_empty()
