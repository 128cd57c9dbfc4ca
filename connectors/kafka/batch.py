"""Kafka records of one partition on their way to a Batch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import numpy as np
import polars as pl

from connectors.envelope import HEADER, Envelope, unpack
from connectors.kafka.connection import RAW
from detectors.contracts import Batch
from detectors.errors import InputError
from detectors.schema import RECORD


class Record(Protocol):
    """The part of a Kafka record that is read here."""

    offset: int
    timestamp: int  # milliseconds since 1970: when it was sent, or stored, as the topic says
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Dead(Protocol):
    """Where a record goes that can't be read."""

    def add(self, *, source: str, origin: str, offset: int, raw: bytes, reason: str) -> None: ...


class Gathered:
    """Lines of one partition in order, and the offset after the last record they came from.

    An envelope with an id has that for its position, wherever in the partition it stands: one that a collector sent
    twice, because it died before it knew that the first had come, gives the same events. Twice in here it counts once.
    """

    def __init__(self, topic: str, partition: int) -> None:
        self.source = topic.removeprefix(RAW)
        self.origin = f"kafka:{topic}:{partition}"
        self.label = f"{topic}[{partition}]"
        self.lines: list[str] = []
        self.size = 0
        self.after = 0
        self.latest = 0
        self._offsets: list[int] = []
        self._counts: list[int] = []  # lines of the record at the same place in _offsets
        self._names: set[int | None] = set()  # of the envelopes

    def add(self, record: Record, dead: Dead) -> None:
        """Take a record's lines; a malformed envelope goes to the dead letters and costs only itself."""
        value = record.value or b""
        found = Envelope("", ())
        try:
            found = unpack(value) if is_envelope(record) else Envelope("", (value.decode("utf-8", "backslashreplace"),))
        except InputError as fault:
            dead.add(source=self.source, origin=self.origin, offset=record.offset, raw=value, reason=str(fault))
        self.size += len(value)
        self.after = record.offset + 1
        self.latest = max(self.latest, found.received or record.timestamp)
        if found.id is None or found.id not in self._names:
            self._names.add(found.id)
            self.lines += found.lines
            self._offsets.append(record.offset if found.id is None else found.id)
            self._counts.append(len(found.lines))

    def batch(self) -> Batch:
        """Return the lines as a batch: beside each stand its record's offset and its place in the record."""
        counts = np.array(self._counts, dtype=np.int64)
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        columns = {
            "event.original": self.lines,
            "log.offset": np.repeat(np.array(self._offsets, dtype=np.int64), counts),
            "soc.index": (np.arange(len(self.lines)) - starts).astype(np.int32),
        }
        received = datetime.fromtimestamp(self.latest / 1000, UTC).date() if self.latest > 0 else None
        records = pl.DataFrame(columns, schema=RECORD)
        return Batch(self.source, self.origin, self.label, records, received, stream=self.origin)


def is_envelope(record: Record) -> bool:
    """Say whether the shipper marked the record as an envelope."""
    return any(name == HEADER for name, _ in record.headers)
