"""Compares documents in the core ECS fields, by meaning: times as instants, numbers as numbers, lists as sets."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml

from tests.agreement.cases import Document, flat

CORE: Final = (
    "@timestamp", "event.", "source.", "destination.", "user.", "host.", "process.", "url.", "http.", "dns.", "file.",
    "network.", "rule.", "observer.", "error.",
)  # fmt: skip
ASIDE: Final = (".geo.", ".as.")  # need databases
TIME: Final = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
HEADER: Final = r"(?:<\d+>)?[A-Z][a-z]{2} +\d+ (?:\d{4} )?\d\d:\d\d:\d\d [\w.-]+ ?: "
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


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names of ECS, and the values that it allows where it lists them."""

    names: frozenset[str]
    values: Mapping[str, frozenset[str]]

    def said(self, document: Document) -> Document:
        """Return what a document says in ECS: no vendor's fields, no values that ECS doesn't have."""
        named = {name: value for name, value in document.items() if name in self.names}
        for name, allowed in self.values.items():
            value = named.get(name)
            if isinstance(value, list):
                named[name] = [each for each in value if each in allowed]
            elif value is not None and value not in allowed:
                del named[name]
        return named


def vocabulary(reference: Path) -> Vocabulary:
    """Read ECS as its makers publish it."""
    fields = yaml.load((reference / "ecs" / "ecs_flat.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    closed = ("event.category", "event.kind", "event.outcome", "event.type")
    values = {name: frozenset(each["name"] for each in fields[name]["allowed_values"]) for name in closed}
    return Vocabulary(frozenset(fields), values)


def core(document: Document) -> Document:
    """Return the fields that count."""
    return {
        name: value
        for name, value in document.items()
        if name.startswith(CORE) and name not in NEVER and not any(part in f"{name}." for part in ASIDE)
    }


def _parallel(document: Document) -> Document:
    """Return lists of objects as Elasticsearch stores them: a list for each of their fields."""
    found: Document = {}
    for name, value in document.items():
        if not (isinstance(value, list) and value and all(isinstance(item, dict) for item in value)):
            found[name] = value
            continue
        for item in value:
            for inner, below in flat(item, f"{name}.").items():
                found.setdefault(inner, []).append(below)
    return found


def compare(expected: Document, found: Document, given: Document, dynamic: frozenset[str], where: str) -> Tally:
    """Compare one record; what was given beside the line and what changes each time doesn't count."""
    tally = Tally(records=1)
    for name, value in _parallel(core(expected)).items():
        if name in dynamic or _given(name, value, given) or value in (None, "", []):
            continue
        tally.fields += 1
        equal = _record if name == "event.original" else same
        if equal(found.get(name), value) or _to_the_second(found.get(name), value):
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


def _record(one: Any, other: Any) -> bool:
    """Say whether two records are the same: one of an event's several, JSON however it is written.

    Older modules keep what follows the syslog header; we keep the whole line.
    """
    own, expected = _bare(one), _bare(other)
    if (
        isinstance(one, str)
        and isinstance(other, str)
        and re.fullmatch(HEADER, one.strip().removesuffix(other.strip()))
    ):
        return True
    inner = _bare(own["message"]) if isinstance(own, dict) and "message" in own else own  # a shipper's, of a line
    return expected in (own, inner) or (isinstance(other, list) and one in other)


def _bare(value: Any) -> object:
    text = "\n".join(value) if isinstance(value, list) else str(value)
    try:
        return json.loads(text.strip().removesuffix(","))  # an element of a list
    except ValueError:
        return [line.strip() for line in text.strip().splitlines()]


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
