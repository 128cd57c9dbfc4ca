"""Files that grow: followed through rotation by renaming, by copying and truncating, and over restarts.

What was read of a file is known by device and inode, and by a signature of its bytes; so a renamed file is read on, one
that was emptied is read anew, and what was written between our last look and its emptying is read from the copy.
"""

from __future__ import annotations

import glob
import os
import stat
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.collect.block import Mark
from connectors.collect.followed import Followed, Identity, Left, continuing, holds, later, opened, resembles, unpacked
from connectors.collect.piece import Piece
from connectors.envelope import Origin

LOOK: Final = 0.5  # seconds between two looks at what files there are
LINGER: Final = 5.0  # seconds for which a renamed file may still be written by those who have it open
FILES: Final = 10_000  # followed at once
PACKED: Final = (".gz", ".zst", ".xz", ".bz2", ".zip", ".lz4")

Note = Callable[[str, str, int], object]  # what happened, words, how many


@dataclass(frozen=True, slots=True)
class Pattern:
    """Names of files (`/var/log/nginx/*.log`), and whose lines they hold."""

    path: str
    source: str
    from_end: bool = False  # of files that are there at the first start
    links: bool = False  # whether symbolic links are followed: whoever may write the folder may then name any file


class Tail:
    """Follows files. Not for two threads at once; `note` hears of what may be lost."""

    def __init__(self, patterns: Sequence[Pattern], marks: Mapping[str, Mark], note: Note) -> None:
        self._patterns, self._note = patterns, note
        self._left = {
            left.identity: left for key, mark in marks.items() if key.startswith("tail:") and (left := Left.of(mark))
        }
        self._files: dict[Identity, Followed] = {}
        self._looked = 0.0
        self._first = True
        self._pieces: list[Piece] = []  # that looking at the files gave
        self._found: list[tuple[Path, Left, str]] = []  # by this look: what became of files, and how far they were read
        self._still: set[str] = set()  # files that nobody rotated since they were left
        self._packed: deque[Iterator[Piece]] = deque()  # files that were rotated while nobody looked

    @property
    def files(self) -> int:
        """Files followed now."""
        return len(self._files)

    def poll(self, budget: int) -> list[Piece]:
        """Return what came since the last call, about `budget` bytes at most; none when there is nothing."""
        if time.monotonic() - self._looked >= LOOK:
            self._looked = time.monotonic()
            self._look()
        pieces, self._pieces = self._pieces, []
        size = sum(len(line) for piece in pieces for line in piece.lines)
        while size < budget and self._packed:
            if (unpacked := next(self._packed[0], None)) is None:
                self._packed.popleft()
            else:
                pieces.append(unpacked)
                size += sum(map(len, unpacked.lines))
        for followed in [*self._files.values()]:
            if size >= budget:
                break
            for piece in self._read(followed):
                pieces.append(piece)
                size += sum(map(len, piece.lines))
        self._turn()
        return pieces

    def close(self) -> None:
        """Let all files go; where they were left stands in the spool."""
        for followed in self._files.values():
            followed.close()

    def _turn(self) -> None:
        """Let another file be the first next time."""
        if self._files:
            identity = next(iter(self._files))
            self._files[identity] = self._files.pop(identity)

    def _look(self) -> None:
        seen = set()
        for pattern in self._patterns:
            for name in sorted(glob.glob(pattern.path, recursive=True)):  # noqa: PTH207  # patterns are absolute
                if not name.endswith(PACKED) and (identity := self._met(Path(name), pattern)):
                    seen.add(identity)
        if self._first:
            for left in self._left.values():
                self._resume_elsewhere(left)
            self._left.clear()
            self._read_between()
        self._found.clear()
        self._first = False
        for identity, followed in list(self._files.items()):
            followed.gone = 0.0 if identity in seen else followed.gone or time.monotonic()

    def _met(self, path: Path, pattern: Pattern) -> Identity | None:
        """Look at a file that a pattern names; return which it is if it is followed."""
        try:
            status = path.stat(follow_symlinks=pattern.links)
            if not stat.S_ISREG(status.st_mode):
                return None
            identity = (status.st_dev, status.st_ino)
            followed = self._files.get(identity)
            if followed is None:
                if len(self._files) >= FILES:
                    self._note("files_too_many", f"{path} is not followed: {FILES:,} files are", 1)
                    return None
                followed = self._files[identity] = self._begin(path, identity, pattern)
            followed.path = path
            if not followed.copy and followed.replaced():
                self._emptied(followed)
        except OSError as error:
            self._note("file_unreadable", f"{path} can't be read: {error.strerror}", 1)
            return None
        return identity

    def _begin(self, path: Path, identity: Identity, pattern: Pattern) -> Followed:
        file = opened(path, links=pattern.links)
        left = self._left.get(identity)
        if left is not None and (left.path == str(path) or holds(path, left)):
            if left.path == str(path):
                self._still.add(left.path)
            return Followed(path, pattern.source, self._left.pop(identity), file)
        followed = Followed(path, pattern.source, Left(str(path), identity), file)
        followed.copy = any(resembles(path, other) for other in self._files.values() if not other.copy)
        old = self._first and pattern.from_end
        followed.go_to(followed.size if followed.copy or old else 0)
        self._pieces.append(_piece(followed, []))
        return followed

    def _emptied(self, followed: Followed) -> None:
        """Read what was written to a file before it was emptied from its copy, then the file anew."""
        left = followed.left
        copy = continuing(left, followed.path.parent) if left.offset else None
        if copy is None:
            self._note("file_truncated", f"{followed.path} was emptied; lines written just before may be missing", 1)
        else:
            self._read_rest(copy, left, followed.source, keyed=False)
            self._found.append((copy, left, followed.source))
        self._still.discard(left.path)
        followed.left = Left(left.path, left.identity)
        followed.go_to(0)
        self._pieces.append(_piece(followed, []))

    def _resume_elsewhere(self, left: Left) -> None:
        """Read the rest of a file that was rotated while nobody looked."""
        source = next((each.source for each in self._patterns if Path(left.path).match(each.path)), None)
        folder = Path(left.path).parent
        found = continuing(left, folder) if source and folder.is_dir() else None
        if found is not None and source:
            self._read_rest(found, left, source)
            self._found.append((found, left, source))
        elif source:
            self._note("file_gone", f"{left.path} was rotated out of reach; lines at its end may be missing", 1)
        if left.identity not in self._files and not (found is not None and found.suffix == ".gz"):
            self._pieces.append(Piece(source or "", Origin("file", path=left.path), [], {left.key: None}))

    def _read_between(self) -> None:
        """Read files that were begun and rotated while nobody looked: those written after what was read last."""
        known = {path for path, _, _ in self._found}
        newest = {left.path: (path, left, source) for path, left, source in sorted(self._found, key=_written)}
        for found, left, source in newest.values():
            if left.path in self._still:
                continue
            for path in later(found, left):
                status = path.stat()
                identity = (status.st_dev, status.st_ino)
                if identity in self._files or path in known:
                    continue
                if path.suffix in PACKED and path.suffix != ".gz":
                    told = f"{path} was rotated and packed while nobody looked; its lines are missing"
                    self._note("file_gone", told, 1)
                else:
                    self._read_rest(path, Left(left.path, identity), source)

    def _read_rest(self, path: Path, left: Left, source: str, *, keyed: bool = True) -> None:
        """Read on in the file that holds what was read of another, or was it; `keyed`: the mark is that file's."""
        if path.suffix == ".gz":
            self._packed.append(self._unpacked(path, left, source, keyed=keyed))
            return
        file = opened(path, links=False)
        status = os.fstat(file.fileno())
        identity = (status.st_dev, status.st_ino)
        if (known := self._files.pop(identity, None)) is not None:  # a copy that was seen already
            known.close()
        moved = Left(left.path, identity, left.offset, left.signature, left.skipping)
        followed = self._files[identity] = Followed(path, source, moved, file)
        self._pieces.append(_piece(followed, []))

    def _unpacked(self, path: Path, left: Left, source: str, *, keyed: bool) -> Iterator[Piece]:
        origin = Origin("file", path=left.path)
        try:
            for lines, moved in unpacked(path, left):
                yield Piece(source, origin, lines, {left.key: moved.mark()} if keyed else {})
        except (OSError, EOFError, zlib.error) as error:
            self._note("file_unreadable", f"{path} can't be read: {error}", 1)
        if keyed and left.identity not in self._files:
            yield Piece(source, origin, [], {left.key: None})

    def _read(self, followed: Followed) -> Iterator[Piece]:
        left = followed.left
        before = left.offset
        try:
            if followed.copy:
                followed.go_to(followed.size)
            lines = [] if followed.copy else followed.read()
            if left.offset != before:
                yield _piece(followed, lines)
            elif followed.gone and time.monotonic() - followed.gone > LINGER:
                yield Piece(followed.source, Origin("file", path=left.path), followed.rest(), {left.key: None})
                followed.close()
                del self._files[left.identity]
        except OSError as error:
            self._note("file_unreadable", f"{followed.path} can't be read: {error.strerror}", 1)
        if followed.cut:
            told = f"a line of {followed.path} is too long; `count` bytes of its end were left out"
            self._note("line_cut", told, followed.cut)
            followed.cut = 0


def _written(found: tuple[Path, Left, str]) -> int:
    return found[0].stat().st_mtime_ns


def _piece(followed: Followed, lines: Sequence[bytes]) -> Piece:
    left = followed.left
    return Piece(followed.source, Origin("file", path=left.path), lines, {left.key: left.mark()})
