"""The reference logs with the documents expected of them, and what is given beside the lines: zone, year, fields."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import yaml

Document = dict[str, Any]
SUFFIX: Final = "-expected.json"
NAMED: Final = re.compile(r"^(?:user|group)\b.*\bname$|^file\.(?:owner|group)$")


@dataclass(frozen=True, slots=True)
class Case:
    """A file, or the lines it holds, and a document per record: None where a record is no event.

    `given` are fields that stand beside each line and that a parser can't find in it; `dynamic` ones change each time.
    """

    folder: str
    path: Path
    expected: list[Document | None]
    lines: list[str] | None = None
    given: list[Document] = field(default_factory=list)
    dynamic: frozenset[str] = frozenset()
    zone: str | None = "UTC"  # None where nobody told one: then that of the machine
    settings: frozenset[str] = frozenset()  # names that the pipeline was told beside
    resolved: bool = False  # whether numbers of users and groups were looked up on the machine

    @property
    def year(self) -> int | None:
        """Return the year that most events are of: lines that leave it out were expected in it."""
        times = [str(one["@timestamp"])[:4] for one in self.expected if one and "@timestamp" in one]
        return int(Counter(times).most_common(1)[0][0]) if times else None

    def told_at(self, place: int) -> Document:
        """Return what is expected of a record, but for names that its machine knew for numbers and no record has."""
        expected = self.expected[place] or {}
        if not self.resolved:
            return expected
        record = str(expected.get("event.original"))
        return {name: value for name, value in expected.items() if not NAMED.search(name) or str(value) in record}

    def given_at(self, place: int) -> Document:
        """Return what is given beside a record."""
        return self.given[place] if len(self.given) > 1 else self.given[0] if self.given else {}


def flat(value: Mapping[str, Any], prefix: str = "") -> Document:
    """Return a document with dotted names."""
    found: Document = {}
    for key, below in value.items():
        found |= flat(below, f"{prefix}{key}.") if isinstance(below, dict) and below else {f"{prefix}{key}": below}
    return found


def cases(reference: Path) -> Iterator[Case]:
    """Yield every case below the folder of reference logs."""
    for path in sorted((reference / "elastic-integrations").glob(f"*/*/*{SUFFIX}")):
        yield _integration(reference, path)
    for path in sorted((reference / "elastic-beats").rglob(f"*{SUFFIX}")):
        yield _beat(reference, path)
    for path in sorted((reference / "evtx" / "winlogbeat-golden").glob("*/*.golden.json")):
        expected: list[Document | None] = [flat(one) for one in json.loads(path.read_text("utf-8"))]
        yield Case(f"winlogbeat/{path.parent.name}", path.with_name(path.name.removesuffix(".golden.json")), expected)


def _integration(reference: Path, path: Path) -> Case:
    log = path.with_name(path.name.removesuffix(SUFFIX))
    configs = [path.with_name("test-common-config.yml"), path.with_name(f"{log.name}-config.yml")]
    read = [yaml.safe_load(each.read_text("utf-8")) or {} for each in configs if each.exists()]
    config: Document = reduce(or_, read, {})
    fields: Document = reduce(or_, (flat(each.get("fields") or {}) for each in read), {})
    expected = [one and flat(one) for one in json.loads(path.read_text("utf-8"))["expected"]]
    settings = frozenset(_texts((config.get("fields") or {}).get("_conf")))
    if "@timestamp" in fields and log.suffix != ".json":
        fields["event.created"] = fields["@timestamp"]  # when it was collected, which no line tells
    zone = next((str(value) for name, value in fields.items() if name.endswith("tz_offset")), "UTC")
    zone = fields.get("event.timezone", zone)
    lines, given = None, [fields]
    if log.suffix == ".json":
        events = json.loads(log.read_text("utf-8"))["events"]
        lines = [_line(event) for event in events]
        given = [_beside(event) | fields for event in events]
    dynamic = frozenset(config.get("dynamic_fields") or {})
    return Case(str(path.parent.relative_to(reference)), log, expected, lines, given, dynamic, _zone(zone), settings)


def _texts(value: object) -> Iterator[str]:
    """Yield the texts within a value."""
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _texts(below)
    elif isinstance(value, str):
        yield value


def _beside(event: Document) -> Document:
    """Return what stands beside the line that an event was made of."""
    if "message" in event and not _whole(event):
        return flat(event)
    inner = event.get("event")
    return {"event.original": inner["original"]} if isinstance(inner, dict) and "original" in inner else {}


def _whole(event: Document) -> bool:
    """Say whether a shipper read the record already: then all that it wrote is the line, whose `message` is prose."""
    return "winlog" in event or "auditd" in event


def _line(event: Document) -> str:
    """Return the line that an event was made of."""
    if _whole(event):
        return json.dumps(event)
    inner = event.get("event")
    original = inner.get("original") if isinstance(inner, dict) else None
    raw = original if isinstance(original, str) and original.startswith("{") else None
    line = event.get("message") or raw
    return line if isinstance(line, str) else json.dumps(event)


def _beat(reference: Path, path: Path) -> Case:
    log = path.with_name(path.name.removesuffix(SUFFIX))
    documents = json.loads(path.read_text("utf-8"))
    expected = [flat(one) for one in documents]
    zones = [one["event.timezone"] for one in expected if "event.timezone" in one]
    folder = str(path.parent.relative_to(reference))
    return Case(folder, log, list(expected), zone=_zone(zones[0]) if zones else None, resolved="auditbeat" in folder)


def _zone(text: str) -> str:
    offset = re.sub(r"^([+-])(\d)$", r"\g<1>0\2:00", text.removeprefix("GMT"))  # GMT+2
    return {"local": "UTC"}.get(text, offset or "UTC")
