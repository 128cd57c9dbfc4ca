"""What is in chunks that the parser did not read whole: they are mended, asked for alone, and record by record.

A chunk that hangs or crashes the parser costs that chunk, and mostly only one record of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.evtx_answer import LARGEST, Answer, Part
from connectors.evtx_chunks import CHUNK, mend, said, singled
from connectors.evtx_log import AGAIN, Log, Piece
from connectors.evtx_process import STRETCHES, Parser, Stretch, held
from detectors.errors import InputError

PATIENCE = 120.0  # seconds that the chunks of one file may waste by hanging or crashing


@dataclass(frozen=True, slots=True)
class _Block:
    """One chunk of a log; the log's chunks are numbered from 1."""

    log: Log
    number: int
    stretch: Stretch
    chunk: bytes

    @classmethod
    def of(cls, piece: Piece, which: int) -> _Block:
        stretch = Stretch(piece.stretch.file, piece.stretch.at + which * CHUNK, 1)
        return cls(piece.log, piece.number + which, stretch, piece.chunk(which))


class Rescue:
    """Reads what a parser's answer leaves out."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._wasted = 0.0  # seconds, while it isn't known on whose account

    def parts(self, pieces: Sequence[Piece], answer: Answer | str, seconds: float) -> Iterator[tuple[Log, Part]]:
        """Yield what is in each chunk of the pieces, in order.

        The parser gave this answer to them, or this became of it, after so many seconds.
        """
        self._wasted = seconds
        places = [(piece, which) for piece in pieces for which in range(piece.stretch.count)]
        parts = self._parts(answer)
        while places:
            if isinstance(parts, str):
                for piece, which in places:
                    yield from self._guarded(piece, which, None)
                return
            for (piece, which), part in zip(places, parts, strict=False):
                yield from self._guarded(piece, which, part)
            places = places[len(parts) :]
            try:
                parts = self._following(places[:STRETCHES]) if places else []
            except InputError as error:
                for piece, _ in places:
                    piece.log.fail(error)
                return

    def _following(self, places: Sequence[tuple[Piece, int]]) -> list[Part] | str:
        """Ask for chunks that an answer left for the next one."""
        self._parser.ask([Stretch(each.stretch.file, each.stretch.at + at * CHUNK, 1) for each, at in places])
        return self._answer()

    def _guarded(self, piece: Piece, which: int, part: Part | None) -> Iterator[tuple[Log, Part]]:
        """Yield what is in a chunk, whose log is given up when that takes too long."""
        log = piece.log
        if log.gone:
            return
        try:
            if part is not None and not part.errors:
                found = [part]
            else:
                block = _Block.of(piece, which)
                found = self._alone(block) if part is None else self._mended(block)
        except InputError as error:
            log.fail(error)
            return
        for each in found:
            yield log, each

    def _alone(self, block: _Block) -> list[Part]:
        """Return what is in a chunk of several that ended the child."""
        if block.log.wasted > PATIENCE:
            message = f"isn't read from record block {block.number} on: others held the parser up for {PATIENCE:.0f} s"
            raise InputError(message, fix=AGAIN)
        self._parser.ask([block.stretch])
        parts = self._received(block.log)
        if isinstance(parts, str):
            return self._singled(block, parts)
        return self._mended(block) if parts[0].errors else parts

    def _mended(self, block: _Block) -> list[Part]:
        """Return what is in a chunk that the parser refused, or parts of it, once it is mended."""
        parts = self._asked(block.log, mend(block.chunk))
        if isinstance(parts, str):
            return self._singled(block, parts)
        part = parts[0]
        block.log.damaged += 1
        block.log.lost += max(part.errors, said(block.chunk) - len(part.ids), 0 if len(part.ids) else 1)
        return parts

    def _singled(self, block: _Block, reason: str) -> list[Part]:
        """Return what can be read, one record at a time, of a chunk that ended the child."""
        found: list[Part] = []
        tried, size = 0, 0
        wasted, started = block.log.wasted, time.monotonic()
        for chunk in singled(block.chunk):
            tried += 1
            if size <= LARGEST and block.log.wasted <= PATIENCE:
                parts = self._asked(block.log, chunk)
                if not isinstance(parts, str) and len(parts[0].ids):
                    found.append(parts[0])
                    size += len(parts[0].lines)
                block.log.wasted = wasted + time.monotonic() - started
        outcome, label = block.log.content.job.outcome, block.log.content.label
        if lost := max(tried, said(block.chunk), 1) - len(found):
            message = f"record block {block.number} can't be read whole (the parser {reason})"
            outcome.fault(label, f"{message}: at least {lost} records are lost", AGAIN)
            block.log.told = True
        else:
            outcome.notice(label, f"record block {block.number} was read twice, because the parser {reason}")
        return found

    def _asked(self, log: Log, chunk: bytes) -> list[Part] | str:
        """Have a chunk parsed that stands in no file."""
        with held([chunk]) as stretch:
            self._parser.ask([stretch], anyhow=True)
            return self._received(log)

    def _received(self, log: Log) -> list[Part] | str:
        """Return the answer about a chunk of a log, or what became of the parser; its time is on the log's account."""
        started = time.monotonic()
        parts = self._answer()
        if isinstance(parts, str):
            log.wasted += self._wasted + time.monotonic() - started
            self._wasted = 0.0
        return parts

    def _answer(self) -> list[Part] | str:
        try:
            return self._parts(self._parser.answer())
        except InputError as error:
            return error.message

    def _parts(self, answer: Answer | str) -> list[Part] | str:
        if isinstance(answer, str):
            return answer
        try:
            return answer.parts()
        except InputError as error:
            self._parser.close()
            return error.message
