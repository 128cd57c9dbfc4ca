"""Lines on their way from the inputs to the spool: held for a moment, put into envelopes, written as one block."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from connectors.collect.block import Mark, Record
from connectors.collect.numbers import Numbers
from connectors.collect.spool import Spool
from connectors.envelope import HEADER, MAX_BYTES, VERSION, Origin, TooLong, pack
from connectors.kafka.connection import DEAD_TOPIC, RAW
from connectors.kafka.writer import letter
from connectors.lines import JSON_ESCAPES
from detectors.errors import UnavailableError

HELD: Final = 4 << 20  # bytes from which lines are written without waiting for the clock

Protect = Callable[[str, Sequence[str]], Sequence[str]]  # a source and its lines → as many lines, safe to leave here


@dataclass(slots=True)
class _Group:
    received: int
    lines: list[bytes] = field(default_factory=list)


class Gathering:
    """Takes lines of any input; `write` puts all of them on disk.

    `protect` is called once with the lines of each source and origin before anything is written: the place where
    personal data become tokens. `agent` is what this collector is called. Lines that aren't UTF-8 keep their bytes as
    escapes, as everywhere.
    """

    def __init__(self, spool: Spool, numbers: Numbers, protect: Protect, agent: str = "") -> None:
        self.lines = self.bytes = 0  # taken so far
        self.by_source: dict[str, int] = {}
        self.trouble: UnavailableError | None = None  # why the disk takes nothing
        self._spool, self._numbers, self._protect, self._agent = spool, numbers, protect, agent
        self._groups: dict[tuple[str, Origin], _Group] = {}
        self._marks: dict[str, Mark] = {}
        self._held = 0

    @property
    def held(self) -> int:
        """Bytes that aren't on disk yet."""
        return self._held

    @property
    def full(self) -> bool:
        """Whether nothing more should be taken: whoever can wait does."""
        return self._spool.full or self.trouble is not None or self._held > 2 * HELD

    def take(
        self, source: str, origin: Origin, lines: Sequence[bytes], marks: Mapping[str, Mark] | None = None
    ) -> None:
        """Hold lines until the next `write`, and with them how far their input was read."""
        if marks:
            self._marks.update(marks)
        if not lines:
            return
        group = self._groups.get((source, origin))
        if group is None:
            group = self._groups[source, origin] = _Group(int(time.time() * 1000))
        group.lines += lines
        size = sum(map(len, lines))
        self._held += size + 64 * len(lines)
        self.lines += len(lines)
        self.bytes += size
        self.by_source[source] = self.by_source.get(source, 0) + len(lines)
        if self._held >= HELD and self.trouble is None:
            self.write()

    def write(self) -> bool:
        """Write what is held as one block of the spool; say whether the disk took it, else `trouble` tells why not."""
        if self._groups or self._marks:
            try:
                records = [record for place, group in self._groups.items() for record in self._packed(*place, group)]
                self._spool.append(records, self._marks)
            except UnavailableError as error:
                self.trouble = error
                return False
        self.trouble, self._groups, self._marks, self._held = None, {}, {}, 0
        return True

    def _packed(self, source: str, origin: Origin, group: _Group) -> list[Record]:
        lines = self._protect(source, [decoded(line) for line in group.lines])
        origin = replace(origin, agent=self._agent)
        packed = pack(lines, origin, names=self._numbers.next, received=group.received)
        headers = {HEADER: str(VERSION)}
        return [
            self._refused(source, origin, each, group)
            if isinstance(each, TooLong)
            else Record(RAW + source, str(origin), each, group.received, headers)
            for each in packed
        ]

    def _refused(self, source: str, origin: Origin, long: TooLong, group: _Group) -> Record:
        row: dict[str, object] = {
            "log.offset": self._numbers.next(),
            "soc.index": 0,
            "soc.source": source,
            "soc.origin": str(origin),
            "error.message": f"a line of {len(long.line):,} characters doesn't fit an envelope of {MAX_BYTES:,} bytes",
        }
        value, key, headers = letter(row, long.line)
        return Record(DEAD_TOPIC, key, value, group.received, headers)


def decoded(line: bytes) -> str:
    """Return a line as text; bytes that aren't UTF-8 become escapes that leave JSON what it is."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        if line.startswith(b"{"):
            return line.decode("utf-8", "surrogateescape").translate(JSON_ESCAPES)
        return line.decode("utf-8", "backslashreplace")
