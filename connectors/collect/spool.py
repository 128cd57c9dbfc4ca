"""A bounded queue on disk, in order, that survives a kill and a power cut.

    <folder>/0000000000000000007.spool     blocks (connectors.collect.block), 600; deleted when Kafka has all of them
    <folder>/state.json                    what Kafka has, and how far every input was read; replaced, never changed
    <folder>/lock                          held by the collector that owns the folder

When the bound is reached what came first is kept and nothing more is taken: whoever can wait does so (files, TCP), or
is told to come again (HTTP); datagrams are refused, and counted.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import orjson

from connectors.collect.block import LARGEST, Block, Mark, Record, blocks, encode
from detectors.errors import InputError, Place, UnavailableError, UsageError

SEGMENT: Final = 32 << 20  # bytes from which the next segment is begun
SUFFIX: Final = ".spool"

Position = tuple[int, int]  # number of a segment, offset in it


@dataclass(frozen=True, slots=True)
class Taken:
    """A block on its way to Kafka, and the position after it."""

    after: Position
    block: Block


@dataclass(frozen=True, slots=True)
class State:
    """What Kafka has, and how far every input was read when `marked` was the end of the spool."""

    acknowledged: Position = (0, 0)
    marked: Position = (0, 0)
    marks: Mapping[str, Mark] = field(default_factory=dict)


class Spool:
    """One writer and one reader, which may be two threads.

    Args:
        folder: made if missing, for this user only.
        limit: bytes it may take on disk.
        say: hears of damage; what stood there is kept in a file beside the segment.

    Raises:
        UsageError: the folder can't be used, or another collector uses it.
    """

    def __init__(self, folder: Path, limit: int, say: Callable[[InputError], object]) -> None:
        self.limit = max(limit, 1 << 20)
        self._folder, self._say = folder, say
        self._segment_size = min(SEGMENT, self.limit // 8)
        self._lock, self._state_lock = threading.Lock(), threading.Lock()
        self._owner = _own(folder)
        self._sizes = {int(path.stem): path.stat().st_size for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit()}
        self._torn = max(self._sizes, default=0)  # the segment that a kill may have ended in
        state = self._last_state()
        self._acknowledged, self._marks = state.acknowledged, dict(state.marks)
        self._forget()
        self._recover(state.marked)
        self._number = max((*self._sizes, self._acknowledged[0])) + 1
        self._file: IO[bytes] | None = None
        self._synced = self._written = (self._number, 0)

    @property
    def size(self) -> int:
        """Bytes on disk, in segments that Kafka hasn't all of."""
        return sum(list(self._sizes.values()))

    @property
    def waiting(self) -> int:
        """Bytes that Kafka hasn't."""
        number, at = self._acknowledged
        return self.size - (at if number in self._sizes else 0)

    @property
    def full(self) -> bool:
        """Whether nothing more is taken."""
        return self.size >= self.limit

    @property
    def marks(self) -> Mapping[str, Mark]:
        """How far each input was read, as far as that is on disk."""
        return self._marks

    def append(self, records: Sequence[Record], marks: Mapping[str, Mark]) -> None:
        """Write a block; a kill can't undo it when this returns, and a power cut can't after `sync`.

        Raises:
            UnavailableError: the disk takes no more; nothing of the block is kept.
        """
        data = encode(records, marks)
        if len(data) > LARGEST:
            raise ValueError("a block is larger than the reader takes")
        with self._lock, self._writing():
            file = self._segment(len(data))
            at = file.tell()
            try:
                _write(file, data)
            except OSError:
                file.truncate(at)
                file.seek(at)
                raise
            self._sizes[self._number] = at + len(data)
            self._written = (self._number, at + len(data))
            self._note(marks)

    def sync(self) -> None:
        """Return when the disk has every block written so far."""
        with self._lock:
            written = self._written
            if self._file is None or self._synced >= written:
                return
            handle = os.dup(self._file.fileno())
        try:
            with self._writing():
                os.fsync(handle)
        finally:
            os.close(handle)
        self._synced = written

    def read(self, after: Position | None = None) -> Iterator[Taken]:
        """Yield the blocks after a position, by default all that Kafka hasn't, up to what is written now."""
        since, end = after or self._acknowledged, self._written
        for number in sorted(each for each in list(self._sizes) if since[0] <= each <= end[0]):
            start = since[1] if number == since[0] else 0
            size = end[1] if number == end[0] else self._sizes.get(number, 0)
            for at, block in blocks(data := _content(self._path(number), start, size)):
                if isinstance(block, Block):
                    yield Taken((number, start + at), block)
                elif number != self._torn or at < len(data):  # else nobody was told that it is safe
                    self._put_aside(number, data[at - block.size : at])

    def acknowledge(self, position: Position) -> None:
        """Note that Kafka has everything up to a position; delete the segments that hold no more."""
        with self._lock:
            self._acknowledged = max(position, self._acknowledged)
        self.keep_state()
        with self._lock:
            self._forget()

    def keep_state(self) -> None:
        """Write down where everything stands."""
        with self._state_lock:
            with self._lock:
                state = State(self._acknowledged, self._written, dict(self._marks))
            with self._writing():
                fresh = self._folder / "state.new"
                with _private(fresh) as file:
                    file.truncate(0)
                    _write(file, orjson.dumps(state))
                    os.fsync(file.fileno())
                fresh.replace(self._folder / "state.json")

    def close(self) -> None:
        """Write down where everything stands, and let the folder go."""
        self.sync()
        if not self.waiting:
            self._acknowledged = (self._number + 1, 0)
        self.keep_state()
        if self._file is not None:
            self._file.close()
        self._forget()
        self._owner.close()

    def _segment(self, size: int) -> IO[bytes]:
        if self._file is not None and self._file.tell() > 0 and self._file.tell() + size > self._segment_size:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file, self._number = None, self._number + 1
        if self._file is None:
            self._file = _private(self._path(self._number))
            self._sizes[self._number] = 0
        return self._file

    def _note(self, marks: Mapping[str, Mark]) -> None:
        for name, mark in marks.items():
            if mark is None:
                self._marks.pop(name, None)
            else:
                self._marks[name] = mark

    def _forget(self) -> None:
        for number in [each for each in self._sizes if each < self._acknowledged[0]]:
            self._path(number).unlink(missing_ok=True)
            del self._sizes[number]

    def _recover(self, marked: Position) -> None:
        """Take up the marks of blocks that were written after the state was."""
        for number in sorted(each for each in self._sizes if each >= marked[0]):
            start = marked[1] if number == marked[0] else 0
            for _, block in blocks(_content(self._path(number), start, self._sizes[number])):
                if isinstance(block, Block):
                    self._note(block.marks)

    def _put_aside(self, number: int, data: bytes) -> None:
        """Keep the first damage of a segment for people to look at."""
        path = self._path(number)
        aside = path.with_suffix(".damaged")
        if aside.exists():
            return
        with _private(aside) as file:
            _write(file, data)
        message = f"{len(data):,} bytes of the spool are damaged; they are kept in {aside.name}"
        self._say(InputError(message, place=Place(str(path)), fix="check that disk"))

    def _last_state(self) -> State:
        path = self._folder / "state.json"
        try:
            found = orjson.loads(path.read_bytes())
            acknowledged, marked = ((int(found[name][0]), int(found[name][1])) for name in ("acknowledged", "marked"))
            return State(acknowledged, marked, dict(found["marks"]))
        except FileNotFoundError:
            return State()
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
            message = f"what Kafka has, and how far files were read, is not known: {error}"
            fix = "nothing is lost: what is still there is read and sent again"
            self._say(InputError(message, place=Place(str(path)), fix=fix))
            return State()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the spool {self._folder} can't be written: {error.strerror}"
            raise UnavailableError(message, fix="make room on that disk") from error

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:019d}{SUFFIX}"


def _own(folder: Path) -> IO[bytes]:
    """Make the folder and hold its lock; the kernel lets it go however the process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = _private(folder / "lock")
    except OSError as error:
        fix = "give this user the folder, or set `collect.spool`"
        raise UsageError(f"the spool can't be used: {error.strerror}", place=Place(str(folder)), fix=fix) from error
    try:
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner.close()
        fix = "stop it, or give this one a folder of its own (`collect.spool`)"
        raise UsageError("another collector uses this spool", place=Place(str(folder)), fix=fix) from None
    return owner


def _private(path: Path) -> IO[bytes]:
    """Open a file for reading and writing that only this user may read; a link in its place is not followed."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "r+b", buffering=0)


def _write(file: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _content(path: Path, start: int, size: int) -> bytes:
    """Return what of a segment stands before `size`; one that is gone holds nothing."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(start)
        return file.read(max(0, size - start))
    return b""
