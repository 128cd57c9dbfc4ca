"""`soc rules import`: what of somebody else's rules can live here, and copies of those that are wanted.

A rule lives on a source whose events can have the fields it needs; elsewhere it is blind, or has no business at all.
Copies are the files as they are: authors keep their names, the licence comes along, and a list says where each is from.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from detectors.errors import UsageError
from detectors.schema import LEVELS
from flows.authoring.fates import Fate
from flows.ruleset import RuleSet

ORIGINS = "origins.ndjson"  # of copies: one line per rule
_REFERENCE = re.compile(r"refs(/[\w.-]*\w[\w.-]*)+")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_LICENCES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


def folders(root: Path) -> list[Path]:
    """Return where the rules of a checkout are: SigmaHQ keeps them in `rules` and `rules-…`, beside what is none."""
    if (root / "rules").is_dir():
        return sorted(folder for folder in root.glob("rules*") if folder.is_dir())
    return [root]


def wanted(found: Iterable[Fate], level: str | None, sources: Sequence[str]) -> list[Fate]:
    """Return the rules that live on (any of) the sources and are of the level at least."""
    least = LEVELS.index(level) if level else 0
    return [
        fate
        for fate in found
        if fate.verdict == "live"
        and LEVELS.index(fate.rule.meta.level) >= least
        and (not sources or set(sources) & set(fate.live))
    ]


def by_logsource(found: Iterable[Fate]) -> dict[str, Counter[str]]:
    """Count verdicts by log source, the most frequent first."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for fate in found:
        counted[str(fate.rule.logsource)][fate.verdict] += 1
    return dict(sorted(counted.items(), key=lambda each: -each[1].total()))


def copy(chosen: Sequence[Fate], root: Path, into: Path, *, dry: bool) -> list[Path]:
    """Copy the files of rules below `into`, as they lie below `root`; return those that are new or changed.

    Raises:
        UsageError: a file that was imported before was changed here since; nothing is copied then.
    """
    known, commit = _origins(into), _commit(root)
    base = root if root.is_dir() else root.parent
    copies: dict[Path, bytes] = {}
    for file, fates in _by_file(chosen).items():
        content, name = Path(file).read_bytes(), os.path.relpath(file, base)
        target = into / name
        before = _digest(target.read_bytes()) if target.is_file() else None
        if before not in (None, _digest(content), known.get(name, {}).get("sha256")):
            raise UsageError(f"{target} was changed here", fix="move it elsewhere, or delete it, and import again")
        if before != _digest(content):
            copies[target] = content
        known[name] = {"file": name, "sha256": _digest(content), "commit": commit, **_authorship(fates)}
    if not dry and chosen:
        for target, content in copies.items():
            _write(target, content)
        _licences(root, into)
        _write(into / ORIGINS, b"".join(orjson.dumps(known[name]) + b"\n" for name in sorted(known)))
    return [*copies]


def _by_file(chosen: Iterable[Fate]) -> dict[str, list[Fate]]:
    found: dict[str, list[Fate]] = defaultdict(list)
    for fate in chosen:
        found[fate.rule.place.file].append(fate)
    return dict(sorted(found.items()))


def _authorship(fates: Iterable[Fate]) -> dict[str, Any]:
    metas = [fate.rule.meta for fate in fates]
    return {
        "ids": [meta.id for meta in metas],
        "titles": [meta.title for meta in metas],
        "authors": sorted({meta.author for meta in metas if meta.author}),
        "licenses": sorted({meta.license for meta in metas if meta.license}),
    }


def _licences(root: Path, into: Path) -> None:
    """Copy the licences that stand nearest to the rules: beside or above them, within their checkout."""
    folder = (root if root.is_dir() else root.parent).resolve()
    checkout = _checkout(folder) or folder.parent
    for place in (folder, *folder.parents):
        found = [file for pattern in _LICENCES for file in sorted(place.glob(pattern)) if file.is_file()]
        for file in found:
            _write(into / file.name, file.read_bytes())
        if found or place == checkout:
            return


def _checkout(folder: Path) -> Path | None:
    return next((place for place in (folder, *folder.parents) if (place / ".git" / "HEAD").is_file()), None)


def _commit(root: Path) -> str | None:
    """Return the commit that a git checkout stands at, read from its files."""
    checkout = _checkout(root.resolve())
    if checkout is None:
        return None
    git = checkout / ".git"
    head = (git / "HEAD").read_text("utf-8").strip()
    reference = head.removeprefix("ref: ")
    if reference == head or not _REFERENCE.fullmatch(reference):
        return head if _COMMIT.fullmatch(head) else None
    loose, packed = git / reference, git / "packed-refs"
    if loose.is_file():
        return loose.read_text("utf-8").strip()[:64]
    lines = packed.read_text("utf-8").splitlines() if packed.is_file() else []
    return next((line.split()[0] for line in lines if line.endswith(f" {reference}")), None)


def _origins(into: Path) -> dict[str, dict[str, Any]]:
    path = into / ORIGINS
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return {each["file"]: each for each in map(orjson.loads, lines)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def document(found: Sequence[Fate], rules: RuleSet) -> dict[str, Any]:
    """Return what can be told of somebody's rules as plain data."""
    lacking = Counter(
        name for fate in found if fate.verdict == "blind" for lacks in fate.blind.values() for name in lacks
    )
    live = Counter(source for fate in found for source in fate.live)
    return {
        "rules": len(found),
        "verdicts": dict(Counter(fate.verdict for fate in found)),
        "live_by_source": dict(live.most_common()),
        "missing_fields": dict(lacking.most_common()),
        "by_logsource": {name: dict(counted) for name, counted in by_logsource(found).items()},
        "each": [fate.document() for fate in found],
        "faults": [str(fault) for fault in rules.faults],
    }
