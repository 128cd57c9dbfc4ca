"""A stream of bytes that comes out of a file, however packed, and ends early instead of raising.

What ended it stands in the `Outcome`, beside the totals. Sizes are bounded by `Limits`.
"""

from __future__ import annotations

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

import zstandard

from detectors.errors import InputError, Place, UsageError

STEP = 1 << 20
RATIO_FROM = 64 << 20  # a small member may shrink as much as it likes
AGAIN = "what stood before it was read; copy or fetch the file again"
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    NotImplementedError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
    zstandard.ZstdError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of anything is read at once, or at all; sizes in bytes."""

    batch: int = 24 << 20  # raw text in one batch: each has its price, and three to five are in memory
    records: int = 32_000  # records in one batch, which matter more than bytes where lines are short
    line: int = 1 << 20  # a longer line becomes a dead letter
    kept: int = 64 << 10  # what a dead letter keeps of a line
    document: int = 256 << 20  # a JSON document that spans lines
    spooled: int = 1 << 30  # a zip inside another archive
    unpacked: int = 64 << 30  # out of one file
    ratio: int = 1_000  # unpacked ÷ packed, of a member larger than 64 MiB
    members: int = 100_000  # of one archive
    nesting: int = 6  # layers: a .tar.gz in a .zip has three

    def __post_init__(self) -> None:
        if not 0 < self.kept <= self.line < self.batch or min(self.records, self.members) < 1:
            raise UsageError("the reading limits contradict each other", fix="keep 0 < kept <= line < batch")


LIMITS = Limits()


@dataclass(slots=True)
class Outcome:
    """What reading came to so far: totals, faults (part of the input was not read) and notices (nothing was lost)."""

    files: int = 0  # logs read, counting each member of an archive
    bytes: int = 0  # of them, unpacked
    faults: list[InputError] = field(default_factory=list)
    notices: list[InputError] = field(default_factory=list)

    def fault(self, label: str, message: str, fix: str) -> None:
        self.faults.append(InputError(message, place=Place(label), fix=fix))

    def notice(self, label: str, message: str, fix: str = "") -> None:
        self.notices.append(InputError(message, place=Place(label), fix=fix))


@dataclass(slots=True)
class Job:
    """What the layers of one file share; `left` is how many bytes may still come out of it."""

    limits: Limits
    outcome: Outcome
    left: int


class Content(io.RawIOBase):
    """The bytes of a file, a decompressed file or a member: a stream that ends early instead of raising.

    `broken` says that it ended early; the fault is then in the outcome. `packed` counts what it was unpacked from.
    """

    def __init__(
        self,
        label: str,
        raw: Callable[[int], bytes],
        job: Job,
        *,
        file: IO[bytes] | None = None,
        into: Callable[[memoryview], int] | None = None,
        parent: Content | None = None,
        packed: Callable[[], int] | None = None,
    ) -> None:
        self.label, self.job, self.size, self.broken = label, job, 0, False
        self._raw, self._file, self._into, self._parent, self._packed = raw, file, into, parent, packed
        self._ahead = b""

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only at the end; all that is left when `size` is negative."""
        missing = self.job.left if size < 0 else size
        parts, self._ahead = [self._ahead[:missing]], self._ahead[missing:]
        missing -= len(parts[0])
        while missing > 0 and (data := self._fetch(missing)):
            parts.append(data)
            missing -= len(data)
        return b"".join(parts) if parts[0] else b"".join(parts[1:])  # one part is not copied

    def fill(self, into: memoryview) -> int:
        """Fill memory that is there, and return how many bytes it has now: less than there is room only at the end."""
        ahead, self._ahead = self._ahead[: len(into)], self._ahead[len(into) :]
        into[: len(ahead)] = ahead
        filled = len(ahead)
        while filled < len(into) and (fresh := self._fetched(into[filled:])):
            filled += fresh
        return filled

    def peek(self, size: int) -> bytes:
        """Return the next bytes without moving on."""
        if len(self._ahead) < size:
            self._ahead = self.read(size)
        return self._ahead[:size]

    def fail(self, message: str, fix: str = AGAIN) -> None:
        """End here, and say why unless the layer around this one has said it already."""
        if not (self._parent and self._parent.broken):
            self.job.outcome.fault(self.label, message, fix)
        self.broken = True

    @property
    def file(self) -> IO[bytes] | None:
        """The file that these bytes are, where nothing is packed."""
        return self._file

    def reached(self, place: int) -> None:
        """Say that its file was read so far by somebody else."""
        self.size = place

    def inner(self, label: str, raw: Callable[[int], bytes], packed: Callable[[], int] | None = None) -> Content:
        """Return a content that stands inside this one."""
        return Content(label, raw, self.job, parent=self, packed=packed)

    def seekable_file(self) -> IO[bytes]:
        """Return the same bytes as a file that can be read in any order."""
        if self._file:
            return self._file
        spool = tempfile.SpooledTemporaryFile(max_size=16 * STEP)  # noqa: SIM115 - lives as long as the archive on it
        while data := self.read(STEP):
            if spool.tell() + len(data) > self.job.limits.spooled:
                raise InputError(f"is larger than {self.job.limits.spooled} bytes inside an archive")
            spool.write(data)
        spool.seek(0)
        return spool

    def _fetch(self, size: int) -> bytes:
        if self.broken:
            return b""
        try:
            data = self._raw(size if self._file else min(size, STEP))  # what comes before damage must not be lost
        except EOFError:
            self.fail("the data is cut off")
            return b""
        except UNREADABLE as error:
            self.fail(f"the data is damaged: {clean(str(error))}")
            return b""
        self.size += len(data)
        self._guard(len(data))
        return data

    def _fetched(self, into: memoryview) -> int:
        """Fill memory with what comes next, as far as that can be done at once."""
        if self._into is None or self.broken:
            data = self._fetch(len(into))
            data, self._ahead = data[: len(into)], data[len(into) :]  # what unpacks may give more than it is asked for
            into[: len(data)] = data
            return len(data)
        try:
            fresh = self._into(into)
        except UNREADABLE as error:
            self.fail(f"the data is damaged: {clean(str(error))}")
            return 0
        self.size += fresh
        return fresh

    def _guard(self, fresh: int) -> None:
        if self._packed is None:
            return
        limits = self.job.limits
        self.job.left -= fresh
        if self.job.left <= 0:
            self.fail(
                f"more than {limits.unpacked} bytes come out of this file", "unpack it yourself and scan the result"
            )
        elif self.size > RATIO_FROM and self.size > limits.ratio * self._packed():
            self.fail(
                f"unpacks to more than {limits.ratio} times its size, like a decompression bomb",
                "if it is a real log, unpack it yourself and scan the result",
            )


def clean(text: str) -> str:
    """Return `text` in one printable line: control characters and undecodable bytes show as escapes."""
    if text.isprintable():
        return text
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
