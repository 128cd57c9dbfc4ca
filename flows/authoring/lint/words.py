"""Keys, dates and tags that mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detectors.attack import RELEASE, TACTICS, techniques, withdrawn
from detectors.nearest import meant, nearest
from detectors.sigma.document import Document
from flows.authoring.fields import Fields
from flows.authoring.remarks import Remark, Severity

KEYS = (
    "title", "id", "name", "related", "taxonomy", "status", "description", "license", "references", "author", "date",
    "modified", "tags", "logsource", "detection", "correlation", "filter", "generate", "fields", "falsepositives",
    "level", "scope", "runbook", "soc", "tests", "regression_tests_path", "simulation", "sigma-version",
)  # fmt: skip
NAMESPACES = ("attack", "car", "cve", "d3fend", "detection", "stp", "threat-hunting", "tlp", "emerging-threats")
_DAY = re.compile(r"\d{4}[-/]\d{2}[-/]\d{2}")
_TAG = re.compile(r"t\d{4}(\.\d{3})?")
_SOFTWARE = re.compile(r"[gscm]\d{4}")  # groups, software, campaigns and mitigations are not in the table
_NEAR = 0.8  # of a key to one that means something; rules may have any others


def keys(document: Document, _: Fields) -> Iterator[Remark]:
    """A key that is nearly one that means something; others are the author's own business."""
    for key in document.data:
        near = meant(str(key), KEYS, _NEAR) if key not in KEYS else ""
        if near:
            yield Remark(document.key(key), "error", "unknown-key", f"`{key!s:.80}` is no key of rules", near)


def logsources(document: Document, fields: Fields) -> Iterator[Remark]:
    """A log source that is nearly one that there is; others belong to sources that nobody has here."""
    given = document.data.get("logsource")
    named = given if isinstance(given, dict) else {}
    for part, known in fields.words().items() if named else ():
        name = str(named.get(part) or "").lower()
        near = meant(name, known, _NEAR) if name and name not in known else ""
        if near:
            place, message = document.place("logsource", part), f"no source has the {part} `{name:.80}`"
            yield Remark(place, "warning", "logsource", message, near)


def days(document: Document, _: Fields) -> Iterator[Remark]:
    """A date that is none."""
    for key in ("date", "modified"):
        given = document.data.get(key)
        if given is not None and not _DAY.fullmatch(str(given)):
            yield Remark(document.place(key), "error", "date", f"{key} `{given!s:.80}` is no day", "write 2026-03-31")


def tags(document: Document, _: Fields) -> Iterator[Remark]:
    """A tag that means nothing: a technique that is not, or a namespace that nobody knows."""
    given = document.data.get("tags")
    for at, tag in enumerate(given if isinstance(given, list) else []):
        namespace, dot, name = str(tag).partition(".")
        place = document.place("tags", at)
        if namespace not in NAMESPACES or not dot:
            message = f"the tag `{tag!s:.80}` has no namespace that is known"
            yield Remark(place, "warning", "tag", message, nearest(namespace, NAMESPACES))
        elif namespace == "attack" and (told := _attack(name)):
            yield Remark(place, *told)


def _attack(name: str) -> tuple[Severity, str, str, str] | None:
    """Return what is wrong with a tag of ATT&CK: severity, code, message, fix."""
    key = name.upper()
    if _SOFTWARE.fullmatch(name) or name.replace("_", "-") in TACTICS or (_TAG.fullmatch(name) and key in techniques()):
        return None
    if key in withdrawn():
        became = withdrawn()[key].lower()
        page = f"https://attack.mitre.org/techniques/{key.replace('.', '/')}/"
        fix = f"write `attack.{became}`" if became else f"see {page}"
        return "warning", "attack-withdrawn", f"ATT&CK v{RELEASE} has withdrawn {key}", fix
    if name == "defense-evasion":
        fix = "write `attack.stealth` or `attack.defense-impairment`"
        return "warning", "attack-withdrawn", f"ATT&CK v{RELEASE} has split the tactic `defense-evasion`", fix
    known = [each.lower() for each in techniques()] if name[:1] == "t" and name[1:2].isdigit() else [*TACTICS]
    return "error", "attack-unknown", f"ATT&CK v{RELEASE} has no `{name:.80}`", nearest(name, known)
