"""One Windows event in every shape that shippers write, made from its record in an event log.

A shape holds what its shipper would send: the same texts in other places, numbers as texts where it writes texts, and
for `RENDERED` columns a name instead of a number.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
Data = list[tuple[str | None, Any]]  # name (if it has one) and value, in order

# columns for which Winlogbeat writes what Windows shows: "Audit Success" for 0x8020000000000000
RENDERED = frozenset({"Keywords", "Level", "Task"})
LEVELS = {0: "information", 1: "critical", 2: "error", 3: "warning", 4: "information", 5: "verbose"}


@dataclass(frozen=True)
class Event:
    """An event as its log tells it."""

    system: Record
    provider: str
    user: str | None
    time: str
    event_id: int
    data: Data
    user_data: tuple[str, Data] | None


def event(line: str) -> Event:
    """Read a record as the EVTX parser writes it."""
    record = json.loads(line)["Event"]
    system, user_data = record["System"], record.get("UserData")
    ((name, element),) = user_data.items() if user_data else ((None, None),)
    return Event(
        system=system,
        provider=system["Provider"]["#attributes"]["Name"],
        user=(system.get("Security") or {}).get("#attributes", {}).get("UserID"),
        time=system["TimeCreated"]["#attributes"]["SystemTime"],
        event_id=_content(system["EventID"]),
        data=_data(record.get("EventData")),
        user_data=(name, _data(element)) if name else None,
    )


def _data(element: Record | None) -> Data:
    found: Data = []
    for name, value in (element or {}).items():
        if name.startswith("#"):
            continue
        content = _content(value)
        if name == "Data":
            found += [(None, each) for each in (content if isinstance(content, list) else [content])]
        else:
            found.append((name, content))
    return found


def _content(value: Any) -> Any:
    return value["#text"] if isinstance(value, dict) and "#text" in value else value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str("" if value is None else value)


def winlogbeat(given: Event) -> Record:
    """Return what Winlogbeat 7 and 8 send."""
    return {
        "@timestamp": given.time,
        "event": {"kind": "event", "code": str(given.event_id), "provider": given.provider},
        "host": {"name": given.system["Computer"]},
        "log": {"level": LEVELS[given.system["Level"]]},
        "winlog": {
            "api": "wineventlog",
            "channel": given.system["Channel"],
            "computer_name": given.system["Computer"],
            "event_id": str(given.event_id),
            "provider_name": given.provider,
            "record_id": given.system["EventRecordID"],
            **_keywords(given),
            **({"user": {"identifier": given.user}} if given.user else {}),
            **_beat_data(given),
        },
    }


def old_winlogbeat(given: Event) -> Record:
    """Return what Winlogbeat 5 and 6 send."""
    return {
        "@timestamp": given.time,
        "beat": {"name": "collector", "version": "6.8.0"},
        "computer_name": given.system["Computer"],
        "event_id": given.event_id,
        "level": LEVELS[given.system["Level"]].title(),
        "log_name": given.system["Channel"],
        "record_number": str(given.system["EventRecordID"]),
        "source_name": given.provider,
        "type": "wineventlog",
        **_keywords(given),
        **({"user": {"identifier": given.user}} if given.user else {}),
        **_beat_data(given),
    }


def _keywords(given: Event) -> Record:
    """Return the audit's result by its name."""
    names = {
        "0x8020000000000000": "Audit Success",
        "0x4020000000000000": "Audit Success",
        "0x8010000000000000": "Audit Failure",
    }
    name = names.get(given.system["Keywords"])
    return {"keywords": [name]} if name else {}


def _beat_data(given: Event) -> Record:
    """Return the data: all texts, those without a name numbered."""
    sections: Record = {}
    unnamed = 0
    for name, value in given.data:
        unnamed += name is None
        sections.setdefault("event_data", {})[name or f"param{unnamed}"] = _text(value)
    if given.user_data:
        element, data = given.user_data
        sections["user_data"] = {"xml_name": element, **{str(name): _text(value) for name, value in data}}
    return sections


def nxlog(given: Event) -> Record:
    """Return what NXLog sends: everything side by side."""
    return {
        "EventTime": given.time.replace("T", " ")[:19],
        "@timestamp": given.time,
        "Hostname": given.system["Computer"],
        "Keywords": given.system["Keywords"],
        "Level": str(given.system["Level"]),
        "Task": str(given.system["Task"]),
        "EventID": given.event_id,
        "SourceName": given.provider,
        "RecordNumber": given.system["EventRecordID"],
        "Channel": given.system["Channel"],
        **({"UserID": given.user} if given.user else {}),
        "SourceModuleName": "eventlog",
        "SourceModuleType": "im_msvistalog",
        **{name: _text(value) for name, value in given.data if name},
    }


def _xml(given: Event, attribute: Callable[[Record], Record], datum: Callable[[str | None, str], Any]) -> Record:
    """Return the event as a converter of any XML writes it: attributes and data as these two say, all of it texts."""
    system: Record = {}
    for name, value in given.system.items():
        attributes = value.get("#attributes", {}) if isinstance(value, dict) else {}
        text = _content(value) if not isinstance(value, dict) or "#text" in value else None
        content = {} if text is None else {"#text": _text(text)}
        system[name] = {**attribute(attributes), **content} if attributes else content.get("#text")
    body: Record = {"System": system}
    if given.user_data:
        element, data = given.user_data
        body["UserData"] = {element: {name: _text(value) for name, value in data}}
    else:
        named = [datum(name, _text(value)) for name, value in given.data if name != "Binary"]
        body["EventData"] = {"Data": named, **{str(name): _text(v) for name, v in given.data if name == "Binary"}}
    return {"Event": body}


def at_signs(given: Event) -> Record:
    """Return what xmltodict and its kin write: `{"@Name": "Image", "#text": "…"}`."""

    def datum(name: str | None, text: str) -> Any:
        named = {"@Name": name} if name else {}
        return {**named, **({"#text": text} if text else {})} if named else text

    return _xml(given, lambda attributes: {f"@{name}": _text(value) for name, value in attributes.items()}, datum)


def attribute_objects(given: Event) -> Record:
    """Return what older EVTX tools write: `{"#attributes": {"Name": "Image"}, "#text": "…"}`."""

    def datum(name: str | None, text: str) -> Any:
        return {**({"#attributes": {"Name": name}} if name else {}), "#text": text}

    return _xml(given, lambda attributes: {"#attributes": attributes}, datum)


def separate_attributes(given: Event) -> Record:
    """Return what `evtx_dump --separate-json-attributes` writes: `"Provider_attributes": {"Name": "…"}`."""
    body: Record = {"System": _separated(given.system)}
    if given.user_data:
        element, data = given.user_data
        body["UserData"] = {element: dict(data)}
    else:
        unnamed = [value for name, value in given.data if name is None]
        body["EventData"] = {name: value for name, value in given.data if name} | ({"Data": unnamed} if unnamed else {})
    return {"Event": body}


def _separated(section: Record) -> Record:
    found: Record = {}
    for name, value in section.items():
        if isinstance(value, dict):
            found[f"{name}_attributes"] = value["#attributes"]
            if "#text" in value:
                found[name] = value["#text"]
        else:
            found[name] = value
    return found


SHAPES: dict[str, Callable[[Event], Record]] = {
    "Winlogbeat 7 and 8": winlogbeat,
    "Winlogbeat 5 and 6": old_winlogbeat,
    "NXLog": nxlog,
    "at signs": at_signs,
    "attribute objects": attribute_objects,
    "separate attributes": separate_attributes,
}


def carries(shape: str, given: Event) -> bool:
    """Say whether a shape holds all of an event: NXLog tells data without names in the message only."""
    return shape != "NXLog" or (given.user_data is None and all(name for name, _ in given.data))
