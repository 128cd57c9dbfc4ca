"""Files of a cache: what was worked out once, under a name and a key that says what it was worked out from.

A file is a checksum and a body. One that is missing, damaged or can't be written costs time and nothing else. Of each
name the latest `VERSIONS` stay: every state of the program has its own.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

VERSIONS: Final = 8
_CODE: Final = ("detectors", "connectors", "flows")
_SUFFIXES: Final = (".py", ".yml", ".tsv")


class Kept:
    """One file of a cache folder; `folder` None keeps nothing."""

    def __init__(self, folder: Path | None, name: str, *depends: bytes) -> None:
        key = hashlib.sha256(b"\0".join(depends)).hexdigest()[:16]
        self._name, self._path = name, folder / f"{name}-{key}.cache" if folder else None

    def read(self) -> bytes | None:
        """Return the body as it was written; None where it isn't known."""
        if self._path is None:
            return None
        try:
            checksum, _, body = self._path.read_bytes().partition(b"\n")
        except OSError:
            return None
        return body if checksum == _checksum(body) else None

    def write(self, body: bytes | bytearray) -> None:
        """Keep a body, whole or not at all, and drop the oldest of its name."""
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._path.with_suffix(f".{os.getpid()}")
            scratch.write_bytes(_checksum(body) + b"\n" + body)
            scratch.replace(self._path)
            others = self._path.parent.glob(f"{self._name}-{'?' * 16}.cache")
            for path in sorted(others, key=lambda each: each.stat().st_mtime_ns)[:-VERSIONS]:
                path.unlink(missing_ok=True)
        except OSError:
            return


def contents(paths: Iterable[Path], suffixes: Sequence[str] = (".yml", ".yaml")) -> bytes:
    """Return a digest of files, and of the files with these suffixes in folders, by name and content."""
    made = hashlib.sha256()
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.suffix in suffixes) if path.is_dir() else [path]
        for file in inside:
            body = file.read_bytes() if file.is_file() else b""
            made.update(b"%s\0%d\0" % (os.fsencode(file), len(body)) + body)
    return made.digest()


@cache
def program() -> bytes:
    """Return a digest of the program's code and tables."""
    made = hashlib.sha256()
    for package in _CODE:
        for root, folders, names in os.walk(str(files(package))):
            folders.sort()
            for name in sorted(name for name in names if name.endswith(_SUFFIXES)):
                made.update(Path(root, name).read_bytes())
    return made.digest()


def _checksum(body: bytes | bytearray) -> bytes:
    return b"%08x" % zlib.crc32(body)
