"""The columns of one Windows event, whatever shipper wrote it: see `connectors.formats.windows`.

A shape is a function here. The first place that has a value for a column wins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from connectors.formats.exact import Record, Value

Path: TypeAlias = tuple[str, ...]
Found: TypeAlias = "dict[str, Value]"
Wanted: TypeAlias = Collection[str] | None  # names, or all
Places: TypeAlias = tuple[tuple[str, str], ...]

# An own column, and the key that a section of the record has it under; the first that has a value wins.
# An agent's own clock has a zone; NXLog's EventTime is the host's wall clock, so it stays a column of its own.
NXLOG: Final[Places] = (
    ("EventID", "EventID"),
    ("Channel", "Channel"),
    ("Provider_Name", "Provider_Name"),
    ("Provider_Name", "SourceName"),
    ("Computer", "Computer"),
    ("Computer", "Hostname"),
    ("TimeCreated", "TimeCreated"),
    ("TimeCreated", "@timestamp"),
    ("EventRecordID", "EventRecordID"),
    ("EventRecordID", "RecordNumber"),
    ("Level", "Level"),
    ("Keywords", "Keywords"),
    ("Task", "Task"),
    ("Message", "Message"),
    ("Security_UserID", "UserID"),
)
OLD_BEAT: Final[Places] = (
    ("EventID", "event_id"),
    ("Channel", "log_name"),
    ("Provider_Name", "source_name"),
    ("Computer", "computer_name"),
    ("TimeCreated", "@timestamp"),
    ("EventRecordID", "record_number"),
    ("Level", "level"),
    ("Keywords", "keywords"),
    ("Task", "task"),
    ("Message", "message"),
)
OLD_BEAT_DEEP: Final[tuple[tuple[str, Path], ...]] = (("Security_UserID", ("user", "identifier")),)
BEAT: Final[Places] = (  # below "winlog"
    ("EventID", "event_id"),
    ("Channel", "channel"),
    ("Provider_Name", "provider_name"),
    ("Computer", "computer_name"),
    ("TimeCreated", "time_created"),
    ("EventRecordID", "record_id"),
    ("Level", "level"),
    ("Keywords", "keywords"),
    ("Task", "task"),
)
BEAT_DEEP: Final[tuple[tuple[str, Path], ...]] = (
    ("Level", ("log", "level")),
    ("Security_UserID", ("winlog", "user", "identifier")),
)
BEAT_OUTER: Final[Places] = (("TimeCreated", "@timestamp"), ("Message", "message"))
SYSTEM: Final[Places] = (  # below "Event", "System"
    ("EventID", "EventID"),
    ("Channel", "Channel"),
    ("Computer", "Computer"),
    ("EventRecordID", "EventRecordID"),
    ("Level", "Level"),
    ("Keywords", "Keywords"),
    ("Task", "Task"),
)
# an attribute as one of the EVTX readers writes it: below its element, in it, or beside it
ATTRIBUTES: Final[tuple[tuple[str, Path], ...]] = (
    ("Provider_Name", ("Provider", "#attributes", "Name")),
    ("Provider_Name", ("Provider", "@Name")),
    ("Provider_Name", ("Provider_attributes", "Name")),
    ("TimeCreated", ("TimeCreated", "#attributes", "SystemTime")),
    ("TimeCreated", ("TimeCreated", "@SystemTime")),
    ("TimeCreated", ("TimeCreated_attributes", "SystemTime")),
    ("Security_UserID", ("Security", "#attributes", "UserID")),
    ("Security_UserID", ("Security", "@UserID")),
    ("Security_UserID", ("Security_attributes", "UserID")),
)

# Winlogbeat's Sysmon and Security modules move data into ECS fields and drop the original.
MOVED: Final[tuple[tuple[str, Path], ...]] = (
    ("CommandLine", ("process", "command_line")),
    ("CurrentDirectory", ("process", "working_directory")),
    ("DestinationHostname", ("destination", "domain")),
    ("DestinationIp", ("destination", "ip")),
    ("DestinationPort", ("destination", "port")),
    ("Image", ("process", "executable")),
    ("ParentCommandLine", ("process", "parent", "command_line")),
    ("ParentImage", ("process", "parent", "executable")),
    ("ParentProcessGuid", ("process", "parent", "entity_id")),
    ("ParentProcessId", ("process", "parent", "pid")),
    ("PipeName", ("file", "name")),
    ("ProcessGuid", ("process", "entity_id")),
    ("ProcessId", ("process", "pid")),
    ("Protocol", ("network", "transport")),
    ("QueryName", ("dns", "question", "name")),
    ("RuleName", ("rule", "name")),
    ("SourceHostname", ("source", "domain")),
    ("SourceIp", ("source", "ip")),
    ("SourcePort", ("source", "port")),
    ("TargetFilename", ("file", "path")),
    ("TargetObject", ("registry", "path")),
)

# keys that hold attributes and not data
MARKS: Final = ("#", "@", "xmlns")
MARKED: Final = "_attributes"
NAMES: Final[tuple[Path, ...]] = (("#attributes", "Name"), ("@attributes", "Name"), ("$", "Name"), ("@Name",))


def pick(record: Record, wanted: Wanted) -> Found:
    """Return the columns of one event, whatever its shape: those wanted, or all."""
    found: Found = {}
    _shape(record)(record, wanted, found)
    return found


def _shape(record: Record) -> Callable[[Record, Wanted, Found], None]:
    if isinstance(record.get("Event"), dict):
        return _evtx
    if isinstance(record.get("winlog"), dict):
        return _beat
    return _old_beat if isinstance(record.get("event_data"), dict) or "log_name" in record else _nxlog


def _evtx(record: Record, wanted: Wanted, found: Found) -> None:
    event = cast("Record", record["Event"])
    system = event.get("System")
    if isinstance(system, dict):
        _keys(system, SYSTEM, wanted, found)
        _paths(system, ATTRIBUTES, wanted, found)
    _elements(event.get("EventData"), wanted, found)
    outer = event.get("UserData")
    for key, element in outer.items() if isinstance(outer, dict) else ():
        if isinstance(element, dict) and not _mark(key):
            _elements(element, wanted, found)
        elif wanted is None or key in wanted:
            _element(key, element, found)


def _beat(record: Record, wanted: Wanted, found: Found) -> None:
    log = cast("Record", record["winlog"])
    _paths(record, BEAT_DEEP, wanted, found)
    _keys(log, BEAT, wanted, found)
    _keys(record, BEAT_OUTER, wanted, found)
    for part in ("event_data", "user_data"):
        _fields(log.get(part), wanted, found)
    _paths(record, MOVED, wanted, found)


def _old_beat(record: Record, wanted: Wanted, found: Found) -> None:
    _keys(record, OLD_BEAT, wanted, found)
    _paths(record, OLD_BEAT_DEEP, wanted, found)
    for part in ("event_data", "user_data"):
        _fields(record.get(part), wanted, found)


def _nxlog(record: Record, wanted: Wanted, found: Found) -> None:
    _keys(record, NXLOG, wanted, found)
    for key, value in record.items():
        if value is not None and key not in found and (wanted is None or key in wanted):
            found[key] = value


def _keys(section: Record, places: Places, wanted: Wanted, found: Found) -> None:
    """Add the columns that a section has under these keys."""
    for name, key in places:
        value = section.get(key)
        if value is not None and name not in found and (wanted is None or name in wanted):
            if isinstance(value, dict):
                _put(found, name, _content(value))
            else:
                found[name] = value


def _paths(section: Record, places: Sequence[tuple[str, Path]], wanted: Wanted, found: Found) -> None:
    """Add the columns that stand deeper in a section."""
    for name, path in places:
        if path[0] in section and name not in found and (wanted is None or name in wanted):
            _put(found, name, _get(section, path))


def _elements(data: Value, wanted: Wanted, found: Found) -> None:
    for key, element in data.items() if isinstance(data, dict) else ():
        if isinstance(element, list) and any(isinstance(item, dict) for item in element):
            _named(key, element, wanted, found)
        elif wanted is None or key in wanted:
            _element(key, element, found)


def _named(key: str, elements: list[Value], wanted: Wanted, found: Found) -> None:
    """Read `"Data": [{"#attributes": {"Name": "X"}, "#text": "v"}]`, as plain XML converters write it."""
    unnamed: list[Value] = []
    for element in elements:
        names = (_get(element, path) for path in NAMES)
        name = next((name for name in names if type(name) is str), None)  # a number's type depends on the reader
        if not isinstance(name, str):
            unnamed.append(_content(element))
        elif wanted is None or name in wanted:
            _element(name, element, found)
    if unnamed and (wanted is None or key in wanted):
        _element(key, unnamed, found)


def _element(key: str, element: Value, found: Found) -> None:
    if key not in found and not key.startswith(MARKS) and not key.endswith(MARKED):
        value = _content(element) if isinstance(element, dict) else element
        found[key] = "" if value is None else value


def _content(element: Value) -> Value:
    """Return the text of an XML element as the EVTX readers write one that has attributes."""
    if isinstance(element, dict) and any(map(_mark, element)):
        return element.get("#text")
    return element


def _mark(key: str) -> bool:
    return key.startswith(MARKS) or key.endswith(MARKED)


def _fields(data: Value, wanted: Wanted, found: Found) -> None:
    """Add Winlogbeat's fields; it numbers what has no name."""
    unnamed: list[Value] = []
    for key, value in data.items() if isinstance(data, dict) else ():
        if key.startswith("param") and key[5:].isdigit():
            unnamed.append(value)
        if value is not None and key not in found and (wanted is None or key in wanted):
            found[key] = value
    if unnamed and (wanted is None or "Data" in wanted):
        found.setdefault("Data", unnamed)


def _put(found: Found, name: str, value: Value) -> None:
    if value is not None:
        found[name] = value


def _get(value: Value, path: Path) -> Value:
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return _content(value)
