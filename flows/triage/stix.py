"""An incident as STIX 2.1: incident, observed data, attack patterns, and the objects that were seen.

Ids hold for ever. Those of observables follow the specification (UUIDv5 in its namespace over the properties that
identify them); those of the other objects are UUIDv5 in a namespace of our own, as the specification asks of
whoever doesn't draw them by lot. Times come from the findings, so the same incident gives the same bytes.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from detectors.attack import techniques
from flows.terminal import visible
from flows.triage.story import Row, Story

OBSERVABLES: Final = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1, section 2.9
OURS: Final = uuid5(NAMESPACE_URL, "https://soc.gialai.gov.vn/stix")
MOST: Final = 999_999_999  # number_observed
LONGEST: Final = 4_000  # characters of a description
Object = dict[str, Any]


def stix(story: Story) -> Object:
    """Return the bundle."""
    begin, end = _edges(story)
    us = _ours("identity", "soc", begin, begin, name="SOC", identity_class="organization")
    seen: dict[str, Object] = {}
    data = list(_observed(story, us["id"], seen))
    patterns = list(_patterns(story, us["id"], begin))
    case = _ours(
        "incident",
        story.case.id,
        begin,
        end,
        created_by_ref=us["id"],
        name=_text(story.title, 500),
        description=_text(
            "\n".join(f"{stamp(_time(row))} {row['message'] or row['rule.name']}" for row in story.findings)
        ),
    )
    linked = [_linked(case, other, us["id"], begin) for other in (*data, *patterns)]
    objects = [us, case, *patterns, *data, *seen.values(), *linked]
    return {"type": "bundle", "id": f"bundle--{uuid5(OURS, story.case.id)}", "objects": objects}


def stamp(time: datetime) -> str:
    """Return a time as STIX writes it: `2026-11-28T03:00:00.000Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _observed(story: Story, us: str, seen: dict[str, Object]) -> Iterator[Object]:
    """Yield observed data per finding that names anything, and enter what it names."""
    for row in story.findings:
        refs = []
        for each in _observables(row):
            seen.setdefault(each["id"], each)
            refs.append(each["id"])
        if refs:
            first, last = _time(row), row["event.end"] or _time(row)
            yield _ours(
                "observed-data",
                row["event.id"],
                first,
                first,
                created_by_ref=us,
                first_observed=stamp(first),
                last_observed=stamp(max(first, last)),
                number_observed=min(max(row["soc.count"] or 1, 1), MOST),
                object_refs=list(dict.fromkeys(refs)),
            )


def _observables(row: Row) -> Iterator[Object]:
    for value in (*(row["source.ip"] or ()), *(row["destination.ip"] or ())):
        try:
            kind = f"ipv{ipaddress.ip_address(value).version}-addr"
        except ValueError:
            continue  # a log may hold a name where an address belongs
        yield _observable(kind, value=value)
    for name in row["user.name"] or ():
        if name:
            yield _observable("user-account", account_login=name)
    for name in row["host.name"] or ():
        if name:
            yield _observable("domain-name", value=name)
    for path in row["url.original"] or ():
        if path and "://" in path:
            yield _observable("url", value=path)


def _observable(kind: str, **identifying: str) -> Object:
    """Return an observable; its id is made of what identifies it, as canonical JSON (RFC 8785)."""
    name = uuid5(OBSERVABLES, orjson.dumps(identifying, option=orjson.OPT_SORT_KEYS).decode())
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{name}", **identifying}


def _patterns(story: Story, us: str, time: datetime) -> Iterator[Object]:
    named = dict.fromkeys(each for row in story.findings for each in row["threat.technique.id"] or () if each)
    for technique in named:
        known = techniques().get(technique)
        yield _ours(
            "attack-pattern",
            technique,
            time,
            time,
            created_by_ref=us,
            name=known.name if known else technique,
            external_references=[
                {
                    "source_name": "mitre-attack",
                    "external_id": technique,
                    "url": f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}",
                }
            ],
        )


def _linked(case: Mapping[str, Any], other: Mapping[str, Any], us: str, time: datetime) -> Object:
    return _ours(
        "relationship",
        f"{case['id']} {other['id']}",
        time,
        time,
        created_by_ref=us,
        relationship_type="related-to",
        source_ref=case["id"],
        target_ref=other["id"],
    )


def _ours(kind: str, key: str, created: datetime, modified: datetime, **more: object) -> Object:
    return {
        "type": kind,
        "spec_version": "2.1",
        "id": f"{kind}--{uuid5(OURS, f'{kind} {key}')}",
        "created": stamp(created),
        "modified": stamp(max(created, modified)),
        **more,
    }


def _edges(story: Story) -> tuple[datetime, datetime]:
    times = [_time(row) for row in story.findings] or [datetime(1970, 1, 1, tzinfo=UTC)]
    return min(times), max(times)


def _time(row: Row) -> datetime:
    time = row["@timestamp"]
    return time if isinstance(time, datetime) else datetime(1970, 1, 1, tzinfo=UTC)


def _text(text: str, most: int = LONGEST) -> str:
    return visible(text[:most], keep="\n")
