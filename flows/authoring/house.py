"""How our own rules are written: what an analyst needs to act on a finding, and one form for all files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from detectors.sigma.document import Document
from flows.authoring.remarks import Remark

ORDER = (
    "title", "id", "status", "description", "references", "author", "date", "modified", "tags", "logsource",
    "detection", "falsepositives", "level", "runbook", "soc", "tests",
)  # fmt: skip
NEEDED = tuple(key for key in ORDER if key not in ("modified", "soc"))
RUNBOOK = {
    "vi": ("Điều gì", "Vì sao lạ", "Kiểm tra", "Gọi ai"),
    "en": ("What", "Why odd", "Check", "Call"),
}
ASKED = 3  # questions of a decision list, at least
LONGEST = 80  # characters of a title: it is the name of a finding in every list
_FIXES = {
    "runbook": "say in `vi` and `en` what it is, why it is odd, what to check and whom to call",
    "tests": "add a test that matches and one that doesn't",
    "id": "make one with `uuidgen`",
    "falsepositives": "say when it is nothing; `Unknown` if nobody knows yet",
}


def remarks(document: Document) -> Iterator[Remark]:
    """Yield what a rule lacks, or says otherwise than the others."""
    data = document.data
    for key in NEEDED:
        if not data.get(key):
            place = document.place()
            yield Remark(place, "error", "house-missing", f"no {key}", _FIXES.get(key, f"add `{key}:`"))
    yield from _order(document)
    yield from _title(document)
    yield from _words(document)
    yield from _runbook(document)


def _order(document: Document) -> Iterator[Remark]:
    given = [key for key in document.data if key in ORDER]
    for key, legal in zip(given, sorted(given, key=ORDER.index), strict=True):
        if key != legal:
            message, fix = f"`{key}` stands before `{legal}`", f"the order is {', '.join(ORDER)}"
            yield Remark(document.key(key), "error", "house-order", message, fix)
            return


def _title(document: Document) -> Iterator[Remark]:
    title = str(document.data.get("title", ""))
    place = document.place("title")
    if len(title) > LONGEST:
        yield Remark(place, "error", "house-title", f"a title of {len(title)} characters", f"say it in {LONGEST}")
    if title[:1] != title[:1].upper() or title.endswith("."):
        yield Remark(
            place, "error", "house-title", "a title is no sentence", "begin with a capital, end without a full stop"
        )
    stem, wanted = Path(document.file).stem, slug(title)
    if title and stem != wanted:
        yield Remark(place, "error", "house-title", "the file is not named after the title", f"call it {wanted}.yml")


def _words(document: Document) -> Iterator[Remark]:
    text = str(document.data.get("description", "")).strip()
    if text and not (text[:1] == text[:1].upper() and text.endswith(".")):
        place = document.place("description")
        yield Remark(
            place,
            "error",
            "house-description",
            "a description is a sentence",
            "begin with a capital, end with a full stop",
        )
    references = document.data.get("references")
    for at, link in enumerate(references if isinstance(references, list) else []):
        if not str(link).startswith("https://"):
            yield Remark(document.place("references", at), "error", "house-reference", "no https link", "give one")
    try:
        version = UUID(str(document.data.get("id", ""))).version
    except ValueError:
        return  # no rule at all: that is told already
    if version != 4:
        yield Remark(document.place("id"), "error", "house-id", "no random UUID (version 4)", _FIXES["id"])


def _runbook(document: Document) -> Iterator[Remark]:
    runbook = document.data.get("runbook")
    if runbook is None:
        return
    for language, heads in RUNBOOK.items():
        text = runbook.get(language) if isinstance(runbook, dict) else None
        if text is None:
            yield Remark(
                document.key("runbook"), "error", "house-runbook", f"no runbook in `{language}`", _FIXES["runbook"]
            )
        elif tuple(line.split(":")[0] for line in str(text).splitlines()) != heads:
            fix = f"write lines that begin with {', '.join(f'`{head}:`' for head in heads)}"
            yield Remark(document.place("runbook", language), "error", "house-runbook", "a runbook has four lines", fix)


def questions(document: Document) -> Iterator[Remark]:
    """Yield what a rule's decision list lacks; a rule that only counts for others makes no findings, and needs none."""
    own = document.data.get("soc")
    given = own.get("questions") if isinstance(own, dict) else None
    if "runbook" not in document.data or not isinstance(given, list | None):
        return
    several = given or []
    if len(several) < ASKED or not any(isinstance(each, dict) for each in several):
        message = f"a decision list of {len(several)} questions" if several else "no decision list"
        place = document.key("soc", "questions") if several else document.place()
        fix = (
            f"add `soc: questions:`, {ASKED} or more: one of its own, others by their names in detectors/questions.yml"
        )
        yield Remark(place, "error", "house-questions", message, fix)


def slug(title: str) -> str:
    """Return the name of a rule's file."""
    return re.sub(r"\W+", "_", title).lower().strip("_")
