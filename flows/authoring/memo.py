"""What was worked out for files whose content hasn't changed since, on disk: all that a verb says of a file, as JSON.

A memo belongs to one state of the program and of what else the answers depend on; any other begins empty.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

_CODE = ("detectors", "connectors", "flows")
MANY = 50_000  # answers that are kept
_SUFFIXES = (".py", ".yml", ".tsv")


class Memo:
    """Answers by the digest of a file's content. `folder` None: nothing is remembered."""

    def __init__(self, folder: Path | None, name: str, *depends: bytes) -> None:
        key = hashlib.sha256(b"\0".join([program(), *depends])).hexdigest()[:16]
        self._path = folder / f"{name}-{key}.json" if folder else None
        self._known: dict[str, Any] = {}
        self._asked: set[str] = set()
        self._new = False
        if self._path is not None:
            self._known = _read(self._path)

    def answer(self, path: str, work_out: Callable[[], Any], question: str = "") -> Any:  # noqa: ANN401 - any JSON
        """Return what is known of a file of this name and content, worked out if need be."""
        asked = f"{path}\0{question}\0".encode(errors="replace")
        digest = hashlib.sha256(asked + Path(path).read_bytes()).hexdigest()
        if digest not in self._known:
            self._known[digest] = work_out()
            self._new = True
        self._asked.add(digest)
        return self._known[digest]

    def save(self) -> None:
        """Write what is new. Answers that were not asked for this time stay, until there are too many."""
        if self._path is None or not self._new:
            return
        if len(self._known) > MANY:
            self._known = {digest: self._known[digest] for digest in self._asked}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._path.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(orjson.dumps(self._known))
            scratch.replace(self._path)
        except OSError:
            return  # a memo that can't be written costs time, nothing else


def contents(paths: Iterable[Path]) -> bytes:
    """Return a digest of files, or of the YAML files of folders, that answers depend on."""
    made = hashlib.sha256()
    for path in paths:
        for file in sorted(path.glob("*.y*ml")) if path.is_dir() else [path]:
            made.update(str(file).encode() + b"\0" + (file.read_bytes() if file.is_file() else b""))
    return made.digest()


def program() -> bytes:
    """Return a digest of the program's code and tables."""
    made = hashlib.sha256()
    for package in _CODE:
        for root, folders, names in os.walk(str(files(package))):
            folders.sort()
            for name in sorted(name for name in names if name.endswith(_SUFFIXES)):
                made.update(Path(root, name).read_bytes())
    return made.digest()


def _read(path: Path) -> dict[str, Any]:
    try:
        known = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return known if isinstance(known, dict) else {}
