"""Compares documents in the core ECS fields, by meaning: times as instants, numbers as numbers, lists as sets."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tests.agreement.cases import Document

CORE: Final = (
    "@timestamp", "event.", "source.", "destination.", "user.", "host.", "process.", "url.", "http.", "dns.", "file.",
    "network.", "rule.", "observer.", "error.",
)  # fmt: skip
ASIDE: Final = (".geo.", ".as.")  # need databases
TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
NEVER: Final = frozenset({"event.ingested", "event.agent_id_status"})  # of the moment of the run
TOTAL: Final = "total"


@dataclass(slots=True)
class Tally:
    """How many expected fields there were and how many were met; which were missed, with examples."""

    fields: int = 0
    equal: int = 0
    records: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[str, object, object]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Return the share of expected fields that were met."""
        return self.equal / self.fields if self.fields else 1.0

    def add(self, other: Tally) -> None:
        """Add another tally."""
        self.fields += other.fields
        self.equal += other.equal
        self.records += other.records
        self.missed.update(other.missed)
        self.examples = {**other.examples, **self.examples}


def core(document: Document) -> Document:
    """Return the fields that count."""
    return {
        name: value
        for name, value in document.items()
        if name.startswith(CORE) and name not in NEVER and not any(part in f"{name}." for part in ASIDE)
    }


def compare(expected: Document, found: Document, given: Document, dynamic: frozenset[str], where: str) -> Tally:
    """Compare one record; what was given beside the line and what changes each time doesn't count."""
    tally = Tally(records=1)
    for name, value in core(expected).items():
        if name in dynamic or _given(name, value, given) or value in (None, "", []):
            continue
        tally.fields += 1
        if same(found.get(name), value) or _to_the_second(found.get(name), value):
            tally.equal += 1
        else:
            tally.missed[name] += 1
            tally.examples.setdefault(name, (where, value, found.get(name)))
    return tally


def _given(name: str, value: Any, given: Document) -> bool:
    """Say whether a value stood beside the line; the time of reading becomes `event.created`."""
    names = [name, "@timestamp"] if name == "event.created" else [name]
    return any(each in given and same(given[each], value) for each in names)


def same(one: Any, other: Any) -> bool:
    """Say whether two values mean the same."""
    if isinstance(one, list) or isinstance(other, list):
        first, second = ([each] if not isinstance(each, list) else each for each in (one, other))
        return sorted(map(_plain, first)) == sorted(map(_plain, second))
    return one is not None and _plain(one) == _plain(other)


def _to_the_second(found: Any, expected: Any) -> bool:
    """Say whether a time agrees as far as the expected one is told: some leave out what is less than a second."""
    told = TIME.fullmatch(expected) if isinstance(expected, str) else None
    if told is None or told["fraction"] is not None or not isinstance(found, str):
        return False
    return same(re.sub(r"(:\d\d)\.\d+", r"\1", found), expected)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e6 and value != int(value) else str(int(value))
    text = str(value).strip()
    if match := TIME.fullmatch(text):
        whole = f"{match['date']}T{match['time']}.{(match['fraction'] or '')[:6].ljust(6, '0')}{match['zone'] or 'Z'}"
        return datetime.fromisoformat(whole).astimezone(UTC).isoformat(timespec="milliseconds")
    return text
