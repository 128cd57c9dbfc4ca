"""No stage has lost speed, as told by its ratio to a plain loop in the same process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.performance.ratios import Pairs, baselines, event_logs, ratios, simulated

LOSS = 0.3  # of a stage's speed
NOISE = 0.1  # of a ratio: so much it differs between runs on a busy machine
ATTEMPTS = 5  # noise passes, a loss stays
DOCUMENT = orjson.dumps([{"number": number, "text": str(number)} for number in range(2_000)])


def lost(pairs: Callable[[Path], Pairs]) -> dict[str, str]:
    """Return the stages that were too slow in every attempt."""
    known, slow = baselines(), dict[str, str]()
    for _ in range(ATTEMPTS):
        found = ratios(pairs)
        slow = {
            name: f"{ratio:.2f}, was {known[name]}" for name, ratio in found.items() if too_slow(ratio, known[name])
        }
        if not slow:
            break
    return slow


def too_slow(ratio: float, baseline: float) -> bool:
    return ratio > baseline / (1 - LOSS) * (1 - NOISE)


def work(times: int) -> None:
    for _ in range(times):
        orjson.loads(DOCUMENT)


def known_ratios(_: Path) -> Pairs:
    yield "as it was", lambda: work(100), lambda: work(10)
    yield "a third of the speed lost", lambda: work(150), lambda: work(10)
    yield "a tenth of the speed lost", lambda: work(111), lambda: work(10)


def test_a_loss_is_told_from_noise() -> None:
    found = ratios(known_ratios)
    assert {name: too_slow(ratio, 10) for name, ratio in found.items()} == {
        "as it was": False,
        "a third of the speed lost": True,
        "a tenth of the speed lost": False,
    }


def test_loading_parsing_and_matching_have_not_become_slower() -> None:
    assert lost(simulated) == {}


@pytest.mark.reference
def test_reading_event_logs_has_not_become_slower(reference: Path) -> None:
    assert reference.is_dir()
    assert lost(event_logs) == {}
