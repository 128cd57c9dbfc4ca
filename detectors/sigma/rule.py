"""A rule as the engine holds it: what it says about itself, where it applies, and what it asks."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

from detectors.contracts import LogSource
from detectors.errors import Place
from detectors.meta import Meta
from detectors.sigma.predicates import Node, canonical, decode, encode


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled Sigma detection rule."""

    meta: Meta
    logsource: LogSource
    condition: Node
    place: Place
    semantics: str  # hash of log source and condition: a new title is the same rule
    waits_for: tuple[str, ...] = ()  # placeholders whose value lists are not configured; such a rule never runs
    name: str = ""  # what correlations may call it

    @property
    def id(self) -> str:
        """Return the id, which its words bring along."""
        return self.meta.id


def semantics(logsource: LogSource, condition: Node) -> str:
    """Name what a rule detects: 16 hexadecimal digits of SHA-256."""
    return hashlib.sha256(str(logsource).encode() + b"\0" + canonical(condition)).hexdigest()[:16]


def encode_rule(rule: Rule) -> dict[str, Any]:
    """Return a rule as plain data, for the cache."""
    return {
        "meta": asdict(rule.meta),
        "logsource": [rule.logsource.category, rule.logsource.product, rule.logsource.service],
        "condition": encode(rule.condition),
        "place": [rule.place.file, rule.place.line, rule.place.column],
        "semantics": rule.semantics,
        "waits_for": list(rule.waits_for),
        "name": rule.name,
    }


def decode_rule(data: dict[str, Any]) -> Rule:
    """Return the rule of plain data that `encode_rule` gave."""
    return Rule(
        meta=Meta.restored(data["meta"]),
        logsource=LogSource(*data["logsource"]),
        condition=decode(data["condition"]),
        place=Place(*data["place"]),
        semantics=data["semantics"],
        waits_for=tuple(data["waits_for"]),
        name=data["name"],
    )
