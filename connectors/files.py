"""Read logs from files and folders: any packing, any of the formats that text and event logs have.

    path ─► walk ─► unpack ─► text or events ─► recognise ─► Batch

A file is named by the fingerprint of its first record, so that its events keep their ids when it is copied, renamed,
packed otherwise, or grows.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from connectors import evtx, evtx_process, text
from connectors.content import LIMITS, Content, Job, Limits, Outcome, clean
from connectors.lines import Portion
from connectors.unpack import unpack
from detectors.contracts import Batch
from detectors.schema import DEAD

SAMPLE = 200  # records shown to the recogniser
FINGERPRINT = 4096
HEADINGS = 64  # lines of comment that may stand above the first record
OWN = ".soc"  # where the program keeps its things: no logs, unless somebody names it
UNKNOWN = "unknown"  # the source of a dead letter that stands before any record


class Recognised(Protocol):
    """Whose records a sample shows."""

    @property
    def source(self) -> str: ...


class FileSource:
    """The records of files and folders, in the order of their names.

    What can't be read costs only itself: `outcome` tells of it and holds the totals. Lines too long to be records go to
    `dead` (frames of DEAD) as they are met, which keeps memory bounded. `report` is called after each batch with a
    file's label, how far it was read, and its size. There is nothing to commit: reading again gives the same ids.
    """

    def __init__(
        self,
        paths: Iterable[Path | str],
        recognise: Callable[[list[str], str], Recognised | None],
        source: str | None = None,
        limits: Limits = LIMITS,
        report: Callable[[str, int, int], object] | None = None,
        *,
        dead: Callable[[pl.DataFrame], object],
    ) -> None:
        self.outcome = Outcome()
        self._paths = [Path(path) for path in paths]
        self._recognise, self._source, self._limits = recognise, source, limits
        self._report, self._dead = report, dead

    def batches(self) -> Iterator[Batch]:
        """Yield the records of every file; a second call reads all of them again."""
        for path in walk(self._paths, self.outcome):
            yield from self._file(path)

    def commit(self) -> None:
        """Do nothing: files stay where they are."""

    def close(self) -> None:
        """End the processes that parsed event logs; a file is closed when its last batch was taken."""
        evtx_process.PARSERS.close()

    def _file(self, path: Path) -> Iterator[Batch]:
        label = clean(str(path))
        try:
            handle = path.open("rb")
        except OSError as error:
            self.outcome.fault(label, f"can't be opened: {error.strerror}", "check that it exists and may be read")
            return
        with handle:
            status = os.fstat(handle.fileno())
            total, written = status.st_size, datetime.fromtimestamp(status.st_mtime, UTC).date()
            job = Job(self._limits, self.outcome, self._limits.unpacked)
            for log in unpack(Content(label, handle.read, job, file=handle, into=handle.readinto)):
                for batch in self._log(log):
                    yield replace(batch, received=written)
                    self._tell(label, handle.tell(), total)
            self._tell(label, total, total)

    def _tell(self, label: str, done: int, total: int) -> None:
        if self._report:
            self._report(label, min(done, total), total)

    def _log(self, log: Content) -> Iterator[Batch]:
        head, told, found = log.peek(text.HEAD), len(self.outcome.faults), False
        is_evtx = evtx.is_evtx(head)
        self.outcome.files += 1
        try:
            if not is_evtx and (refusal := text.refusal(head)):
                self.outcome.fault(log.label, *refusal)
                return
            for batch in self._batches(log, is_evtx=is_evtx):
                found = True
                yield batch
        finally:
            self.outcome.bytes += log.size
        if not found and len(self.outcome.faults) == told and not log.broken:
            self.outcome.notice(log.label, "holds no records" if log.size else "is empty")

    def _batches(self, log: Content, *, is_evtx: bool) -> Iterator[Batch]:
        source = self._source or ("windows" if is_evtx else None)
        origin = ""
        for portion in evtx.events(log) if is_evtx else text.portions(log):
            if portion.records.is_empty() and portion.dead.is_empty():
                continue
            origin = origin or fingerprint(portion)
            if source is None and not portion.records.is_empty():
                source = self._recognised(portion, log.label)
                if source is None:
                    return
            self._bury(portion.dead, source or UNKNOWN, origin)
            whole = portion.records.height <= self._limits.records
            for records in portion.records.iter_slices(self._limits.records):
                if not records.is_empty():
                    joined = portion.text if whole else None
                    yield Batch(source or UNKNOWN, origin, log.label, records, text=joined)

    def _recognised(self, portion: Portion, label: str) -> str | None:
        sample = portion.records["event.original"].head(SAMPLE).to_list()
        recognised = self._recognise(sample, label)
        if recognised is None:
            self.outcome.fault(label, "no source definition knows this format", "name one with --source")
            return None
        return recognised.source

    def _bury(self, dead: pl.DataFrame, source: str, origin: str) -> None:
        if not dead.is_empty():
            place = {"soc.source": pl.lit(source), "soc.origin": pl.lit(origin)}
            self._dead(dead.with_columns(**place).select(DEAD.names()))


def fingerprint(portion: Portion) -> str:
    """Name a file by its first record and the comments above it (a W3C or Zeek heading says when the file began).

    Unlike a hash of the first 4 KiB this holds while a small file grows, and for every packing and encoding.
    """
    frame = portion.dead if portion.records.is_empty() else portion.records
    head: list[str] = frame["event.original"].head(HEADINGS).to_list()
    first = next((at for at, line in enumerate(head) if not line.startswith("#")), 0)
    named = "\n".join(head[: first + 1]).encode()[:FINGERPRINT]
    return f"file:{hashlib.sha256(named).hexdigest()[:16]}"


def walk(paths: Iterable[Path], outcome: Outcome) -> Iterator[Path]:
    """Yield the regular files of folders and below, each once however many links lead to it, sorted by name.

    Below a folder the program's own is passed over.
    """
    seen: set[tuple[int, int]] = set()
    pending = [*paths][::-1]
    while pending:
        path = pending.pop()
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            if stat.S_ISDIR(status.st_mode):
                pending += sorted((each for each in path.iterdir() if each.name != OWN), reverse=True)
            elif stat.S_ISREG(status.st_mode):
                yield path
            else:
                outcome.notice(clean(str(path)), "is skipped: a device, pipe or socket", "name a regular file")
        except OSError as error:
            fix = "check that it exists and may be read"
            outcome.fault(clean(str(path)), f"can't be opened: {error.strerror}", fix)
