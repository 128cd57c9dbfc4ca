"""Match batches in a process of its own: Python runs one thread at a time, and two processes two.

`flows.match_process` runs `main` with a socket as its standard input: a Job comes, then batches, and an Answer goes
back for each. It ends when the socket is closed.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

from connectors.parsers import Parsers
from detectors.sigma.rule import Rule
from flows import assembly
from flows.matching import Matched, matched
from flows.parcels import receive, receive_batch, send
from flows.process import peak_memory
from flows.settings import Settings
from flows.statistics import Statistics


@dataclass(frozen=True, slots=True)
class Job:
    """What it takes to parse and match as the other process does."""

    settings: Settings
    folders: Sequence[Path] | None = None  # of rules, instead of those of the settings
    year: int | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a batch, and how the process has done so far."""

    left: Matched
    failures: dict[int, str] = field(default_factory=dict)  # why rules could not be evaluated, by their numbers
    seconds: dict[str, float] = field(default_factory=dict)
    memory: float = 0.0  # MB, at most


def named(rules: Sequence[Rule]) -> str:
    """Name rules in their order: hits number them."""
    return hashlib.sha256("\n".join(f"{rule.id} {rule.semantics}" for rule in rules).encode()).hexdigest()


def serve(end: socket) -> None:
    """Do a job until there are no more batches.

    Raises:
        EOFError: there are no more.
    """
    job, _ = receive(end)
    parts = assembly.assemble(job.settings, job.folders)
    parsers = Parsers(parts.definitions, year=job.year, zone=job.zone, enrichment=parts.enrichment)
    send(end, named(parts.rules.rules))
    gc.freeze()  # what is there stays
    seen = Statistics()
    while True:
        batch = receive_batch(end)
        parser = parsers[batch.source]
        with seen.timed("parse"):
            parsed = parser.parse(batch, parts.engine.wanted(parser.dialect))
        with seen.timed("match"):
            left = matched(batch, parsed, parts.engine.detect(parser.dialect, parsed.events, parsed.encoded))
        send(end, Answer(left, parts.engine.failures, dict(seen.seconds), peak_memory()))


def main() -> None:
    """Serve whoever is at the other end of standard input."""
    with suppress(EOFError, OSError):  # whoever asked is gone, or wants no more
        serve(socket(fileno=0))
