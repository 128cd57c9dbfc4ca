"""What a rule says under `soc`: keys that mean nothing, and places of a message that nothing can fill."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from detectors.evidence import ENTITIES
from detectors.nearest import nearest
from detectors.schema import ECS
from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.lint.detection import logsource_of, unknown
from flows.authoring.remarks import Remark

OWN = ("group-by", "window", "signal", "title", "falsepositives", "message", "questions")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def own_keys(document: Document, _: Fields) -> Iterator[Remark]:
    """A key under `soc` that nothing reads; those of filters are told when they are read."""
    for key in () if "filter" in document.data else _map(document.data.get("soc")):
        if key not in OWN:
            message = f"soc.{key!s:.80} is not known"
            yield Remark(document.key("soc", key), "error", "unknown-key", message, nearest(str(key), OWN))


def placeholders(document: Document, fields: Fields) -> Iterator[Remark]:
    """A field that a message names and findings don't have: those of a correlation have groups, and entities."""
    correlation = document.data.get("correlation")
    if not isinstance(correlation, dict):
        yield from _unknown(document, fields)
        return
    groups = correlation.get("group-by") or []
    legal = {*ENTITIES, *map(str, groups if isinstance(groups, list) else [groups])}
    for language, text in _map(_map(document.data.get("soc")).get("message")).items():
        for name in _PLACEHOLDER.findall(str(text)):
            if name not in legal:
                message = f"findings of a correlation have no `{name:.80}` to tell of"
                fix = f"group by it, or name one of {', '.join(sorted(legal))}"
                yield Remark(document.place("soc", "message", language), "error", "message", message, fix)


def _unknown(document: Document, fields: Fields) -> Iterator[Remark]:
    """Yield the fields that a rule's message names and its events don't have."""
    logsource = logsource_of(document)
    for language, text in _map(_map(document.data.get("soc")).get("message")).items():
        for name in _PLACEHOLDER.findall(str(text)):
            if name not in ECS and not fields.knows(name, logsource):
                yield unknown(name, logsource, fields, document.place("soc", "message", language))


def _map(given: object) -> dict[Any, Any]:
    return given if isinstance(given, dict) else {}
