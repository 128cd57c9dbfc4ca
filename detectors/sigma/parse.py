"""YAML documents to rules: pySigma reads values and conditions, every fault is told with its line and column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sigma.conditions import ConditionAND, ConditionOR
from sigma.exceptions import SigmaError
from sigma.modifiers import SigmaModifier, SigmaRegularExpressionModifier
from sigma.rule.detection import SigmaDetection, SigmaDetectionItem, SigmaDetections
from sigma.types import SigmaString, sigma_type

from detectors.contracts import LogSource
from detectors.errors import Place, RuleError
from detectors.schema import LEVELS
from detectors.sigma.departures import MODIFIERS
from detectors.sigma.document import Document, documents
from detectors.sigma.lower import Lists, condition
from detectors.sigma.nearest import nearest
from detectors.sigma.predicates import Node, disjunction
from detectors.sigma.rule import Meta, Rule, semantics

STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
_SCALARS = (str, int, float, bool, type(None))


def rules(text: str, file: str, lists: Lists | None = None) -> Iterator[Rule | RuleError]:
    """Yield the detection rules of a YAML text, and a RuleError for each document that can't be one.

    `lists` fills placeholders (`expand` modifier). Correlations and filters are not detection rules: they are refused
    by name rather than ignored.
    """
    for document in documents(text, file):
        if isinstance(document, RuleError):
            yield document
            continue
        try:
            yield _rule(document, lists or {})
        except RuleError as error:
            yield RuleError(error.message, place=error.place or document.place(), fix=error.fix)
        except RecursionError:
            yield RuleError("a condition or detection nested too deep to read", place=document.place())


def _rule(document: Document, lists: Lists) -> Rule:
    data = document.data
    for kind in ("correlation", "filter"):
        if isinstance(data.get(kind), dict):
            raise RuleError(f"a Sigma {kind} is not run by this version", place=document.place(kind))
    if "action" in data:
        raise RuleError(
            "rule collections with `action` are not run", place=document.place("action"), fix="write whole rules"
        )
    logsource = _logsource(document)
    missing: set[str] = set()
    tree = _condition(document, lists, missing)
    return Rule(
        meta=_meta(document),
        logsource=logsource,
        condition=tree,
        place=document.place(),
        semantics=semantics(logsource, tree),
        waits_for=tuple(sorted(missing)),
    )


def _meta(document: Document) -> Meta:
    data = document.data
    title = data.get("title")
    if not isinstance(title, str) or not title.strip():
        raise RuleError("no title", place=document.place("title"), fix="add `title:`")
    own = data.get("soc") if isinstance(data.get("soc"), dict) else {}
    assert isinstance(own, dict)
    return Meta(
        id=_id(document),
        title=title.strip(),
        level=_one_of(document, "level", LEVELS) or "medium",
        status=_one_of(document, "status", STATUSES),
        description=_text(data.get("description")),
        author=_text(data.get("author")),
        license=_text(data.get("license")),
        references=_texts(data.get("references")),
        tags=_texts(data.get("tags")),
        falsepositives=_texts(data.get("falsepositives")),
        runbook=_text(data.get("runbook")),
        group_by=_texts(own.get("group-by")),
        window=int(own.get("window", 0)),
    )


def _id(document: Document) -> str:
    given = document.data.get("id")
    if given is None:
        raise RuleError("no id", place=document.place(), fix="add `id:` with a fresh UUID (`uuidgen`)")
    try:
        return str(UUID(str(given)))
    except ValueError:
        raise RuleError(f"the id {given!r} is not a UUID", place=document.place("id")) from None


def _one_of(document: Document, key: str, legal: tuple[str, ...]) -> str:
    given = document.data.get(key)
    if given is None or given in legal:
        return given or ""
    raise RuleError(f"{key} {given!r} is not known", place=document.place(key), fix=nearest(str(given), legal))


def _logsource(document: Document) -> LogSource:
    given = document.data.get("logsource")
    if not isinstance(given, dict):
        raise RuleError("no logsource", place=document.place("logsource"), fix="add `logsource:` with a category")
    parts = {key: given.get(key) for key in ("category", "product", "service")}
    for key, part in parts.items():
        if part is not None and not isinstance(part, str):
            raise RuleError(f"logsource.{key} is not a text", place=document.place("logsource", key))
    if not any(parts.values()):
        raise RuleError(
            "a logsource without category, product or service",
            place=document.place("logsource"),
            fix="name at least one",
        )
    return LogSource(**{key: part.lower() if part else None for key, part in parts.items()})


def _condition(document: Document, lists: Lists, missing: set[str]) -> Node:
    detection = document.data.get("detection")
    if not isinstance(detection, dict):
        raise RuleError("no detection", place=document.place("detection"), fix="add `detection:` with a condition")
    written = detection.get("condition")
    conditions = written if isinstance(written, list) else [written]
    if not conditions or not all(isinstance(each, str) and each.strip() for each in conditions):
        raise RuleError("no condition", place=document.place("detection"), fix="add `condition:` to the detection")
    place = document.place("detection", "condition")
    for each in conditions:
        if "|" in each:
            raise RuleError(
                f"`{each}` is an aggregation of Sigma 1", place=place, fix="write a correlation rule instead"
            )
    parts = {
        str(name): _detection(document, ("detection", name), body)
        for name, body in detection.items()
        if name not in ("condition", "timeframe")
    }
    try:
        parsed = SigmaDetections(detections=parts, condition=conditions).parsed_condition
        return disjunction([condition(each.parsed, lists, missing) for each in parsed])
    except SigmaError as error:
        raise RuleError(f"condition: {_reason(error)}", place=place) from error
    except RuleError as error:
        raise RuleError(error.message, place=error.place or place, fix=error.fix) from error


def _detection(document: Document, path: tuple[str | int, ...], body: object) -> SigmaDetection:
    """Build a named part of the detection, or a part of one."""
    place = document.place(*path)
    if isinstance(body, dict):
        items: list[SigmaDetectionItem | SigmaDetection] = [
            _item(document.place(*path, key), str(key), value) for key, value in body.items()
        ]
        linking = ConditionAND
    elif isinstance(body, list) and not all(isinstance(each, _SCALARS) for each in body):
        items = [_detection(document, (*path, index), each) for index, each in enumerate(body)]
        linking = ConditionOR
    else:
        items = [_item(place, "", body)]
        linking = ConditionAND
    if not items:
        raise RuleError("an empty detection", place=place, fix="give it at least one field")
    return SigmaDetection(detection_items=items, item_linking=linking)


def _item(place: Place, key: str, value: Any) -> SigmaDetectionItem:
    """Build `field|modifier: value`; an empty field is a keyword."""
    field, *names = key.split("|")
    values = value if isinstance(value, list) else [value]
    if not values:
        raise RuleError(f"`{key}` has an empty list", place=place, fix="give it a value, or `null` for a missing field")
    try:
        modifiers: list[type[SigmaModifier[Any, Any]]] = [MODIFIERS[name] for name in names]
    except KeyError as error:
        name = str(error.args[0])
        raise RuleError(f"unknown modifier `{name}`", place=place, fix=nearest(name, MODIFIERS)) from None
    regular = SigmaRegularExpressionModifier in modifiers
    try:
        typed = [SigmaString.from_str(str(each)) if regular else sigma_type(each) for each in values]
        return SigmaDetectionItem(field or None, modifiers, typed)
    except (SigmaError, TypeError) as error:
        raise RuleError(f"`{key}`: {_reason(error)}", place=place) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error.args[0] if error.args else error).split())


def _text(value: object) -> str:
    if isinstance(value, Mapping):  # a runbook in several languages
        return "\n\n".join(f"[{key}] {text}" for key, text in value.items())
    return "" if value is None else str(value).strip()


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)
