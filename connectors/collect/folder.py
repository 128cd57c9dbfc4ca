"""Folders into which finished logs are put: EVTX, and whatever else files may hold, packed or not.

A file is read when it has rested, and again when it has changed; of one that begins as before only what is new comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectors.collect.block import Mark
from connectors.collect.piece import Piece
from connectors.content import Limits
from connectors.envelope import Origin
from connectors.files import FileSource

LOOK: Final = 2.0  # seconds between two looks; a file that is the same at both has rested
LIMITS: Final = Limits(batch=4 << 20, records=5_000)

Note = Callable[[str, str, int], object]  # what happened, words, how many
State = tuple[int, int]  # size and time of change


@dataclass(frozen=True, slots=True)
class Watched:
    """A folder, the names in it that are read, and whose records they hold."""

    path: Path
    source: str
    pattern: str = "*.evtx"


class Folders:
    """Reads files once. Not for two threads at once; `note` hears of what can't be read."""

    def __init__(self, watched: Sequence[Watched], marks: Mapping[str, Mark], note: Note) -> None:
        self._watched, self._note = watched, note
        self._done = {key: dict(mark or {}) for key, mark in marks.items() if key.startswith("folder:")}
        self._met: dict[Path, State] = {}
        self._looked = 0.0
        self._reading: Iterator[Piece] = iter(())

    def poll(self, budget: int) -> list[Piece]:
        """Return what was read since the last call, about `budget` bytes at most; none when there is nothing."""
        pieces: list[Piece] = []
        size = 0
        while size < budget and (piece := self._next()) is not None:
            pieces.append(piece)
            size += sum(map(len, piece.lines))
        return pieces

    def close(self) -> None:
        """Let go what is being read; how far it came stands in the spool."""
        self._reading = iter(())

    def _next(self) -> Piece | None:
        if (piece := next(self._reading, None)) is not None:
            return piece
        if time.monotonic() - self._looked < LOOK:
            return None
        self._looked = time.monotonic()
        self._reading = self._look()
        return next(self._reading, None)

    def _look(self) -> Iterator[Piece]:
        met: dict[Path, State] = {}
        for watched in self._watched:
            for path in sorted(watched.path.rglob(watched.pattern)):
                if path.is_symlink() or not path.is_file():
                    continue
                status = path.stat()
                state = met[path] = (status.st_size, status.st_mtime_ns)
                done = self._done.get(f"folder:{path}", {})
                if self._met.get(path) == state and done.get("state") != list(state):
                    yield from self._file(path, watched.source, state, done)
        self._met = met
        for key in [key for key in self._done if Path(key.removeprefix("folder:")) not in met]:
            del self._done[key]
            yield Piece("", Origin("folder"), [], {key: None})

    def _file(self, path: Path, source: str, state: State, done: Mapping[str, object]) -> Iterator[Piece]:
        key = f"folder:{path}"
        reader = FileSource([path], lambda *_: None, source, LIMITS, dead=lambda frame: self._cut(path, frame.height))
        read, begin = 0, ""
        for batch in reader.batches():
            begin = begin or batch.origin
            before = int(str(done.get("records", 0))) if begin == done.get("begin") else 0
            lines = batch.records["event.original"].to_list()[max(0, before - read) :]
            read += batch.records.height
            if lines:
                self._done[key] = {"begin": begin, "records": read, "state": None}
                yield Piece(
                    source, Origin("folder", path=str(path)), [line.encode() for line in lines], {key: self._done[key]}
                )
        for fault in reader.outcome.faults:
            self._note("file_unreadable", str(fault), 1)
        self._done[key] = {"begin": begin, "records": read, "state": list(state)}
        yield Piece(source, Origin("folder", path=str(path)), [], {key: self._done[key]})

    def _cut(self, path: Path, count: int) -> None:
        self._note("line_cut", f"`count` lines of {path} are too long and were left there", count)
