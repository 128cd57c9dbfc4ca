"""What random cases have covered: a test that never met a construct says nothing of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from detectors.sigma.departures import MODIFIERS
from detectors.sigma.plan import plan
from detectors.sigma.predicates import Op, predicates
from detectors.sigma.rule import Rule
from tests.property import reference
from tests.property.events import Batch
from tests.property.reference import Case

_ALIKE = {"ignorecase": "i", "multiline": "m", "dotall": "s"}


@dataclass
class Tally:
    """Counts of rules, events and pairs of them, and of what they were made of."""

    pairs: int = 0
    matches: int = 0
    ways: Counter[str] = field(default_factory=Counter)  # pairs by the way in which the engine was asked
    sifted: int = 0  # rules that are evaluated only where a predicate of theirs was found
    always: int = 0  # rules that are evaluated on every row
    ops: Counter[str] = field(default_factory=Counter)
    modifiers: Counter[tuple[str, bool]] = field(default_factory=Counter)  # and whether its item was true
    writings: Counter[str] = field(default_factory=Counter)

    def add(
        self, written: Sequence[dict[str, Any]], made: Sequence[Rule], batch: Batch, cases: Sequence[Case], way: str
    ) -> None:
        """Count a batch; items are tried on one of its events only, which is cheap."""
        self.pairs += len(made) * len(cases)
        self.ways[way] += len(made) * len(cases)
        self.writings[batch.writing] += 1
        always = len(plan(made, batch.dialect).always)
        self.always += always
        self.sifted += len(made) - always
        self.ops.update(predicate.op for each in made for predicate in predicates(each.condition))
        for key, body in (item for each in written for item in _items(list(each.values()))):
            true = reference.item(key, body, cases[-1])
            self.modifiers.update((_ALIKE.get(name, name), true) for name in key.split("|")[1:])

    def missing(self) -> list[str]:
        """Name what was not met, or met with one outcome only."""
        names = {_ALIKE.get(name, name) for name in MODIFIERS}
        outcomes = [f"{name}: {true}" for name in names for true in (False, True) if not self.modifiers[name, true]]
        return sorted({*get_args(Op)} - self.ops.keys()) + sorted(outcomes)


def _items(part: object) -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        yield from part.items()
    elif isinstance(part, list):
        for each in part:
            yield from _items(each)
