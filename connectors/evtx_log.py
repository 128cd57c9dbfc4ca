"""One event log on its way through the parsers: which chunks come next, and the damage met in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from connectors.content import Content, clean
from connectors.evtx_child import unnamed
from connectors.evtx_chunks import CHUNK, CHUNK_MAGIC
from connectors.evtx_process import Stretch
from detectors.errors import InputError

FILE_MAGIC, HEADER = b"ElfFile\0", 4096
AGAIN: Final = "what else is in it was read; export the log again where it was written"


def is_evtx(head: bytes) -> bool:
    """Say whether a file is an event log, even when its header is damaged."""
    return head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or head[HEADER:].startswith(CHUNK_MAGIC)


@dataclass(frozen=True, slots=True)
class Piece:
    """Chunks of a log that follow one another; the first has this number, from 1. `last` says that no more come."""

    log: Log
    number: int
    stretch: Stretch
    last: bool

    def chunk(self, which: int) -> bytes:
        """Return the bytes of one of them.

        Raises:
            InputError: the file can't be read any more.
        """
        try:
            return os.pread(self.stretch.file, CHUNK, self.stretch.at + which * CHUNK)
        except OSError as error:
            raise InputError(f"the data is damaged: {clean(str(error))}", fix=AGAIN) from error

    def close(self) -> None:
        """Close the file that holds these chunks alone."""
        if self.log.file is None and self.stretch.count:
            os.close(self.stretch.file)


class Log:
    """An event log that is read from the front.

    A file is read by the child alone; of an archive, what comes next lies in a file without a name until it is parsed.
    """

    def __init__(self, content: Content) -> None:
        self.content = content
        self.read = 0  # records that came out of it
        self.told = self.gone = False  # somebody was told of damage; the rest of it is given up
        self.damaged = 0  # chunks
        self.lost = 0  # records of them
        self.wasted = 0.0  # seconds
        self.file = None if content.file is None else os.dup(content.file.fileno())
        self._at = 0 if content.peek(len(CHUNK_MAGIC)).startswith(CHUNK_MAGIC) else HEADER
        self._end = 0 if self.file is None else os.fstat(self.file).st_size
        self._number = 1
        if self.file is None:
            content.read(self._at)

    def piece(self, most: int) -> Piece:
        """Return the next chunks, so many at most."""
        stretch = self._held(most) if self.file is None else self._placed(self.file, most)
        number, self._number = self._number, self._number + stretch.count
        last = stretch.count == 0 if self.file is None else self._at >= self._end
        return Piece(self, number, stretch, last or self.gone)

    def fail(self, error: InputError) -> None:
        """Give up the rest of it."""
        if not self.gone:
            self.content.fail(error.message, error.fix or AGAIN)
        self.gone = self.told = True

    def close(self) -> None:
        """Close its file."""
        if self.file is not None:
            os.close(self.file)

    def end(self) -> None:
        """Report the damage, when there is any, beside the number of records read."""
        self.close()
        outcome, label = self.content.job.outcome, self.content.label
        chunks = f"{self.damaged} of its 64 KiB chunks are damaged"
        if self.lost:
            fix = f"the other {self.read} were read; export the log again where it was written"
            outcome.fault(label, f"{chunks}: at least {self.lost} records can't be read", fix)
        elif self.damaged:
            outcome.notice(label, f"{chunks}, but all records in them were read")
        self.told |= bool(self.lost)

    def _placed(self, file: int, most: int) -> Stretch:
        """Return where the next chunks stand in its file; the last one may be cut off."""
        left = 0 if self.gone else max(-(-(self._end - self._at) // CHUNK), 0)
        stretch = Stretch(file, self._at, min(left, most))
        self._at += stretch.count * CHUNK
        self.content.reached(min(max(self._at, self.content.size), self._end))
        return stretch

    def _held(self, most: int) -> Stretch:
        """Put the next chunks where the child can read them."""
        data = b"" if self.gone else self.content.read(most * CHUNK)
        if not data:
            return Stretch(-1, 0, 0)
        return Stretch(unnamed(data), 0, -(-len(data) // CHUNK))
