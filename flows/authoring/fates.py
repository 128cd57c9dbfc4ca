"""Where rules can live: on sources whose events can have the fields that they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.definitions import Definition
from detectors.sigma.rule import Rule
from flows import blindness


@dataclass(frozen=True, slots=True)
class Fate:
    """Where a rule can live, and what it lacks where it can't."""

    rule: Rule
    live: tuple[str, ...]  # sources
    blind: Mapping[str, Mapping[str, str | None]]  # source → missing field → the nearest that there is

    @property
    def verdict(self) -> str:
        """Return live, blind, waiting (for a list) or homeless."""
        if self.rule.waits_for:
            return "waiting"
        return "live" if self.live else "blind" if self.blind else "homeless"

    def document(self) -> dict[str, Any]:
        """Return the fate as plain data."""
        meta = self.rule.meta
        return {
            "id": meta.id,
            "title": meta.title,
            "level": meta.level,
            "status": meta.status,
            "logsource": str(self.rule.logsource),
            "file": self.rule.place.file,
            "verdict": self.verdict,
            "live": [*self.live],
            "blind": {source: dict(lacks) for source, lacks in self.blind.items()},
            "waits_for": [*self.rule.waits_for],
        }


def fates(rules: Sequence[Rule], definitions: Iterable[Definition]) -> list[Fate]:
    """Say of every rule where it can live."""
    live: dict[int, list[str]] = defaultdict(list)
    blind: dict[int, dict[str, Mapping[str, str | None]]] = defaultdict(dict)
    numbers = {rule.meta.id: number for number, rule in enumerate(rules)}
    for definition in definitions:
        told = blindness.document(rules, [definition])["sources"][definition.name]
        for each in told["blind"]:
            blind[numbers[each["id"]]][definition.name] = each["lacks"]
        for number in blindness.look(rules, definition).whole.live:
            live[number].append(definition.name)
    return [Fate(rule, tuple(live[number]), blind[number]) for number, rule in enumerate(rules)]
