"""Values that name something else: a field (`fieldref`), a value list (`expand`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.sigma.document import Document
from flows.authoring.fields import Fields, items
from flows.authoring.lint.detection import logsource_of, unknown
from flows.authoring.remarks import Remark

_LIST = re.compile(r"%[\w.@-]+%")


def references(document: Document, fields: Fields) -> Iterator[Remark]:
    """A field that another one is compared with, and that no event has."""
    logsource = logsource_of(document)
    for name, path in _values(document, "fieldref"):
        if not fields.knows(name, logsource):
            yield unknown(name, logsource, fields, document.place(*path))


def placeholder_names(document: Document, _: Fields) -> Iterator[Remark]:
    """A value that no list is named in, though it is to be filled from one."""
    for text, path in _values(document, "expand"):
        if not _LIST.search(text):
            message, fix = (
                f"`{text:.80}` names no value list",
                f"write `%{text.strip('%') or 'name'}%`, or leave out `expand`",
            )
            yield Remark(document.place(*path), "warning", "idle-value", message, fix)


def _values(document: Document, modifier: str) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Yield the texts that have a modifier, each with its path."""
    detection = document.data.get("detection")
    for part, body in detection.items() if isinstance(detection, dict) else ():
        for key, path in items(body, "detection", part) if part not in ("condition", "timeframe") else ():
            given: object = document.data
            for step in path:
                given = given[step]  # type: ignore[index]  # the path was walked before
            if modifier in key.split("|")[1:]:
                every = enumerate(given) if isinstance(given, list) else [(0, given)]
                yield from ((each, (*path, at)) for at, each in every if isinstance(each, str))
