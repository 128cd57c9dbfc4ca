"""Read Windows event logs (EVTX): a header of 4 KiB, then chunks of 64 KiB that each hold whole records.

    {"Event":{"#attributes":{…},"System":{"Provider":{"#attributes":{"Name":"Service Control Manager"}},"EventID":7036,…

Chunks need nothing of one another, so they are parsed in groups, those of many small logs together: memory stays
bounded, archives need no temporary file, and a damaged header costs nothing. The parser runs in child processes, ahead
of the reader, and leaves records where they are copied from once, into the block that becomes a batch. What it can't
read is left to `evtx_rescue`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from connectors import memory
from connectors.content import LIMITS, Content, Limits
from connectors.evtx_answer import Answer, Ids, Part
from connectors.evtx_chunks import CHUNK
from connectors.evtx_log import Log, Piece
from connectors.evtx_process import PARSERS, STRETCHES, Parser, Parsers
from connectors.evtx_rescue import Rescue
from connectors.growing import Growing
from connectors.lines import Portion, cut, records
from detectors.errors import InputError

FEW, MANY, SLOPE = 4, 256, 4  # chunks of the first group; of any; how much larger one may be than the last
ANSWER: Final = 4 << 20  # bytes of text that are asked for at once, as far as that can be foreseen
SHARE: Final = 4  # groups, at least, that a batch is made of


@dataclass(slots=True)
class Share:
    """How many records of a portion one log gave, their bytes as lines, and whether nothing more comes of it."""

    log: Log
    records: int = 0
    size: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Records of one or several logs, in order; `log.offset` is the event record id."""

    portion: Portion
    shares: Sequence[Share]


@dataclass(slots=True)
class _Block:
    """Records as they come, a line each."""

    room: memoryview
    size: int = 0
    records: int = 0
    ids: list[Ids] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)

    def free(self, size: int) -> memoryview:
        return self.room[self.size : self.size + size]

    def fill(self, size: int, ids: Ids) -> None:
        """Count what was written where there was room."""
        self.size += size
        self.records += len(ids)
        self.ids.append(ids)

    def share(self, log: Log, count: int, size: int) -> None:
        """Say that records came of a log."""
        if not self.shares or self.shares[-1].log is not log:
            self.shares.append(Share(log))
        self.shares[-1].records += count
        self.shares[-1].size += size
        log.read += count

    def found(self) -> Found:
        if not self.records:
            return Found(Portion(), self.shares)
        # a record id is 64 bits wide in a file anyone may have made
        ids = np.minimum(np.concatenate(self.ids), 2**63 - 1).astype(np.int64)
        text = self.room[: self.size]
        texts, _, _, escaped = cut(text, json=True)
        return Found(Portion(records(texts, ids), text=None if escaped else text), self.shares)


def events(logs: Iterable[Content], limits: Limits = LIMITS, parsers: Parsers = PARSERS) -> Iterator[Found]:
    """Yield the events of logs as JSON. The next log is asked for before the last one has been yielded whole."""
    train = _Train(iter(logs), limits)
    try:
        with parsers.lend() as one, parsers.lend() as other:
            yield from train.found((one, other))
    finally:
        train.close()


class _Train:
    """Logs on their way through the parsers, one after another."""

    def __init__(self, logs: Iterator[Content], limits: Limits) -> None:
        self._logs, self._limits = logs, limits
        self._growing = Growing(limits.batch)
        self._log: Log | None = None  # whose chunks are asked for
        self._open: list[Log] = []  # those not at their end
        self._asked: list[Piece] = []  # whose answers are outstanding
        self._chunks = min(FEW, self._fitting(CHUNK))  # of the next group
        self._block = _Block(self._room(0))
        self._full: list[_Block] = []

    def found(self, parsers: Sequence[Parser]) -> Iterator[Found]:
        """Yield what the logs hold; the parsers work on what follows meanwhile."""
        flying = deque((parser, list[Piece]()) for parser in parsers)
        while flying:
            parser, group = flying.popleft()
            self._take(parser, group)
            if following := self._next(parser):
                flying.append((parser, following))
            yield from self._ready()
        self._full.append(self._block)
        yield from self._ready()

    def close(self) -> None:
        """Close what is open."""
        for piece in self._asked:
            piece.close()
        for log in self._open:
            log.close()

    def _ready(self) -> Iterator[Found]:
        full, self._full = self._full, []
        yield from (block.found() for block in full if block.shares)

    def _next(self, parser: Parser) -> list[Piece]:
        """Ask for the next chunks, of several logs where the first has few left, and return them."""
        group: list[Piece] = []
        left = self._chunks
        while left > 0 and len(group) < STRETCHES and (log := self._current()):
            piece = log.piece(left)
            group.append(piece)
            self._asked.append(piece)
            left -= piece.stretch.count
            if piece.last:
                self._log = None
        if stretches := [piece.stretch for piece in group if piece.stretch.count]:
            try:
                parser.ask(stretches)
            except InputError as error:
                for piece in group:
                    piece.log.fail(error)
        return group

    def _current(self) -> Log | None:
        if self._log is None and (content := next(self._logs, None)):
            self._log = Log(content)
            self._open.append(self._log)
        return self._log

    def _take(self, parser: Parser, group: Sequence[Piece]) -> None:
        """Put what the parser made of a group where it belongs."""
        if parser.asked:
            started = time.monotonic()
            answer = self._answer(parser, group)
            if answer is not None:
                seconds = time.monotonic() - started
                for log, part in Rescue(parser).parts(group, answer, seconds):
                    self._put(log, part)
        for piece in group:
            self._asked.remove(piece)
            piece.close()
            if piece.last:
                self._open.remove(piece.log)
                piece.log.end()
                self._block.share(piece.log, 0, 0)
                self._block.shares[-1].ended = True

    def _answer(self, parser: Parser, group: Sequence[Piece]) -> Answer | str | None:
        """Take an answer, and return what of it has to be looked into."""
        try:
            answer = parser.answer()
            counts = [piece.stretch.count for piece in group]
            self._chunks = min(SLOPE * self._chunks, self._fitting(answer.size // len(answer.heads)))
            if answer.heads["errors"].any() or len(answer.heads) < sum(counts) or any(each.log.gone for each in group):
                return answer
            answer.read(self._free(answer.size, len(answer.ids)))
        except InputError as error:
            parser.close()
            return error.message
        ends = np.cumsum([0, *counts])
        came = [np.diff(np.cumsum([0, *answer.heads[name]])[ends]).tolist() for name in ("records", "size")]
        for piece, count, size in zip(group, *came, strict=True):
            self._block.share(piece.log, count, size)
        self._filled(answer.size, answer.ids)
        return None

    def _put(self, log: Log, part: Part) -> None:
        """Add what is in one chunk."""
        self._free(len(part.lines), len(part.ids))[:] = part.lines
        self._block.share(log, len(part.ids), len(part.lines))
        self._filled(len(part.lines), part.ids)

    def _free(self, size: int, records: int) -> memoryview:
        """Return where so much can be put."""
        block = self._block
        if block.size + size > len(block.room) or block.records + records > self._limits.records:
            self._turn(size)
        return self._block.free(size)

    def _filled(self, size: int, ids: Ids) -> None:
        self._block.fill(size, ids)
        if self._growing.full(self._block.size) or self._block.records >= self._limits.records:
            self._turn(0)

    def _turn(self, size: int) -> None:
        """Begin another block, with room for so much at least."""
        if self._block.records:
            self._full.append(self._block)
            self._growing.grow()
            self._block = _Block(self._room(size))
        else:
            self._block.room = self._room(size)

    def _room(self, size: int) -> memoryview:
        return memory.array((max(self._growing.size, size),), np.uint8).data

    def _fitting(self, size: int) -> int:
        """Return how many chunks, of so many bytes of text each, are to be asked for at once."""
        return max(min(ANSWER, self._growing.size // SHARE) // max(size, ANSWER // MANY), 1)
