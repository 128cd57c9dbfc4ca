"""Whole and damaged lines of every source give the same events by patterns and by machine code."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

from connectors import warm
from connectors.lines import records
from connectors.parser import DefinedParser
from detectors.contracts import Batch, Parsed
from tests.connectors.test_parser import DEFINITIONS

SAMPLES = Path(__file__).parents[1] / "samples"
NOISE = ["\x00", '"', "\\", "=", ",", "[", "\n", "ễ", "e\u0301", " ", "-"]
MOST = 4  # samples of a source


def lines(source: str) -> list[str]:
    """Return samples of a source, also cut short at both ends, and with something in them."""
    whole = [json.loads(path.read_text("utf-8"))["input"] for path in sorted((SAMPLES / source).glob("*.json"))[:MOST]]
    chance = random.Random(source)  # noqa: S311 - the same lines each time
    found = ["", "ễ x=1", *whole]
    for line in whole:
        place = chance.randrange(len(line))
        found += [line[:place], line[place:], line[:place] + chance.choice(NOISE) + line[place:]]
    return found


def read(source: str, few: int) -> Parsed:
    warm.WARMTH.few, warm.WARMTH.cold = few, -1
    every = lines(source)
    batch = Batch(source, "file:test", "test", records(every, range(len(every))))
    return DefinedParser(DEFINITIONS[source], year=2026).parse(batch, None)


@pytest.mark.usefixtures("machine_code")
@pytest.mark.parametrize("source", sorted(DEFINITIONS))
def test_both_come_to_the_same(source: str) -> None:
    slow, quick = read(source, 1 << 30), read(source, 0)
    assert quick.dead.equals(slow.dead)
    expected, found = filled(slow.frame()), filled(quick.frame())
    assert [name for name in {**expected, **found} if expected.get(name) != found.get(name)] == []


def filled(frame: pl.DataFrame) -> dict[str, list[object]]:
    return {column.name: column.to_list() for column in frame if column.null_count() < frame.height}
