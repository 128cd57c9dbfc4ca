"""Fields that are not, parts that nobody asks for, values that add nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from detectors.contracts import LogSource
from detectors.errors import Place
from detectors.nearest import meant
from detectors.schema import ECS
from detectors.sigma.document import Document
from flows.authoring.fields import Fields, items, named, spelled
from flows.authoring.remarks import Remark, Severity

_LISTED = 200  # values of a list that are compared with each other


def unknown_fields(document: Document, fields: Fields) -> Iterator[Remark]:
    """A field that no event of the log source has, where all that they have is known; or one written otherwise."""
    logsource = logsource_of(document)
    for name, path in named(document):
        place = document.key(*path)
        if not fields.knows(name, logsource):
            yield unknown(name, logsource, fields, place)
        elif other := spelled(name, logsource):
            message = f"the case of names counts, and events write `{other}`"
            yield Remark(place, "warning", "unknown-field", message, f"write `{other}`")
        elif fields.legal(logsource) is None and (near := fields.nearly(name, logsource)):
            message = f"no source of {logsource} is known to have `{name:.80}`"
            yield Remark(place, "warning", "unknown-field", message, f"did you mean `{near}`?")


def unknown(name: str, logsource: LogSource, fields: Fields, place: Place) -> Remark:
    """Tell that no event has a field."""
    near = meant(name, sorted(fields.legal(logsource) or (), reverse=True))
    return Remark(place, "error", "unknown-field", f"events of {logsource} have no field `{name:.80}`", near)


def grouping(document: Document, fields: Fields) -> Iterator[Remark]:
    """A field to group findings by that no event has."""
    own = document.data.get("soc")
    given = own.get("group-by") if isinstance(own, dict) else None
    logsource = logsource_of(document)
    for at, name in enumerate(given if isinstance(given, list) else [given] if given else []):
        legal = fields.legal(logsource)
        if not isinstance(name, str):
            place, fix = document.place("soc", "group-by", at), "write names of fields, such as [user.name, host.name]"
            yield Remark(place, "error", "kind", f"`group-by` has {name!s:.80}, which is no name", fix)
            continue
        if name in ECS or (legal is not None and name in legal):
            continue
        near = meant(name, ECS)
        if legal is not None or near:
            place = document.place("soc", "group-by", at)
            message = f"findings can't be grouped by `{name!s:.80}`, which no event has"
            severity: Severity = "warning" if legal is None else "error"
            yield Remark(place, severity, "unknown-field", message, near)


def unused_parts(document: Document, _: Fields) -> Iterator[Remark]:
    """A part of the detection that the condition doesn't name."""
    detection = document.data.get("detection")
    if not isinstance(detection, dict):
        return
    words = [word for text in _conditions(detection) for word in re.findall(r"[\w*?-]+", text)]
    for part in detection:
        if part not in ("condition", "timeframe") and not any(_names(word, str(part)) for word in words):
            message = f"the condition doesn't ask for `{part!s:.80}`"
            yield Remark(
                document.key("detection", part), "error", "unused-part", message, "name it there, or take it out"
            )


def _conditions(detection: dict[str, object]) -> list[str]:
    written = detection.get("condition")
    return [str(text) for text in (written if isinstance(written, list) else [written])]


def _names(word: str, part: str) -> bool:
    if word == part:
        return True
    pattern = "*" if word == "them" else word
    return "*" in pattern and fnmatchcase(part, pattern) and (pattern.startswith("_") or not part.startswith("_"))


def idle_values(document: Document, _: Fields) -> Iterator[Remark]:
    """A value that stands there twice, or that a shorter one beside it includes."""
    detection = document.data.get("detection")
    for part, body in detection.items() if isinstance(detection, dict) else ():
        for key, path in items(body, "detection", part) if part != "condition" else ():
            modifiers = set(key.split("|")[1:])
            if not modifiers & {"all", "cased", "re", "cidr", "fieldref"}:
                yield from _idle(document, path, modifiers)


def _idle(document: Document, path: tuple[object, ...], modifiers: set[str]) -> Iterator[Remark]:
    values: object = document.data
    for step in path:
        values = values[step]  # type: ignore[index]  # the path was walked before
    texts = [str(value).lower() for value in values] if isinstance(values, list) else []
    shorter = _INCLUDES.get(next(iter(modifiers), "")) if len(modifiers) == 1 else None
    for at, text in enumerate(texts[:_LISTED]):
        place, told = document.place(*path, at), f"the value `{text:.80}`"
        if text in texts[:at]:
            yield Remark(place, "warning", "idle-value", f"{told} stands there twice", "take it out")
        elif shorter and "*" not in text:
            near = next(
                (each for each in texts[:_LISTED] if each != text and _plain(each) and shorter(text, each)), None
            )
            if near is not None:
                yield Remark(
                    place, "warning", "idle-value", f"{told} adds nothing to `{near:.80}`", "take one of them out"
                )


_INCLUDES: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, other: other in text,
    "startswith": lambda text, other: text.startswith(other),
    "endswith": lambda text, other: text.endswith(other),
}


def _plain(text: str) -> bool:
    return bool(text) and not set(text) & set("*?\\")


def logsource_of(document: Document) -> LogSource:
    """Return the log source as far as it can be read."""
    given = document.data.get("logsource")
    parts = given if isinstance(given, dict) else {}
    named = {key: str(parts[key]).lower() for key in ("category", "product", "service") if parts.get(key)}
    return LogSource(**named)
