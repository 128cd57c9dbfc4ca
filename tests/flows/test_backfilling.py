"""Rules that came late find what they would have found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.archive import Archive
from connectors.store import Store
from flows import assembly, running
from flows.backfilling import backfill
from flows.cli import main
from flows.settings import Settings
from flows.statistics import Statistics
from tests.flows.places import laid_out
from tests.flows.test_running import LINE, RULE

COUNTED = """
---
title: Root guessed often
id: 00000000-0000-4000-8000-000000000002
level: critical
correlation: {type: event_count, rules: [00000000-0000-4000-8000-000000000001], group-by: [source.ip], timespan: 5m,
  condition: {gte: 5}, generate: true}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = laid_out(tmp_path)
    (tmp_path / "logs" / "auth.log").write_text("".join(map(LINE.format, range(30))))
    return made


def ids(settings: Settings) -> set[str]:
    store = Store(settings.store)
    try:
        return set(store.select()["event.id"])
    finally:
        store.close()


def later(settings: Settings, since: datetime | None = None) -> Statistics:
    """Return what a backfill of all rules did."""
    sources = Archive(settings.archive).sources()
    return backfill(settings, assembly.assemble(settings), sources, str, since=since).statistics


def write(settings: Settings) -> None:
    (settings.rules[0] / "r.yml").write_text(RULE + COUNTED)


def test_it_stores_what_a_run_would_have_and_nothing_twice(settings: Settings, tmp_path: Path) -> None:
    running.run(settings, str)
    assert ids(settings) == set()
    write(settings)
    first, second = later(settings), later(settings)
    assert first.findings == len(ids(settings)) > 1
    assert second.findings == 0
    live = settings.model_copy(update={"store": tmp_path / "live.sqlite", "archive": tmp_path / "elsewhere"})
    running.run(live, str)
    assert ids(live) == ids(settings)


def test_it_keeps_to_its_period(settings: Settings) -> None:
    running.run(settings, str)
    write(settings)
    assert later(settings, datetime(2100, 1, 1, tzinfo=UTC)).events == 0


def test_a_damaged_file_costs_itself(settings: Settings) -> None:
    running.run(settings, str)
    write(settings)
    (damaged,) = settings.archive.rglob("*.parquet")
    (damaged.parent / f"x{damaged.name}").write_bytes(b"PAR1")
    told: list[str] = []
    done = backfill(settings, assembly.assemble(settings), ["auth"], told.append)
    assert done.statistics.events == 30
    assert any("left out" in text and "restore it from a backup" in text for text in told)


def test_the_command_says_what_it_did(settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    running.run(settings, str)
    write(settings)
    config = tmp_path / "soc.yml"
    config.write_text(
        f"own_rules: false\nrules: [{tmp_path}/rules]\nstore: {settings.store}\narchive: {settings.archive}\n"
    )
    assert main(["backfill", "--config", str(config)]) == 0
    assert "30 events" in capsys.readouterr().out
    assert main(["backfill", "--config", str(config), "--source", "nobody"]) == 2
    assert "the archive holds nothing of nobody" in capsys.readouterr().err
