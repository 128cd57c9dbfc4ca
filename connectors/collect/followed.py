"""One file that grows, read from where it was left."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from connectors.collect.block import Mark
from connectors.collect.framing import STRIPPED

STEP: Final = 1 << 20  # bytes read at once; also the longest line
HEAD, TAIL = 256, 64  # bytes at a file's begin, and before where it was left, that tell whether it is still the same

Identity = tuple[int, int]  # device and inode


@dataclass(slots=True)
class Left:
    """Where a file was left."""

    path: str  # as it was called when it was first seen
    identity: Identity
    offset: int = 0
    signature: str = ""  # of what stands before the offset
    skipping: bool = False  # the line at the offset is too long; its beginning was taken

    @property
    def key(self) -> str:
        """The name of its mark."""
        return f"tail:{self.identity[0]}:{self.identity[1]}"

    def mark(self) -> dict[str, object]:
        """Return it as a mark of the spool."""
        return {
            "path": self.path,
            "identity": list(self.identity),
            "offset": self.offset,
            "signature": self.signature,
            "skipping": self.skipping,
        }

    @staticmethod
    def of(mark: Mark) -> Left:
        """Read a mark."""
        found: dict[str, Any] = dict(mark or {})
        device, inode = found["identity"]
        return Left(found["path"], (device, inode), found["offset"], found["signature"], found["skipping"])


class Followed:
    """An open file; it stays the same file when it is renamed."""

    def __init__(self, path: Path, source: str, left: Left, file: IO[bytes]) -> None:
        self.path, self.source, self.left = path, source, left
        self.gone = 0.0  # since when no name that is followed leads to it; 0: one does
        self.copy = False  # made by somebody who empties the original next: its lines were read there
        self.cut = 0
        self._file = file
        self._seen: tuple[int, int] = (-1, -1)  # size and time of change when it was last looked at

    @property
    def size(self) -> int:
        """Bytes it has now."""
        return os.fstat(self._file.fileno()).st_size

    def replaced(self) -> bool:
        """Say whether what was read stands there no more: it was truncated, and perhaps has grown again."""
        status = os.fstat(self._file.fileno())
        seen, self._seen = self._seen, (status.st_size, status.st_mtime_ns)
        if status.st_size < self.left.offset:
            return True
        return seen != self._seen and self._signature() != self.left.signature

    def read(self) -> list[bytes]:
        """Return the next whole lines, none when there are none yet."""
        data = os.pread(self._file.fileno(), STEP, self.left.offset)
        end = data.rfind(b"\n") + 1
        if not end and len(data) < STEP:
            return []
        lines = self._lines(data[:end]) if end else self._too_long(data)
        self.left.offset += end or len(data)
        self.left.signature = self._signature()
        return lines

    def rest(self) -> list[bytes]:
        """Return the last line of a file that nobody writes any more, which has no end."""
        data = os.pread(self._file.fileno(), STEP, self.left.offset)
        self.left.offset += len(data)
        return [] if self.left.skipping else _nonempty([data])

    def go_to(self, offset: int) -> None:
        """Read on from an offset."""
        self.left.offset, self.left.skipping = offset, False
        self.left.signature = self._signature()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def head(self, size: int) -> bytes:
        """Return the first bytes."""
        return os.pread(self._file.fileno(), size, 0)

    def _signature(self) -> str:
        return signature(lambda size, at: os.pread(self._file.fileno(), size, at), self.left.offset)

    def _lines(self, data: bytes) -> list[bytes]:
        first, *others = data.split(b"\n")
        kept = others if self.left.skipping else [first, *others]
        self.cut += len(first) if self.left.skipping else 0
        self.left.skipping = False
        return _nonempty(kept)

    def _too_long(self, data: bytes) -> list[bytes]:
        if self.left.skipping:
            self.cut += len(data)
            return []
        self.left.skipping = True
        return _nonempty([data])


def signature(read: Callable[[int, int], bytes], offset: int) -> str:
    """Return what tells whether the bytes before an offset are still those that were read."""
    head, tail = min(HEAD, offset), min(TAIL, offset)
    return hashlib.sha256(read(head, 0) + read(tail, offset - tail)).hexdigest()[:32]


def continuing(left: Left, folder: Path) -> Path | None:
    """Find the file beside a rotated one that holds what was read of it: itself, renamed, or a copy, also gzipped."""
    for path in sorted(folder.iterdir()):
        try:
            if not path.is_file() or path.is_symlink():
                continue
            status = path.stat()
            same = (status.st_dev, status.st_ino) == left.identity
            copied = left.offset and path.name.startswith(Path(left.path).name)
            if (same or copied) and holds(path, left):
                return path
        except (OSError, EOFError, zlib.error):
            continue
    return None


def later(found: Path, left: Left) -> list[Path]:
    """Name the files beside a rotated one that were written after it and rotated as well, in order."""
    since, name = found.stat().st_mtime_ns, Path(left.path).name
    there = []
    for path in found.parent.iterdir():
        if path.name.startswith(name) and path.name != name and path != found:
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mtime_ns > since:
                there.append((status.st_mtime_ns, path))
    return [path for _, path in sorted(there)]


def unpacked(path: Path, left: Left) -> Iterator[tuple[list[bytes], Left]]:
    """Yield the lines that follow in a gzipped file that holds what was read, and where it was left after them."""
    with _opened(path) as file:
        head = file.read(HEAD)
        file.seek(max(0, left.offset - TAIL))
        before = file.read(min(TAIL, left.offset))
        offset, rest = left.offset, b""
        while data := file.read(STEP):
            end = data.rfind(b"\n") + 1
            if not end and len(rest) < STEP:
                rest += data
                continue
            whole, rest = rest + data[: end or len(data)], data[end or len(data) :]
            offset, before = offset + len(whole), (before + whole)[-TAIL:]
            told = hashlib.sha256(head[:offset] + before).hexdigest()[:32]
            yield _nonempty(whole.split(b"\n")), Left(left.path, left.identity, offset, told)
        yield _nonempty([rest]), left


def holds(path: Path, left: Left) -> bool:
    """Say whether a file holds what was read."""

    def read(size: int, at: int) -> bytes:
        file.seek(at)
        return file.read(size)

    with _opened(path) as file:
        whole = path.suffix == ".gz" or path.stat().st_size >= left.offset
        return whole and signature(read, left.offset) == left.signature


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _nonempty(lines: list[bytes]) -> list[bytes]:
    return [kept for line in lines if (kept := line.strip(STRIPPED))]


def resembles(path: Path, original: Followed) -> bool:
    """Say whether a file may be a copy of another one, perhaps not yet whole: its name is longer, it begins alike."""
    if path.parent != original.path.parent or not path.name.startswith(Path(original.left.path).name):
        return False
    with path.open("rb") as file:
        head = file.read(HEAD)
    return head == original.head(len(head))


def opened(path: Path, *, links: bool) -> IO[bytes]:
    """Open a file without waiting for anybody; a symbolic link only where `links` are trusted."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if links else os.O_NOFOLLOW)
    return os.fdopen(os.open(path, flags), "rb", buffering=0)
