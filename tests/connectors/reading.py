"""What the tests of reading share: read paths or bytes to the end and look at everything that came out."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from connectors import evtx
from connectors.content import LIMITS, Content, Job, Limits, Outcome
from connectors.evtx_process import PARSERS, Parsers
from connectors.files import FileSource
from connectors.lines import Portion
from detectors.contracts import Batch


@dataclass(frozen=True, slots=True)
class Known:
    source: str = "app"


@dataclass(slots=True)
class Scan:
    batches: list[Batch]
    outcome: Outcome
    dead: list[pl.DataFrame] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch.records["event.original"]]

    @property
    def offsets(self) -> list[int]:
        return [offset for batch in self.batches for offset in batch.records["log.offset"]]

    @property
    def labels(self) -> list[str]:
        return list(dict.fromkeys(batch.label for batch in self.batches))

    @property
    def origins(self) -> set[str]:
        return {batch.origin for batch in self.batches}

    @property
    def faults(self) -> str:
        return "\n".join(map(str, self.outcome.faults))

    @property
    def notices(self) -> str:
        return "\n".join(map(str, self.outcome.notices))


def scan(*paths: Path, source: str | None = "app", limits: Limits = LIMITS, joined: bool = False) -> Scan:
    dead: list[pl.DataFrame] = []
    files = FileSource(paths, lambda _sample, _label: Known(), source, limits, dead=dead.append, joined=joined)
    return Scan(list(files.batches()), files.outcome, dead)


def scan_bytes(folder: Path, content: bytes, limits: Limits = LIMITS) -> Scan:
    path = folder / "given"
    path.write_bytes(content)
    return scan(path, limits=limits)


def content(data: bytes, limits: Limits = LIMITS) -> Content:
    return Content("given", io.BytesIO(data).read, Job(limits, Outcome(), limits.unpacked))


def portions(*logs: Content, parsers: Parsers = PARSERS) -> Iterator[Portion]:
    """Yield what is in event logs."""
    for found in evtx.events(logs, logs[0].job.limits, parsers):
        if found.portion.records.height:
            yield found.portion


def small(*, batch: int = 64, line: int = 32, kept: int = 8, **others: int) -> Limits:
    return Limits(batch=batch, line=line, kept=kept, **others)


def joined(frames: Iterable[pl.DataFrame]) -> list[str]:
    return [text for frame in frames for text in frame["event.original"]]
