r"""Windows events as JSON lines, in every shape that shippers write; one event has the same columns in each.

    {"Event": {"System": {"EventID": 4625, …}, "EventData": {"TargetUserName": "lan"}}}     evtx, evtx_dump
    {"winlog": {"event_id": "4625", "event_data": {"TargetUserName": "lan"}}}               Winlogbeat 7 and later
    {"event_id": 4625, "log_name": "Security", "event_data": {"TargetUserName": "lan"}}     Winlogbeat 5 and 6
    {"EventID": 4625, "SourceName": "Microsoft-…", "TargetUserName": "lan"}                 NXLog

Own columns: those of `CORE`, and the event's data fields under their own names; unnamed data is the list `Data`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats.json_lines import Lines, Read, Reading, framed, read
from connectors.formats.layout import ANY, BLANK, CONTENT, FLAT, ODD_OBJECT, ODD_VALUE, Layout, Path, Place, Shape
from connectors.windows_event import (
    ATTRIBUTES,
    BEAT,
    BEAT_DEEP,
    BEAT_OUTER,
    MARKED,
    MARKS,
    MOVED,
    NXLOG,
    OLD_BEAT,
    OLD_BEAT_DEEP,
    SYSTEM,
    pick,
)

EVTX_SHAPE, BEAT_SHAPE, OLD_BEAT_SHAPE, NXLOG_SHAPE = range(4)
SIGNS: Final[dict[Path, int]] = {("log_name",): OLD_BEAT_SHAPE}
OBJECT_SIGNS: Final[dict[Path, int]] = {
    ("Event",): EVTX_SHAPE,
    ("winlog",): BEAT_SHAPE,
    ("event_data",): OLD_BEAT_SHAPE,
}
PARTS: Final = ("event_data", "user_data")
# Winlogbeat numbers data that has no name; no event is known to have more
NUMBERED: Final = tuple(f"param{number}" for number in range(200))
DATA, USER_DATA = ("Event", "EventData"), ("Event", "UserData", ANY)  # user data stands in an element of any name


@dataclass(frozen=True, slots=True)
class Windows:
    """Reads the four shapes, also mixed in one batch."""

    name: ClassVar[str] = "windows"
    structured: ClassVar[bool] = True

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        return framed(self.read(Lines(original), wanted), wanted)

    def read(self, lines: Lines, wanted: frozenset[str] | None) -> Read:
        """Do the same with lines that their source may have in one piece; columns are made when they are asked for."""
        return read(lines, Reading(layout, pick), wanted)


def layout(wanted: frozenset[str]) -> Layout:
    """Return where the wanted columns stand in each of the shapes."""
    others = {(*path, ANY): FLAT for path in (DATA, USER_DATA)}  # a list of objects may name what is in it
    others |= {("Event", "UserData", name): ODD_VALUE for name in wanted}
    if "Data" in wanted:
        paths = [("winlog", part, key) for part in PARTS for key in NUMBERED] + [
            (p, k) for p in PARTS for k in NUMBERED
        ]
        others |= dict.fromkeys(paths, ODD_VALUE)
    return Layout([_evtx(wanted), _beat(wanted), _old_beat(wanted), _nxlog(wanted)], SIGNS, OBJECT_SIGNS, others)


def _evtx(wanted: frozenset[str]) -> Shape:
    system = [(name, Place(("Event", "System", key), CONTENT)) for name, key in SYSTEM]
    attributes = [(name, Place(("Event", "System", *path), ODD_OBJECT)) for name, path in ATTRIBUTES]
    names = sorted(name for name in wanted if not (name.startswith(MARKS) or name.endswith(MARKED)))
    data = [(name, Place((*path, name), CONTENT | BLANK | FLAT)) for path in (DATA, USER_DATA) for name in names]
    return _shape(wanted, [*system, *attributes, *data])


def _beat(wanted: frozenset[str]) -> Shape:
    return _shape(
        wanted,
        [
            *_objects(BEAT_DEEP),
            *_objects((name, ("winlog", key)) for name, key in BEAT),
            *_objects((name, (key,)) for name, key in BEAT_OUTER),
            *((name, Place(("winlog", part, name))) for part in PARTS for name in sorted(wanted)),
            *_objects(MOVED),
        ],
    )


def _old_beat(wanted: frozenset[str]) -> Shape:
    outer = _objects((name, (key,)) for name, key in OLD_BEAT)
    return _shape(
        wanted,
        [*outer, *_objects(OLD_BEAT_DEEP), *((name, Place((part, name))) for part in PARTS for name in sorted(wanted))],
    )


def _nxlog(wanted: frozenset[str]) -> Shape:
    known = _objects((name, (key,)) for name, key in NXLOG)
    return _shape(wanted, [*known, *((name, Place((name,))) for name in sorted(wanted))])


def _objects(places: Iterable[tuple[str, Path]]) -> Iterable[tuple[str, Place]]:
    """Return places where an object may stand for the text in it."""
    return ((name, Place(path, ODD_OBJECT)) for name, path in places)


def _shape(wanted: frozenset[str], places: Iterable[tuple[str, Place]]) -> Shape:
    shape: dict[str, list[Place]] = {}
    for name, place in places:
        if name in wanted:
            shape.setdefault(name, []).append(place)
    return shape
