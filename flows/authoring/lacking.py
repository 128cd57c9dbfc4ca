"""The events that tests lack: one for each thing that may be left out of a rule unnoticed, where one can be made up.

What the tests of the rule hold already is changed in one place, so that it matches by that thing alone, or by all but
that thing. Each is tried before it is proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

import yaml

from detectors.contracts import Dialect
from detectors.sigma import glob
from detectors.sigma.asking import Asking
from detectors.sigma.document import Document
from detectors.sigma.logsources import EVERYTHING
from detectors.sigma.outline import Change, Piece, pieces
from detectors.sigma.predicates import Predicate, predicates
from detectors.sigma.rule import Rule
from detectors.sigma.valuelist import Lists
from flows import ruletests
from flows.assembly import Parts
from flows.authoring import mutation

Event = dict[str, Any]
OTHER = "something else"
WHOLE = "message"  # where keywords are put


def lacking(rule: Rule, parts: Parts, lists: Lists) -> dict[bool, list[Event]]:
    """Return events that must match, and that must not, for tests to notice what they don't."""
    tried, document = mutation.leave_out(rule, parts, lists), ruletests.document_of(rule)
    found: dict[bool, list[Event]] = {True: [], False: []}
    if tried is None or document is None or not tried.unnoticed:
        return found
    bases = [*_known(rule, document, parts, tried.top), _true(tried.top), {}]
    for change in tried.unnoticed:
        made = next(_telling(rule, tried.top, change, bases), None)
        if made is not None and made[1] not in found[made[0]]:
            found[made[0]].append(made[1])
    return found


def text(found: Mapping[bool, Sequence[Event]]) -> str:
    """Return events as tests, to be put at the end of a rule."""
    names = {True: "each of the things it looks for", False: "all but one of what it asks for"}
    lines: list[str] = []
    for match, events in found.items():
        if events:
            lines += [f"    - name: {names[match]}", f"      match: {str(match).lower()}", "      events:"]
            lines += [f"          - {_flow(event)}" for event in events]
    return "".join(f"{line}\n" for line in lines)


def _flow(event: Event) -> str:
    return yaml.safe_dump(event, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000).strip()


def _known(rule: Rule, document: Document, parts: Parts, top: Piece) -> Iterator[Event]:
    """Yield what the rule sees of each event of its tests."""
    fields = dict.fromkeys(asked.field for piece in pieces(top) if piece.asks for asked in predicates(piece.asks))
    for case, made in ruletests.runnable(rule, document, parts):
        asking = Asking(made.dialect, made.events)
        seen = {name: asking.seen(name, EVERYTHING) for name in fields if name is not None}
        rows = range(made.events.height)
        yield from case.events or (
            {name: each[0] for name, values in seen.items() if (each := values[row])} for row in rows
        )


def _telling(rule: Rule, top: Piece, change: Change, bases: Sequence[Event]) -> Iterator[tuple[bool, Event]]:
    """Yield events that match, or don't, because of what a change leaves out; tried one by one."""
    for base in bases:
        for set_to in _settings(change):
            event = {name: value for name, value in {**base, **set_to}.items() if value is not None}
            dialect = Dialect("test", rule.logsource, {}, structured=True)
            asking = Asking(dialect, ruletests.frame([event])) if event else None
            if asking is not None:
                matches, changed = (asking.matched(top, [EVERYTHING], each) for each in (None, change))
                if matches != changed:
                    yield bool(matches), event


def _settings(change: Change) -> list[Event]:
    """Return what may make the piece decide that a change leaves out."""
    if change.at is None:
        return [_true(change.piece), _false(change.piece)]
    piece, target = change.piece, change.piece.parts[change.at]
    others = [part for at, part in enumerate(piece.parts) if at != change.at]
    if piece.kind == "all":
        return [_true(target), _false(target), {**_false(target), **_merged(map(_true, others))}]
    return [_true(target), _false(target), {**_merged(map(_false, others)), **_true(target)}]


def _merged(events: Iterable[Event]) -> Event:
    """Return what events set; texts of one field stand one after the other."""
    made: Event = {}
    for event in events:
        for name, value in event.items():
            both = isinstance(made.get(name), str) and isinstance(value, str) and value != OTHER
            made[name] = f"{made[name]} {value}" if both else value
    return made


def _true(piece: Piece) -> Event:
    """Return what makes a piece true."""
    if piece.asks is not None:
        return _fitting(predicates(piece.asks)[0])
    if piece.kind == "not":
        return _false(piece.parts[0])
    return _merged(map(_true, piece.parts if piece.kind == "all" else piece.parts[:1]))


def _false(piece: Piece) -> Event:
    """Return what makes a piece false."""
    if piece.asks is not None:
        asked = predicates(piece.asks)[0]
        return {asked.field or WHOLE: None if asked.op in ("exists", "present") else OTHER}
    if piece.kind == "not":
        return _true(piece.parts[0])
    return _merged(map(_false, piece.parts if piece.kind == "any" else piece.parts[:1]))


def _fitting(asked: Predicate) -> Event:
    """Return a value of its field that satisfies a predicate, if one is plain to see."""
    value = asked.values[0] if asked.values else ""
    match asked.op:
        case "startswith":
            value = f"{value} x"
        case "endswith":
            value = f"x{value}"
        case "contains":
            value = f"x {value} x"
        case "like":
            value = "".join("x" if wild else plain for wild, plain in glob.parts(value))
        case "cidr":
            value = str(next(iter(ip_network(value).hosts()), ip_network(value)[0]))
        case "null" | "missing":
            return {asked.field or WHOLE: None}
    return {asked.field or WHOLE: value}
