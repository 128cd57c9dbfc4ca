"""What pydantic refuses of YAML that people write, in our words, with its place and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from detectors.errors import RuleError
from detectors.nearest import meant
from detectors.sigma.document import Document


def refusal(
    document: Document, section: str, number: int, error: ValidationError, takes: Mapping[str, str]
) -> RuleError:
    """Return the first fault of an element of a section; `takes` says of each key what may be written there."""
    fault = error.errors(include_url=False)[0]
    where, kind = fault["loc"], fault["type"]
    place = document.place(section, number, *where)
    key = str(where[0]) if where else ""
    if kind == "extra_forbidden":
        fix = meant(key, [*takes]) or f"known: {', '.join(takes)}"
        place = document.key(section, number, *where)
        return RuleError(f"{section}: `{key:.80}` is not known there", place=place, fix=fix)
    if kind == "value_error":
        message = fault["msg"].removeprefix("Value error, ")
        return RuleError(f"{section}: {message}", place=place)
    if not where:
        return RuleError(
            f"{section}: an entry is a map of keys to values", place=place, fix="begin it with `- name: …`"
        )
    message = f"`{key}` is missing" if kind == "missing" else f"`{key}` can't be {fault['input']!r:.80}"
    return RuleError(f"{section}: {message}", place=place, fix=f"write {takes[key]}")
