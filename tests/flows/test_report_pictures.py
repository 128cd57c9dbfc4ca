from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.attack import TACTICS
from flows.report.pictures import heatmap, timeline
from flows.report.words import Clock
from flows.table import HOME
from tests.sample_findings import START

CLOCK = Clock(HOME, "%d/%m %H:%M")


def test_the_timeline_shows_every_finding_in_its_hour() -> None:
    found = [(START + timedelta(minutes=30 * n), "high" if n % 3 else "low") for n in range(40)]
    drawn = timeline(found, CLOCK, "en")
    assert drawn.step == 1
    assert sum(int(bar.title.rpartition(" ")[2]) for bar in drawn.bars) == 40
    assert {bar.title.partition(" ·")[0] for bar in drawn.bars if bar.x < 40} == {"21/07 00:00"}
    assert all(0 <= bar.x <= drawn.width - bar.width and bar.height > 0 for bar in drawn.bars)


@pytest.mark.parametrize(("days", "step"), [(3, 1), (7, 2), (30, 12), (300, 168)])
def test_a_longer_timeline_has_wider_steps(days: int, step: int) -> None:
    assert timeline([(START, "low"), (START + timedelta(days=days), "low")], CLOCK, "en").step == step


def test_strange_clocks_do_not_squeeze_the_timeline() -> None:
    found = [(START + timedelta(hours=n), "low") for n in range(10)] + [(datetime(2000, 1, 1, tzinfo=UTC), "low")]
    drawn = timeline(found, CLOCK, "en")
    assert (drawn.step, drawn.outside) == (1, 1)


def test_the_heatmap_follows_attack_s_order_and_counts_findings() -> None:
    drawn = heatmap(
        [["impact / T1490", "Execution / T1059"], ["impact / T1490", "impact / T1490"], ["x / T1"], ["execution"]]
    )
    assert [(tactic, [(c.technique, c.count) for c in cells]) for tactic, cells in drawn.columns] == [
        ("execution", [("T1059", 1)]),
        ("impact", [("T1490", 2)]),
        ("x", [("T1", 1)]),
    ]
    assert "discovery" in drawn.quiet
    assert {cell.heat for _, cells in drawn.columns for cell in cells} == {1, 5}


def test_tactics_are_named_once() -> None:
    assert len(set(TACTICS)) == len(TACTICS)
