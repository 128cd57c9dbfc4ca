"""Ask the engine what detection sections say of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

from detectors.contracts import Dialect
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule
from tests.property import reference
from tests.property.detections import LISTS

Pairs = set[tuple[int, int]]  # numbers of a rule and of an event that it matches
TINY = {
    "columns._SMALL": 0,  # values that are grouped without a query
    "columns._MEMORY": 300,  # bytes that are remembered from one frame to the next
    "needles._SLICE": 16,  # characters that are searched at once
    "needles._LONG": 4,  # bytes of a window
    "needles._DENSE": 2,  # finds in a window
    "routing._DENSE": 1,  # numbers that a table is used for
    "routing._KNOWN": 0,  # combinations that are remembered
    "keywords._FEW": 0,  # records that are taken apart unsearched
    "truth._MANY": 2,  # values × characters that are searched in one pass
    "vocabulary._FEW": 0,  # numbers that are sorted without a table
    "vocabulary._MEMORY": 4,  # bytes of answers
    "vocabulary._ROOM": 1,  # values that there is room for at first
}


def rule(detection: dict[str, Any]) -> Rule:
    """Return the rule around a detection, which must be right."""
    document = {"title": "A test", "logsource": {"category": "test"}, "detection": detection}
    (made,) = rules(yaml.dump(document, Dumper=yaml.CSafeDumper, allow_unicode=True), "test.yml", LISTS.values)
    assert isinstance(made, Rule), str(made)
    return made


def pairs(made: Sequence[Rule], dialect: Dialect, frame: pl.DataFrame) -> Pairs:
    """Return what matches."""
    return detected(Engine(made), dialect, frame)


def detected(engine: Engine, dialect: Dialect, frame: pl.DataFrame) -> Pairs:
    """Return what matches; hits come in order, each once, and no rule fails."""
    hits = engine.detect(dialect, frame)
    assert engine.failures == {}
    found = list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True))
    assert found == sorted(set(found))
    return set(found)


def expected_of(written: Sequence[dict[str, Any]], cases: Sequence[reference.Case]) -> Pairs:
    """Return what the plain evaluator says: which detection (by number) matches which case."""
    return {
        (number, row)
        for number, detection in enumerate(written)
        for row, case in enumerate(cases)
        if reference.matches(detection, case)
    }


def tall(frame: pl.DataFrame, times: int) -> pl.DataFrame:
    """Return the events of a frame so often, one after the other: tall columns are taken apart by other code."""
    return frame[np.tile(np.arange(frame.height), times)]


@contextmanager
def tiny_limits() -> Iterator[None]:
    """Make the engine take short texts for long ones, few for many, and forget almost at once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in TINY.items():
            patch.setattr(f"detectors.sigma.{name}", limit)
        yield
