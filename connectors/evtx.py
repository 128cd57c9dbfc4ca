"""Read Windows event logs (EVTX): a header of 4 KiB, then chunks of 64 KiB that each hold whole records.

    {"Event":{"#attributes":{…},"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"EventID":7036,…

Chunks need nothing of one another, so they are parsed in groups: memory stays bounded, archives need no temporary file,
and a damaged header costs nothing. A damaged chunk is mended and read record by record. The parser runs in a child
process, one group ahead; a chunk that hangs or crashes it costs that chunk.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.content import Content
from connectors.evtx_chunks import CHUNK, CHUNK_MAGIC, mend, plausible, said
from connectors.evtx_process import PARSERS, Parser, Parsers, Part
from connectors.lines import Portion, records
from detectors.errors import InputError

FILE_MAGIC, HEADER = b"ElfFile\0", 4096
GROUP = 16  # chunks parsed at once: 1 MiB
ATTEMPTS = 2  # at a chunk alone: what ended the child may have been meant for something else
PATIENCE = 120.0  # seconds that the chunks of one file may waste by hanging or crashing
AGAIN = "the rest is read; export the log again where it was written"


@dataclass(frozen=True, slots=True)
class _Block:
    number: int  # within the file, from 1
    chunk: bytes
    damaged: bool  # so much that it must be mended before the parser looks into it

    @property
    def sound(self) -> bytes:
        return mend(self.chunk) if self.damaged else self.chunk


@dataclass(slots=True)
class _Found:
    lines: list[bytes] = field(default_factory=list)
    ids: list[npt.NDArray[np.uint64]] = field(default_factory=list)
    size: int = 0
    records: int = 0

    def add(self, part: Part) -> None:
        if part.lines:
            self.lines.append(part.lines)
            self.ids.append(part.ids)
            self.size += len(part.lines)
            self.records += len(part.ids)

    def portion(self) -> Portion:
        # a record id is 64 bits wide in a file anyone may have made
        ids = np.minimum(np.concatenate(self.ids), 2**63 - 1).astype(np.int64)
        return Portion(records(pl.read_lines(b"\n".join(self.lines)).to_series(), ids))


def is_evtx(head: bytes) -> bool:
    """Say whether a file is an event log, even when its header is damaged."""
    return head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or head[HEADER:].startswith(CHUNK_MAGIC)


def events(content: Content, parsers: Parsers = PARSERS) -> Iterator[Portion]:
    """Yield the events of a log as JSON; `log.offset` is the event record id."""
    if not content.peek(8).startswith(CHUNK_MAGIC):
        content.read(HEADER)
    limits, found, total = content.job.limits, _Found(), 0
    with parsers.lend() as parser:
        log = _Log(content, parser)
        for part in log.parts():
            found.add(part)
            if found.size >= limits.batch or found.records >= limits.records:
                yield found.portion()
                total, found = total + found.records, _Found()
    if found.records:
        yield found.portion()
    log.tell(total + found.records)


class _Log:
    """One event log on its way through the parser, and the damage met in it."""

    def __init__(self, content: Content, parser: Parser) -> None:
        self._content, self._parser = content, parser
        self._blocks = 0  # read so far
        self._damaged = 0  # blocks
        self._lost = 0  # records of them
        self._wasted = 0.0  # seconds

    def parts(self) -> Iterator[Part]:
        """Yield what is in each chunk, in order; the child parses a group while the caller works on the one before."""
        try:
            group = self._read()
            self._ask(group)
            while group:
                following = self._read()
                parts = self._answer(group)
                self._ask(following)
                yield from parts
                group = following
        except InputError as error:
            self._content.fail(error.message, error.fix)

    def tell(self, read: int) -> None:
        """Report the damage, when there is any, beside the number of records read."""
        outcome, label = self._content.job.outcome, self._content.label
        chunks = f"{self._damaged} of its 64 KiB chunks are damaged"
        if self._lost:
            fix = f"the other {read} were read; export the log again where it was written"
            outcome.fault(label, f"{chunks}: at least {self._lost} records can't be read", fix)
        elif self._damaged:
            outcome.notice(label, f"{chunks}, but all records in them were read")

    def _read(self) -> list[_Block]:
        """Return the next blocks that aren't empty; chunks that were never written hold zeros only."""
        blocks: list[_Block] = []
        while not blocks and (data := self._content.read(GROUP * CHUNK)):
            chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
            numbered = enumerate(chunks, self._blocks + 1)
            blocks = [_Block(number, chunk, not plausible(chunk)) for number, chunk in numbered if chunk.strip(b"\0")]
            self._blocks += len(chunks)
        return blocks

    def _ask(self, blocks: Sequence[_Block]) -> None:
        if blocks:
            self._parser.ask([block.sound for block in blocks])

    def _answer(self, blocks: Sequence[_Block]) -> list[Part]:
        parts: list[Part] = []
        started = time.monotonic()
        try:
            parts += self._parser.answer()
        except InputError:
            self._waste(started, blocks[0])
            parts += [part for block in blocks if (part := self._alone(block, block.sound))]
            return parts
        """…"""
        return parts
