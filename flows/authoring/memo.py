"""What was worked out for files whose content hasn't changed since, on disk: all that a verb says of a file, as JSON.

A memo belongs to one state of the program and of what else the answers depend on; any other begins empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from connectors.kept import Kept, program

MANY = 50_000  # answers that are kept


class Memo:
    """Answers by the digest of a file's content. `folder` None: nothing is remembered."""

    def __init__(self, folder: Path | None, name: str, *depends: bytes) -> None:
        self._kept = Kept(folder, name, program(), *depends)
        self._known = _known(self._kept.read())
        self._asked: set[str] = set()
        self._new = False

    def answer(self, path: str, work_out: Callable[[], Any], question: str = "") -> Any:  # noqa: ANN401 - any JSON
        """Return what is known of a file of this name and content, worked out if need be."""
        asked = f"{path}\0{question}\0".encode(errors="replace")
        return self.known(asked + Path(path).read_bytes(), work_out)

    def known(self, question: bytes, work_out: Callable[[], Any]) -> Any:  # noqa: ANN401 - as above
        """Return what is known of a question that depends on nothing but the program and what the memo depends on."""
        digest = hashlib.sha256(question).hexdigest()
        if digest not in self._known:
            self._known[digest] = work_out()
            self._new = True
        self._asked.add(digest)
        return self._known[digest]

    def knows(self, question: bytes) -> bool:
        """Say whether a question needs no work."""
        return hashlib.sha256(question).hexdigest() in self._known

    def save(self) -> None:
        """Write what is new. Answers that were not asked for this time stay, until there are too many."""
        if not self._new:
            return
        if len(self._known) > MANY:
            self._known = {digest: self._known[digest] for digest in self._asked}
        self._kept.write(orjson.dumps(self._known))


def _known(body: bytes | None) -> dict[str, Any]:
    try:
        known = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        return {}
    return known if isinstance(known, dict) else {}
