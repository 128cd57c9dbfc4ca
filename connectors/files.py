"""Read logs from files and folders: any packing, any of the formats that text and event logs have.

    path ─► walk ─► unpack ─► text or events ─► recognise ─► Batch

A file is named by the fingerprint of its first record, so that its events keep their ids when it is copied, renamed,
packed otherwise, or grows.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Protocol

import numpy as np
import polars as pl

from connectors import evtx, evtx_process, text
from connectors.content import LIMITS, Content, Job, Limits, Outcome, clean
from connectors.evtx_log import is_evtx
from connectors.lines import Portion, begins
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


@dataclass(frozen=True, slots=True)
class _File:
    """A file that was opened."""

    label: str
    total: int
    written: date
    handle: IO[bytes]
    content: Content

    @property
    def done(self) -> int:
        """How far it was read."""
        return self.total if self.handle.closed else max(self.handle.tell(), self.content.size)


@dataclass(frozen=True, slots=True)
class _Log:
    """A log in it."""

    content: Content
    file: _File
    is_evtx: bool


class FileSource:
    """The records of files and folders, in the order of their names.

    What can't be read costs only itself: `outcome` tells of it and holds the totals. Lines too long to be records go to
    `dead` (frames of DEAD) as they are met, which keeps memory bounded. `report` is called after each batch with a
    file's label, how far it was read, and its size. Event logs may be `joined`: a batch holds the records of several
    small ones then, each with where it came from (PLACE). There is nothing to commit: reading again gives the same ids.
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
        joined: bool = False,
    ) -> None:
        self.outcome = Outcome()
        self._paths = [Path(path) for path in paths]
        self._recognise, self._source, self._limits = recognise, source, limits
        self._report, self._dead, self._joined = report, dead, joined

    def batches(self) -> Iterator[Batch]:
        """Yield the records of every file; a second call reads all of them again."""
        for (evtx_logs, _), logs in groupby(self._logs(), self._kind):
            if evtx_logs:
                yield from self._events(logs)
            else:
                for log in logs:
                    yield from self._text(log)

    def commit(self) -> None:
        """Do nothing: files stay where they are."""

    def close(self) -> None:
        """End the processes that parsed event logs; a file is closed when its last batch was taken."""
        evtx_process.PARSERS.close()

    def _logs(self) -> Iterator[_Log]:
        """Yield what each file holds; text must be read before the next."""
        for path in walk(self._paths, self.outcome):
            label = clean(str(path))
            try:
                handle = path.open("rb")
            except OSError as error:
                self.outcome.fault(label, f"can't be opened: {error.strerror}", "check that it exists and may be read")
                continue
            with handle:
                status = os.fstat(handle.fileno())
                written = datetime.fromtimestamp(status.st_mtime, UTC).date()
                job = Job(self._limits, self.outcome, self._limits.unpacked)
                outer = Content(label, handle.read, job, file=handle, into=handle.readinto)
                file = _File(label, status.st_size, written, handle, outer)
                for log in unpack(outer):
                    self.outcome.files += 1
                    yield _Log(log, file, is_evtx(log.peek(text.HEAD)))
            self._tell(file)

    def _kind(self, log: _Log) -> tuple[bool, date | None]:
        """Say what can be read together: event logs; if they aren't Windows', only those written on one day."""
        return log.is_evtx, log.file.written if log.is_evtx and self._source else None

    def _tell(self, file: _File) -> None:
        if self._report:
            self._report(file.label, min(file.done, file.total), file.total)

    def _text(self, log: _Log) -> Iterator[Batch]:
        content, told, found = log.content, len(self.outcome.faults), False
        try:
            if refusal := text.refusal(content.peek(text.HEAD)):
                self.outcome.fault(content.label, *refusal)
                return
            for batch in self._batches(content):
                found = True
                yield replace(batch, received=log.file.written)
                self._tell(log.file)
        finally:
            self.outcome.bytes += content.size
        if not found and len(self.outcome.faults) == told:
            self._empty(content)

    def _empty(self, content: Content) -> None:
        if not content.broken:
            self.outcome.notice(content.label, "holds no records" if content.size else "is empty")

    def _batches(self, content: Content) -> Iterator[Batch]:
        source, origin = self._source, ""
        for portion in text.portions(content):
            if portion.records.is_empty() and portion.dead.is_empty():
                continue
            origin = origin or fingerprint(portion.dead if portion.records.is_empty() else portion.records)
            if source is None and not portion.records.is_empty():
                source = self._recognised(portion, content.label)
                if source is None:
                    return
            self._bury(portion.dead, source or UNKNOWN, origin)
            yield from self._sliced(Batch(source or UNKNOWN, origin, content.label, portion.records, text=portion.text))

    def _sliced(self, batch: Batch) -> Iterator[Batch]:
        """Yield a batch, or several where it has too many records, each with its part of the text."""
        most, text = self._limits.records, batch.text
        if batch.records.height <= most:
            yield from () if batch.records.is_empty() else (batch,)
            return
        if text is not None:
            starts = begins(text, batch.records["event.original"].str.len_bytes().to_numpy().astype(np.int64))
            edges = [*starts[::most].tolist(), len(text)]
        for number, records in enumerate(batch.records.iter_slices(most)):
            yield replace(
                batch, records=records, text=None if text is None else text[edges[number] : edges[number + 1]]
            )

    def _events(self, logs: Iterable[_Log]) -> Iterator[Batch]:
        """Yield the records of event logs."""
        files, origins = dict[Content, _File](), dict[Content, str]()

        def contents() -> Iterator[Content]:
            for log in logs:
                files[log.content] = log.file
                yield log.content

        for found in evtx.events(contents(), self._limits):
            parts = [replace(each, received=files[content].written) for content, each in self._parts(found, origins)]
            if self._joined and len(parts) > 1:
                parts = [replace(parts[0], records=_placed(found.portion.records, parts), text=found.portion.text)]
            for part in parts:
                yield from self._sliced(part)
            for share in found.shares:
                self._passed(share, files[share.log.content])
                if share.ended:
                    del files[share.log.content]
                    origins.pop(share.log.content, None)

    def _parts(self, found: evtx.Found, origins: dict[Content, str]) -> Iterator[tuple[Content, Batch]]:
        """Yield what each log gave; `origins` are kept between portions."""
        row = at = 0
        for share in found.shares:
            content, text = share.log.content, found.portion.text
            if share.records:
                records = found.portion.records[row : row + share.records]
                origin = origins[content] = origins.get(content) or fingerprint(records)
                lines = None if text is None else text[at : at + share.size]
                yield content, Batch(self._source or "windows", origin, content.label, records, text=lines)
            row, at = row + share.records, at + share.size

    def _passed(self, share: evtx.Share, file: _File) -> None:
        """Tell how far a log was read, and what came of it when it was read whole."""
        log = share.log
        if share.ended:
            self.outcome.bytes += log.content.size
            if not (log.read or log.told):
                self._empty(log.content)
        self._tell(file)

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


def expect(paths: Iterable[Path]) -> None:
    """Start what parses event logs where the first file is named like one: it takes as long as loading rules does."""
    first = next(walk(paths, Outcome()), None)
    if first is not None and first.suffix.lower() == ".evtx":
        evtx_process.PARSERS.start()


def _placed(records: pl.DataFrame, parts: Sequence[Batch]) -> pl.DataFrame:
    """Return the records of several batches, each with where it came from."""
    number = np.repeat(np.arange(len(parts)), [part.records.height for part in parts])
    columns = {"soc.origin": [part.origin for part in parts], "soc.label": [part.label for part in parts]}
    return records.hstack(pl.DataFrame(columns)[number])


def fingerprint(records: pl.DataFrame) -> str:
    """Name a file by its first record and the comments above it (a W3C or Zeek heading says when the file began).

    Unlike a hash of the first 4 KiB this holds while a small file grows, and for every packing and encoding.
    """
    head: list[str] = records["event.original"].head(HEADINGS).to_list()
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
