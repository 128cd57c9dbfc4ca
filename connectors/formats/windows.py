r"""Windows events as JSON lines, in every shape that shippers write; one event has the same columns in each.

    {"Event": {"System": {"EventID": 4625, …}, "EventData": {"TargetUserName": "lan"}}}     evtx, evtx_dump
    {"winlog": {"event_id": "4625", "event_data": {"TargetUserName": "lan"}}}               Winlogbeat 7 and later
    {"event_id": 4625, "log_name": "Security", "event_data": {"TargetUserName": "lan"}}     Winlogbeat 5 and 6
    {"EventID": 4625, "SourceName": "Microsoft-…", "TargetUserName": "lan"}                 NXLog

Own columns: those of `CORE`, and the event's data fields under their own names; unnamed data is the list `Data`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.exact import Object, Value
from connectors.formats.frames import gather_parts
from connectors.formats.json_lines import ERROR, Reading, exactly, read
from connectors.formats.survey import Path

SYSTEM: Final = ("Event", "System")

# own column: where it stands in evtx, Winlogbeat 7, Winlogbeat 5, NXLog
CORE: Final[dict[str, tuple[tuple[Path, ...], tuple[Path, ...], tuple[Path, ...], tuple[Path, ...]]]] = {
    "EventID": (((*SYSTEM, "EventID"),), (("winlog", "event_id"),), (("event_id",),), (("EventID",),)),
    "Channel": (((*SYSTEM, "Channel"),), (("winlog", "channel"),), (("log_name",),), (("Channel",),)),
    "Provider_Name": (
        (
            (*SYSTEM, "Provider", "#attributes", "Name"),
            (*SYSTEM, "Provider", "@Name"),
            (*SYSTEM, "Provider_attributes", "Name"),
        ),
        (("winlog", "provider_name"),),
        (("source_name",),),
        (("Provider_Name",), ("SourceName",)),
    ),
    "Computer": (
        ((*SYSTEM, "Computer"),),
        (("winlog", "computer_name"),),
        (("computer_name",),),
        (("Computer",), ("Hostname",)),
    ),
    # An agent's own clock has a zone; NXLog's EventTime is the host's wall clock, so it comes last.
    "TimeCreated": (
        (
            (*SYSTEM, "TimeCreated", "#attributes", "SystemTime"),
            (*SYSTEM, "TimeCreated", "@SystemTime"),
            (*SYSTEM, "TimeCreated_attributes", "SystemTime"),
        ),
        (("winlog", "time_created"), ("@timestamp",)),
        (("@timestamp",),),
        (("TimeCreated",), ("@timestamp",), ("EventTime",)),
    ),
    "EventRecordID": (
        ((*SYSTEM, "EventRecordID"),),
        (("winlog", "record_id"),),
        (("record_number",),),
        (("EventRecordID",), ("RecordNumber",)),
    ),
    "Level": (((*SYSTEM, "Level"),), (("log", "level"), ("winlog", "level")), (("level",),), (("Level",),)),
    "Keywords": (((*SYSTEM, "Keywords"),), (("winlog", "keywords"),), (("keywords",),), (("Keywords",),)),
    "Task": (((*SYSTEM, "Task"),), (("winlog", "task"),), (("task",),), (("Task",),)),
    "Message": ((), (("message",),), (("message",),), (("Message",),)),
}

# Winlogbeat's Sysmon and Security modules move data into ECS fields and drop the original.
MOVED: Final[dict[str, Path]] = {
    "CommandLine": ("process", "command_line"),
    "CurrentDirectory": ("process", "working_directory"),
    "DestinationHostname": ("destination", "domain"),
    "DestinationIp": ("destination", "ip"),
    "DestinationPort": ("destination", "port"),
    "Image": ("process", "executable"),
    "ParentCommandLine": ("process", "parent", "command_line"),
    "ParentImage": ("process", "parent", "executable"),
    "ParentProcessGuid": ("process", "parent", "entity_id"),
    "ParentProcessId": ("process", "parent", "pid"),
    "PipeName": ("file", "name"),
    "ProcessGuid": ("process", "entity_id"),
    "ProcessId": ("process", "pid"),
    "Protocol": ("network", "transport"),
    "QueryName": ("dns", "question", "name"),
    "RuleName": ("rule", "name"),
    "SourceHostname": ("source", "domain"),
    "SourceIp": ("source", "ip"),
    "SourcePort": ("source", "port"),
    "TargetFilename": ("file", "path"),
    "TargetObject": ("registry", "path"),
}

# An element's value may be an empty element (null) or stand in an unknown one below UserData: the exact reader knows.
EVTX_DOUBT: Final = pl.col("line").str.contains(r'"UserData"|"Data"\s*:\s*\[\s*\{|"EventData".*:\s*null')
BEAT_DOUBT: Final = pl.col("line").str.contains(r'"user_data"|"param\d+"')


@dataclass(frozen=True, slots=True)
class Windows:
    """Reads the four shapes, also mixed in one batch."""

    name: ClassVar[str] = "windows"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        names = sorted(wanted or ())
        if wanted is None:
            return exactly(original, Reading({}, values), None)
        parts = []
        for shape, rows in enumerate(_shapes(original)):
            if rows.len():
                reading = Reading({name: _paths(name, shape) for name in names}, values, MARKERS[shape], DOUBTS[shape])
                parts.append((rows, read(original if rows.len() == original.len() else original.gather(rows), reading)))
        if len(parts) == 1:
            return parts[0][1]
        empty = pl.DataFrame(schema=dict.fromkeys([*names, ERROR], pl.String))
        return gather_parts(parts, original.len()) if parts else empty


MARKERS: Final = ("Event", "winlog", "event_data", None)
KEYS: Final = ("Event", "winlog", "event_data", "log_name")
DOUBTS: Final[tuple[pl.Expr | None, ...]] = (EVTX_DOUBT, BEAT_DOUBT, BEAT_DOUBT, None)


def _shapes(original: pl.Series) -> list[pl.Series]:
    """Return the rows of each shape, told by a key that only this shape has."""
    line = pl.col("line")
    frame = original.fill_null("").alias("line").to_frame()
    named = frame.select(line.str.contains(f'"{key}"', literal=True).alias(key) for key in KEYS)
    if not any(column.any() for column in named):
        return [*[pl.Series([], dtype=pl.UInt32)] * 3, pl.arange(original.len(), dtype=pl.UInt32, eager=True)]
    kinds = frame.select(
        pl.when(line.str.contains(r'"Event"\s*:'))
        .then(0)
        .when(line.str.contains(r'"winlog"\s*:'))
        .then(1)
        .when(line.str.contains(r'"(?:event_data|log_name)"\s*:'))
        .then(2)
        .otherwise(3)
    ).to_series()
    return [(kinds == shape).arg_true() for shape in range(4)]


def _paths(name: str, shape: int) -> list[Path]:
    """Return where the fast reader looks for an own column in events of one shape."""
    data: tuple[list[Path], ...] = (
        [("Event", "EventData", name)],
        [("winlog", "event_data", name), *([MOVED[name]] if name in MOVED else [])],
        [("event_data", name)],
        [(name,)],
    )
    return list(dict.fromkeys([*(CORE[name][shape] if name in CORE else ()), *data[shape]]))


def values(record: Object, names: Iterable[str] | None) -> Mapping[str, Value]:
    """Return the columns of one event, whatever its shape."""
    shape = _shape(record)
    found: dict[str, Value] = {}
    for name, places in CORE.items():
        _put(found, name, next((value for path in places[shape] if (value := _get(record, path)) is not None), None))
    READERS[shape](record, found)
    if names is None:
        return found
    return {name: found[name] for name in names if name in found}


def _shape(record: Object) -> int:
    if isinstance(record.get("Event"), Object):
        return 0
    if isinstance(record.get("winlog"), Object):
        return 1
    return 2 if isinstance(record.get("event_data"), Object) or "log_name" in record else 3


def _evtx(record: Object, found: dict[str, Value]) -> None:
    _elements(_get(record, ("Event", "EventData")), found)
    outer = _get(record, ("Event", "UserData"))
    for key, element in outer.items() if isinstance(outer, Object) else ():
        if isinstance(element, Object) and not _mark(key):
            _elements(element, found)
        else:
            _element(key, element, found)


def _elements(data: Value, found: dict[str, Value]) -> None:
    for key, element in data.items() if isinstance(data, Object) else ():
        if isinstance(element, list) and any(isinstance(item, Object) for item in element):
            _named(key, element, found)
        else:
            _element(key, element, found)


def _named(key: str, elements: list[Value], found: dict[str, Value]) -> None:
    """Read `"Data": [{"#attributes": {"Name": "X"}, "#text": "v"}]`, as plain XML converters write it."""
    unnamed: list[Value] = []
    for element in elements:
        names = (_get(element, (*at, "Name")) for at in (("#attributes",), ("@attributes",), ("$",)))
        name = next((name for name in names if isinstance(name, str)), _get(element, ("@Name",)))
        if isinstance(name, str):
            _element(name, element, found)
        else:
            unnamed.append(_content(element))
    if unnamed:
        _element(key, unnamed, found)


def _element(key: str, element: Value, found: dict[str, Value]) -> None:
    if not _mark(key):
        found.setdefault(key, "" if (value := _content(element)) is None else value)


def _content(element: Value) -> Value:
    """Return the text of an XML element as the EVTX readers write one that has attributes."""
    if isinstance(element, Object) and any(map(_mark, element)):
        return element.get("#text")
    return element


def _mark(key: str) -> bool:
    return key.startswith(("#", "@", "xmlns")) or key.endswith("_attributes")


def _beat(record: Object, found: dict[str, Value]) -> None:
    log = record["winlog"]
    for part in ("event_data", "user_data"):
        _fields(_get(log, (part,)), found)
    for name, path in MOVED.items():
        _put(found, name, _get(record, path))


def _old_beat(record: Object, found: dict[str, Value]) -> None:
    for part in ("event_data", "user_data"):
        _fields(record.get(part), found)


def _fields(data: Value, found: dict[str, Value]) -> None:
    unnamed: list[Value] = []
    for key, value in data.items() if isinstance(data, Object) else ():
        if key.startswith("param") and key[5:].isdigit():
            unnamed.append(value)  # Winlogbeat numbers what has no name
        _put(found, key, value)
    if unnamed:
        _put(found, "Data", unnamed)


def _flat(record: Object, found: dict[str, Value]) -> None:
    for key, value in record.items():
        _put(found, key, value)


READERS: Final[tuple[Callable[[Object, dict[str, Value]], None], ...]] = (_evtx, _beat, _old_beat, _flat)


def _put(found: dict[str, Value], name: str, value: Value) -> None:
    if value is not None:
        found.setdefault(name, value)


def _get(value: Value, path: Path) -> Value:
    for key in path:
        value = value.get(key) if isinstance(value, Object) else None
    return _content(value)
