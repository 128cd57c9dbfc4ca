r"""Sigma filters: exceptions to rules, and on what terms they hold.

title: Backups of the data centre
logsource: {category: process_creation, product: windows}
filter:
  rules: [0f06a3a5-6a09-413f-8743-e6cf35561297]   # ids or names; or `any`
  selection: {Image|endswith: '\\backup.exe'}
  condition: not selection
soc: {owner: Data centre, reason: nightly job, document: 12/QĐ, valid_to: 2026-12-31}

A rule with a filter means (rule) and (filter's condition), as pySigma has it: an event is excepted where the condition
is false. `soc` is this program's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from detectors.contracts import LogSource
from detectors.errors import Place
from detectors.sigma.predicates import Node, decode, encode

SECTION = "filter"
NARROW = "narrow"


def is_filter(data: Mapping[str, object]) -> bool:
    """Say whether the data of a document are a filter: the key decides."""
    return isinstance(data.get(SECTION), dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """Who answers for an exception, why, and for which events it holds."""

    owner: str = ""
    organisation: str = ""  # events of this one only; empty: of all
    reason: str = ""
    document: str = ""  # number of the paper that permits it
    valid_from: str = ""  # ISO 8601; a day begins at midnight
    valid_to: str = ""  # a day is included to its end
    intent: str = ""  # `narrow`: the filter is meant to keep only what it describes

    def since(self, zone: tzinfo) -> datetime | None:
        """Return the first moment for whose events the exception holds; None: no bound."""
        return _moment(self.valid_from, zone)

    def until(self, zone: tzinfo) -> datetime | None:
        """Return the first moment for whose events the exception holds no more; None: no bound."""
        found = _moment(self.valid_to, zone)
        return found + timedelta(days=1) if found and "T" not in self.valid_to else found


@dataclass(frozen=True, slots=True)
class Reference:
    """What a filter calls a rule by, and where it does."""

    rule: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter."""

    id: str
    title: str
    logsource: LogSource
    rules: tuple[Reference, ...]  # none: any rule
    condition: Node  # what a match must satisfy to stay one
    place: Place
    semantics: str
    terms: Terms = Terms()
    waits_for: tuple[str, ...] = ()  # placeholders whose value lists are not configured; such a filter never applies

    def encode(self) -> dict[str, Any]:
        """Return the filter as plain data, for the cache."""
        return {
            "filter": self.id,
            "title": self.title,
            "logsource": [self.logsource.category, self.logsource.product, self.logsource.service],
            "rules": [[each.rule, each.line, each.column] for each in self.rules],
            "condition": encode(self.condition),
            "place": [self.place.line, self.place.column],
            "semantics": self.semantics,
            "terms": asdict(self.terms),
            "waits_for": list(self.waits_for),
        }

    @classmethod
    def decode(cls, data: dict[str, Any], place: Place) -> Filter:
        """Return the filter of plain data that `encode` gave."""
        return cls(
            id=data["filter"],
            title=data["title"],
            logsource=LogSource(*data["logsource"]),
            rules=tuple(Reference(*each) for each in data["rules"]),
            condition=decode(data["condition"]),
            place=place,
            semantics=data["semantics"],
            terms=Terms(**data["terms"]),
            waits_for=tuple(data["waits_for"]),
        )


def _moment(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
