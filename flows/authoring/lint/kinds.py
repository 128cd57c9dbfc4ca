"""Keys whose value is of another kind than Sigma asks for, so that nobody reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.remarks import Remark

Kind = tuple[Callable[[object], bool], str, str]


def _listed(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(each, str | int | float) for each in given)


def _related(given: object) -> bool:
    return isinstance(given, list) and all(isinstance(each, dict) and {"id", "type"} <= {*each} for each in given)


def _spoken(given: object) -> bool:
    return isinstance(given, str) or (isinstance(given, dict) and all(isinstance(each, str) for each in given.values()))


TEXTS: Final[Kind] = (_listed, "no list of texts", "write `- ` and a text, a line for each, or [a, b]")
TEXT: Final[Kind] = (lambda given: isinstance(given, str | int | float), "no text", "write one text")
KINDS: Final[dict[str, Kind]] = {
    "tags": TEXTS,
    "references": TEXTS,
    "falsepositives": (lambda given: isinstance(given, str) or _listed(given), *TEXTS[1:]),
    "fields": TEXTS,
    "scope": TEXTS,
    "description": TEXT,
    "author": TEXT,
    "license": TEXT,
    "related": (_related, "no list of rules", "write `- id: …` and under it `type:`, such as derived or similar"),
    "runbook": (_spoken, "no text", "write `vi:` and `en:` under it, each a text"),
}


def kinds(document: Document, _: Fields) -> Iterator[Remark]:
    """A value of the wrong kind."""
    for key, (right, what, fix) in KINDS.items():
        given = document.data.get(key)
        if given is not None and not right(given):
            yield Remark(document.place(key), "error", "kind", f"`{key}` is {what}", fix)
