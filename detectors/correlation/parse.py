"""A YAML document to a correlation; every fault is told at once, with its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from uuid import uuid5

import orjson

from detectors.correlation import boolean
from detectors.correlation.condition import Condition, extended, thresholds
from detectors.correlation.rule import TEMPORAL, TYPES, Alias, Correlation, Reference, encode_correlation
from detectors.errors import Place, RuleError
from detectors.nearest import nearest
from detectors.sigma.document import Document
from detectors.sigma.parse import NAMELESS, collect, meta, named

UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2629746, "y": 31556952}
MAX_SPAN: Final = 366 * 86400  # seconds
MAX_RULES: Final = 64
_TIMESPAN = re.compile(r"(\d{1,9})([smhdwMy])")
_KEYS = ("type", "rules", "group-by", "timespan", "condition", "aliases", "generate")
_AT = "correlation"


def correlation(document: Document) -> Iterator[Correlation | RuleError]:
    """Yield the correlation of a document, or every fault it has."""
    faults: list[RuleError] = []
    made = _read(document, faults)
    if faults:
        yield from sorted(faults, key=lambda fault: fault.place or document.place())
    elif made.meta.id:
        yield made
    else:
        yield replace(made, meta=replace(made.meta, id=str(uuid5(NAMELESS, _content(made)))))


def _read(document: Document, faults: list[RuleError]) -> Correlation:
    """Return the correlation; worth nothing if there are faults."""
    for key in document.data[_AT]:
        if key not in _KEYS:
            place, fix = document.key(_AT, key), nearest(str(key), _KEYS)
            faults.append(RuleError(f"correlation.{key!s:.80} is not known", place=place, fix=fix))
    if "detection" in document.data:
        fix = "put the rule into a document of its own: `---` stands between two"
        faults.append(RuleError("one document is a rule and a correlation", place=document.key(_AT), fix=fix))
    words = meta(document, faults)
    if words.group_by:
        place, fix = document.key("soc", "group-by"), "write it as `group-by` under `correlation`"
        faults.append(RuleError("a correlation's findings have its own groups", place=place, fix=fix))
    kind = collect(faults, lambda: _type(document), "")
    rules: tuple[Reference, ...] = collect(faults, lambda: _rules(document, kind), ())
    condition = collect(faults, lambda: _condition(document, kind, rules), Condition())
    return Correlation(
        meta=words,
        name=collect(faults, lambda: named(document), ""),
        type=kind,
        rules=rules,
        span=collect(faults, lambda: _timespan(document), 1),
        place=document.place(),
        group_by=collect(faults, lambda: _texts(document, "group-by"), ()),
        bounds=condition.bounds,
        terms=condition.terms,
        fields=condition.fields,
        percentile=condition.percentile,
        aliases=collect(faults, lambda: _aliases(document), ()),
        generate=collect(faults, lambda: _generate(document), instead=False),
    )


def _content(made: Correlation) -> str:
    """Return what names a correlation that brings no id: all of it but its words and places."""
    data = encode_correlation(replace(made, meta=replace(made.meta, title="", description="")))
    return orjson.dumps(_placeless(data), option=orjson.OPT_SORT_KEYS).decode()


def _placeless(data: object) -> object:
    if isinstance(data, dict):
        return {name: _placeless(value) for name, value in data.items() if name not in ("place", "meta")}
    return [*map(_placeless, data)] if isinstance(data, list | tuple) else data


def _type(document: Document) -> str:
    kind = document.data[_AT].get("type")
    if kind in TYPES:
        return str(kind)
    if kind is None:
        raise RuleError("no type", place=document.key(_AT), fix=f"add `type:`, one of {', '.join(TYPES)}")
    place = document.place(_AT, "type")
    raise RuleError(f"the type {kind!s:.80} is not known", place=place, fix=nearest(str(kind), TYPES))


def _timespan(document: Document) -> int:
    given = document.data[_AT].get("timespan")
    if given is None:
        raise RuleError("no timespan", place=document.key(_AT), fix="add `timespan:`, such as 5m")
    found = _TIMESPAN.fullmatch(str(given))
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if not 0 < seconds <= MAX_SPAN:
        fix = "write a whole number and s, m, h, d or w, such as 90s or 24h; a year at most"
        raise RuleError(f"the timespan {given!s:.80} can't be used", place=document.place(_AT, "timespan"), fix=fix)
    return seconds


def _rules(document: Document, kind: str) -> tuple[Reference, ...]:
    """Read the references; an extended condition may name them instead."""
    words = _texts(document, "rules")
    written = document.data[_AT].get("condition")
    if not words and isinstance(written, str) and kind in TEMPORAL:
        place = document.place(_AT, "condition")
        return tuple(Reference(word, place) for word in boolean.names(written))
    if not words:
        raise RuleError("no rules", place=document.key(_AT), fix="add `rules:` with names or ids")
    if len(words) > MAX_RULES:
        raise RuleError(f"more than {MAX_RULES} rules", place=document.place(_AT, "rules", MAX_RULES), fix="split it")
    double = next((number for number, word in enumerate(words) if word in words[:number]), None)
    if double is not None:
        place = document.place(_AT, "rules", double)
        raise RuleError(f"`{words[double]:.80}` stands twice", place=place, fix="keep one of them")
    return tuple(Reference(word, document.place(_AT, "rules", number)) for number, word in enumerate(words))


def _condition(document: Document, kind: str, rules: tuple[Reference, ...]) -> Condition:
    written = document.data[_AT].get("condition")
    if isinstance(written, str):
        return extended(document, kind, [each.word for each in rules])
    if not kind:
        return Condition()
    return thresholds(document, kind, len(rules))


def _aliases(document: Document) -> tuple[Alias, ...]:
    given = document.data[_AT].get("aliases") or {}
    shape = "write `aliases: {name: {rule: field}}`"
    if not isinstance(given, dict):
        raise RuleError("`aliases` is not a map", place=document.place(_AT, "aliases"), fix=shape)
    found = []
    for name, fields in given.items():
        if not isinstance(fields, dict) or not all(isinstance(field, str) for field in fields.values()):
            raise RuleError(f"the alias `{name!s:.80}` is not a map of rules to fields",
                            place=document.place(_AT, "aliases", name), fix=shape)  # fmt: skip
        for rule, field in fields.items():
            found.append(Alias(str(name), Reference(str(rule), document.key(_AT, "aliases", name, rule)), field))
    return tuple(found)


def _generate(document: Document) -> bool:
    """Read `generate`, which the specification has beside `correlation`, and pySigma within it."""
    for path in ((_AT, "generate"), ("generate",)):
        holder = document.data[_AT] if len(path) > 1 else document.data
        given = holder.get("generate")
        if given is not None and not isinstance(given, bool):
            raise RuleError("`generate` is true or false", place=document.place(*path))
        if given:
            return True
    return False


def _texts(document: Document, key: str) -> tuple[str, ...]:
    """Read a text or a list of texts."""
    given = document.data[_AT].get(key)
    if given is None:
        return ()
    for number, each in enumerate(given if isinstance(given, list) else [given]):
        if not isinstance(each, str) or not each.strip():
            place: Place = document.place(_AT, key, number)
            raise RuleError(f"`{key}` has {each!s:.80}, which is not a name", place=place, fix="write names as texts")
    return tuple(given) if isinstance(given, list) else (given,)
