"""Read Windows event logs (EVTX): a header of 4 KiB, then chunks of 64 KiB that each hold whole records.

    {"Event":{"#attributes":{…},"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"EventID":7036,…

Chunks need nothing of one another, so they are parsed in groups: memory stays bounded, archives need no temporary file,
and a damaged header costs nothing. A damaged chunk is mended and read record by record. The parser runs in child
processes, ahead of the reader; a chunk that hangs or crashes it costs that chunk.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from connectors.content import Content
from connectors.evtx_chunks import CHUNK, CHUNK_MAGIC, mend, plausible, said, singled
from connectors.evtx_process import LARGEST, PARSERS, Parser, Parsers, Part
from connectors.lines import Portion, cut, records
from detectors.errors import InputError

FILE_MAGIC, HEADER = b"ElfFile\0", 4096
GROUP = 16  # chunks parsed at once: 1 MiB
PATIENCE = 120.0  # seconds that the chunks of one file may waste by hanging or crashing
AGAIN = "what else is in it was read; export the log again where it was written"


@dataclass(frozen=True, slots=True)
class _Block:
    number: int  # within the file, from 1
    chunk: bytes
    damaged: bool  # so much that it must be mended before the parser looks into it


@dataclass(slots=True)
class _Found:
    lines: list[memoryview] = field(default_factory=list)
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
        text = memoryview(b"\n".join(self.lines))
        return Portion(records(cut(text, json=True)[0], ids), text=text)


def is_evtx(head: bytes) -> bool:
    """Say whether a file is an event log, even when its header is damaged."""
    return head.startswith((FILE_MAGIC, CHUNK_MAGIC)) or head[HEADER:].startswith(CHUNK_MAGIC)


def events(content: Content, parsers: Parsers = PARSERS) -> Iterator[Portion]:
    """Yield the events of a log as JSON; `log.offset` is the event record id."""
    if not content.peek(8).startswith(CHUNK_MAGIC):
        content.read(HEADER)
    limits, found, total = content.job.limits, _Found(), 0
    with parsers.lend() as one, parsers.lend() as other:
        log = _Log(content, (one, other))
        for part in log.parts():
            found.add(part)
            if found.size >= limits.batch or found.records >= limits.records:
                yield found.portion()
                total, found = total + found.records, _Found()
    if found.records:
        yield found.portion()
    log.tell(total + found.records)


class _Log:
    """One event log on its way through the parsers, and the damage met in it."""

    def __init__(self, content: Content, parsers: Sequence[Parser]) -> None:
        self._content, self._parsers = content, parsers
        self._blocks = 0  # read so far
        self._damaged = 0  # blocks
        self._lost = 0  # records of them
        self._wasted = 0.0  # seconds

    def parts(self) -> Iterator[Part]:
        """Yield what is in each chunk, in order; the children work on the groups that follow meanwhile."""
        flying = deque((parser, list[_Block]()) for parser in self._parsers)
        while flying:
            parser, group = flying.popleft()
            ready: list[Part] = []
            try:
                self._answer(parser, group, ready)
                if following := self._read():
                    _ask(parser, following)
                    flying.append((parser, following))
            except InputError as error:
                self._content.fail(error.message, error.fix)
                flying.clear()
            yield from ready

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
        """Return the next blocks that hold anything; one that was never written is all zeros."""
        blocks: list[_Block] = []
        while not blocks and (data := self._content.read(GROUP * CHUNK)):
            chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
            numbered = enumerate(chunks, self._blocks + 1)
            blocks = [_Block(number, chunk, not plausible(chunk)) for number, chunk in numbered if any(chunk)]
            self._blocks += len(chunks)
        return blocks

    def _answer(self, parser: Parser, blocks: Sequence[_Block], ready: list[Part]) -> None:
        """Add what is in the blocks that the parser was asked for."""
        while blocks:
            parts = self._received(parser)
            if isinstance(parts, str):
                for block in blocks:
                    ready += self._alone(parser, block)
                return
            for block, part in zip(blocks, parts, strict=False):
                ready += self._checked(parser, block, part)
            blocks = blocks[len(parts) :]
            if blocks:
                _ask(parser, blocks)

    def _received(self, parser: Parser) -> list[Part] | str:
        """Return the parser's answer, or what became of it."""
        started = time.monotonic()
        try:
            return parser.answer()
        except InputError as error:
            self._wasted += time.monotonic() - started
            return error.message

    def _alone(self, parser: Parser, block: _Block) -> list[Part]:
        """Return what is in a block of a group that ended the child."""
        if self._wasted > PATIENCE:
            message = f"isn't read from record block {block.number} on: others held the parser up for {PATIENCE:.0f} s"
            raise InputError(message, fix=AGAIN)
        _ask(parser, [block])
        parts = self._received(parser)
        return self._singled(parser, block, parts) if isinstance(parts, str) else self._checked(parser, block, parts[0])

    def _checked(self, parser: Parser, block: _Block, part: Part) -> list[Part]:
        """Return what is in a block once it is mended, if it has to be."""
        if not (part.errors or block.damaged):
            return [part]
        if not block.damaged:
            _ask(parser, [replace(block, damaged=True)])
            parts = self._received(parser)
            if isinstance(parts, str):
                return self._singled(parser, block, parts)
            part = parts[0]
        self._damaged += 1
        self._lost += max(part.errors, said(block.chunk) - len(part.ids), 0 if len(part.ids) else 1)
        return [part]

    def _singled(self, parser: Parser, block: _Block, reason: str) -> list[Part]:
        """Return what can be read, one record at a time, of a block that ended the child."""
        found: list[Part] = []
        tried, size = 0, 0
        wasted, started = self._wasted, time.monotonic()
        for chunk in singled(block.chunk):
            tried += 1
            if size <= LARGEST and self._wasted <= PATIENCE:
                parser.ask([chunk])
                parts = self._received(parser)
                if not isinstance(parts, str) and len(parts[0].ids):
                    found.append(parts[0])
                    size += len(parts[0].lines)
                self._wasted = wasted + time.monotonic() - started
        outcome, label = self._content.job.outcome, self._content.label
        if lost := max(tried, said(block.chunk), 1) - len(found):
            message = f"record block {block.number} can't be read whole (the parser {reason})"
            outcome.fault(label, f"{message}: at least {lost} records are lost", AGAIN)
        else:
            outcome.notice(label, f"record block {block.number} was read twice, because the parser {reason}")
        return found


def _ask(parser: Parser, blocks: Sequence[_Block]) -> None:
    parser.ask([mend(block.chunk) if block.damaged else block.chunk for block in blocks])
