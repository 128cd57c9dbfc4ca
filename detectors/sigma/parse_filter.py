"""A document to a Filter: which rules it is an exception to, what it excepts, and its terms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from uuid import UUID, uuid5

from detectors.contracts import LogSource
from detectors.errors import RuleError
from detectors.nearest import nearest
from detectors.sigma.detection import Detection
from detectors.sigma.document import Document
from detectors.sigma.filters import NARROW, SECTION, Filter, Reference, Terms
from detectors.sigma.parse import NAMELESS, collect, logsource, meta
from detectors.sigma.predicates import canonical
from detectors.sigma.valuelist import Lists

ANY = "any"
_WORDS = ("owner", "organisation", "reason", "document")
_TIMES = ("valid_from", "valid_to")
_TERMS = (*_WORDS, *_TIMES, "intent")
_YEARS = range(1970, 2200)  # whoever writes 9999-12-31 means no bound
_RULES = "list ids or names of rules under it, or write `any`"


def filter_of(document: Document, lists: Lists) -> Iterator[Filter | RuleError]:
    """Yield the filter of a document, or all of its faults."""
    faults: list[RuleError] = []
    said = meta(document, faults)
    covered = collect(faults, lambda: logsource(document), LogSource())
    references = _references(document, faults)
    terms = _terms(document, faults)
    detection = Detection(document, lists, SECTION, frozenset({"rules", "condition"}))
    tree = detection.tree()
    faults += detection.faults
    if faults:
        yield from sorted(faults, key=lambda fault: fault.place or document.place())
        return
    named = hashlib.sha256(repr((covered, [each.rule for each in references])).encode() + canonical(tree))
    semantics = named.hexdigest()[:16]
    yield Filter(
        id=said.id or str(uuid5(NAMELESS, semantics)),
        title=said.title,
        logsource=covered,
        rules=references,
        condition=tree,
        place=document.place(),
        semantics=semantics,
        terms=terms,
        waits_for=tuple(sorted(detection.missing)),
    )


def _references(document: Document, faults: list[RuleError]) -> tuple[Reference, ...]:
    """Read `rules`: `any`, or a list that names at least one."""
    given = document.data[SECTION].get("rules")
    if given == ANY:
        return ()
    if given is None or given == []:
        message = "a filter without `rules`" if given is None else "a filter of no rule"
        faults.append(RuleError(message, place=document.key(SECTION, "rules"), fix=_RULES))
        return ()
    found = []
    for index, each in enumerate(given if isinstance(given, list) else [given]):
        place = document.place(SECTION, "rules", index) if isinstance(given, list) else document.place(SECTION, "rules")
        if isinstance(each, str) and each.strip() and each != ANY:
            found.append(Reference(_handle(each), place.line, place.column))
        else:
            faults.append(RuleError(f"`{each!s:.80}` does not name a rule", place=place, fix=_RULES))
    return tuple(found)


def _handle(text: str) -> str:
    """Return a UUID as rules have it, a name as it stands."""
    try:
        return str(UUID(text.strip()))
    except ValueError:
        return text.strip()


def _terms(document: Document, faults: list[RuleError]) -> Terms:
    """Read the terms under `soc`."""
    own = document.data.get("soc")
    if not isinstance(own, dict):  # what is no map was told with the words of the document
        return Terms()
    found: dict[str, str] = {}
    for key, value in own.items():
        try:
            found[key] = _term(str(key), value)
        except ValueError as error:
            place = document.place("soc", key) if key in _TERMS else document.key("soc", key)
            faults.append(RuleError(str(error), place=place, fix=_fix(str(key))))
    terms = Terms(**{key: text for key, text in found.items() if key in _TERMS})
    if terms.valid_from and terms.valid_to and _first(terms.valid_to) < _first(terms.valid_from):
        place = document.place("soc", "valid_to")
        faults.append(RuleError("`valid_to` is before `valid_from`", place=place, fix="exchange them"))
    return terms


def _term(key: str, value: object) -> str:
    """Return a term as text; raise ValueError where it isn't one."""
    if key not in _TERMS:
        raise ValueError(f"soc.{key} is not known")
    if key in _TIMES:
        return _time(key, value)
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if not text:
        raise ValueError(f"soc.{key} is not a text")
    if key == "intent" and text != NARROW:
        raise ValueError(f"soc.intent `{text:.40}` is not known")
    return text


def _time(key: str, value: object) -> str:
    """Return a day or a time as ISO 8601."""
    found = value if isinstance(value, date) else None  # a datetime is one, too
    for read in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            found = found or read(str(value).strip())
    if found is None or found.year not in _YEARS:
        raise ValueError(f"soc.{key} `{value!s:.40}` is not a time from {_YEARS[0]} to {_YEARS[-1]}")
    return found.isoformat()


def _fix(key: str) -> str:
    if key in _TIMES:
        return "write a day (2026-12-31) or a time (2026-12-31T17:00+07:00), or leave it out"
    if key == "intent":
        return f"write `{NARROW}`, or leave it out"
    return "put it in quotes" if key in _TERMS else nearest(key, _TERMS)


def _first(text: str) -> datetime:
    """Return a time to compare with another of the same document, whatever its zone."""
    return datetime.combine(datetime.fromisoformat(text).date(), time())
