"""A test of a correlation: run in several ways, all of which must come to the same."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import polars as pl

from detectors.contracts import Block
from detectors.correlation.correlator import Correlator
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.findings import Found

SHUFFLES = 4
STEPS = 8  # batches that a shuffled stream comes in at most: each costs an evaluation


def alerts(linked: Linked, blocks: Sequence[Block]) -> bool:
    """Say whether the correlation raises an alert over these matches in one batch."""
    return bool(_findings(linked, [blocks]))


def unsteady(linked: Linked, blocks: Sequence[Block]) -> str:
    """Name a way to bring the same matches that leads to other findings; "" if none of those tried does."""
    expected = _findings(linked, [blocks])
    single = [Block(block.rule, row) for block in blocks for row in block.matches.iter_slices(1)]
    ways: dict[str, Sequence[Sequence[Block]]] = {
        "one by one": [[each] for each in single],
        "twice": [blocks, blocks],
        "backwards": [[each] for each in single[::-1]],
    }
    for number in range(SHUFFLES):
        shuffled = Random(number).sample(single, len(single))  # noqa: S311 - no secret
        size = -(-len(shuffled) // STEPS) or 1
        ways[f"in another order ({number + 1})"] = [shuffled[at : at + size] for at in range(0, len(shuffled), size)]
    return next((way for way, batches in ways.items() if _findings(linked, batches) != expected), "")


def _findings(linked: Linked, batches: Sequence[Sequence[Block]]) -> set[str]:
    """Return the names of what is found of the correlation itself."""
    memory = Held()
    correlator = Correlator([linked], memory)
    found = [each for batch in batches for each in _taken(correlator, batch)]
    times = [block.matches["time"].max() for batch in batches for block in batch]
    memory.pass_time({("test", ""): max((time for time in times if isinstance(time, int)), default=0)})
    found += correlator.conclude() if linked.waits else ()
    return set(pl.concat([each.findings for each in found])["event.id"]) if found else set()


def _taken(correlator: Correlator, blocks: Sequence[Block]) -> list[Found]:
    found = [*correlator.take(blocks)]
    correlator.told(blocks)
    return found
