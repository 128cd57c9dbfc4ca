"""What training costs when entities are many, on a small scale."""

from __future__ import annotations

from connectors.simulator.behaviour import Size
from flows.bench import scale


def test_of_more_entities_than_are_looked_at_the_busiest_are_and_the_others_counted() -> None:
    told = scale.costs(Size(400, 0, 22), most=150)
    assert (told["looked_at"], told["left_out"], told["windows"]) == (150, 250, 150 * 22)
    assert 0 < told["peak_rss_mb"] < 2_000
    assert "250 left out" in scale.shown(told)
