"""What a rule's template left to its author, and still stands there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.remarks import Remark

UNFINISHED: Final = "unfinished"
DESCRIPTION: Final = "Say in one sentence what happened."
BLANK: Final = "…"  # of a runbook: `What: …`
WANTED: Final = "what only this attack writes"  # the value of a template


def unfinished(document: Document, _: Fields) -> Iterator[Remark]:
    """A blank of the template."""
    for path, text in _texts(document.data):
        if text == DESCRIPTION or WANTED in text or any(line.endswith(f": {BLANK}") for line in text.splitlines()):
            message, fix = f"`{path[0]}` is still that of the template", "say what only you know"
            yield Remark(document.place(*path), "warning", UNFINISHED, message, fix)


def _texts(data: dict[str, object]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the texts that a template begins, each with its path."""
    runbook, detection = data.get("runbook"), data.get("detection")
    yield ("description",), str(data.get("description") or "")
    for language, text in runbook.items() if isinstance(runbook, dict) else ():
        yield ("runbook", str(language)), str(text)
    for name, part in detection.items() if isinstance(detection, dict) else ():
        yield ("detection", str(name)), str(part) if name != "condition" else ""
