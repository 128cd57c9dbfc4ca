"""Kafka records of one partition on their way to a Batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple, Protocol

import numpy as np
import polars as pl

from connectors.envelope import HEADER, LATEST, TOLD, Envelope, unpack
from connectors.kafka.connection import RAW
from connectors.kafka.position import AT
from connectors.multiline import SENDER
from detectors.contracts import Batch
from detectors.errors import InputError
from detectors.schema import ORIGIN, RECORD, TIME


class Record(Protocol):
    """The part of a Kafka record that is read here."""

    offset: int
    timestamp: int  # milliseconds since 1970: when it was sent, or stored, as the topic says
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Dead(Protocol):
    """Where a record goes that can't be read."""

    def add(self, *, source: str, origin: str, offset: int, raw: bytes, reason: str) -> None: ...


class _Row(NamedTuple):
    """What the lines of one record share."""

    name: int
    at: int
    received: int
    place: int
    lines: int


_ROW: Final = {"log.offset": pl.Int64, AT: pl.Int64, "received": pl.Int64, "place": pl.UInt32, "lines": pl.UInt32}
_PLACE: Final = dict.fromkeys((SENDER, *TOLD), pl.String)


class Gathered:
    """Lines of one partition in order, and the offset after the last record they came from.

    An envelope with an id has that for its position, wherever in the partition it stands: one that a collector sent
    twice, because it died before it knew that the first had come, gives the same events. One whose name is `known`
    already counts no more.
    """

    def __init__(self, topic: str, partition: int, known: Collection[int] = ()) -> None:
        self.source = topic.removeprefix(RAW)
        self.origin = f"kafka:{topic}:{partition}"
        self.label = f"{topic}[{partition}]"
        self.lines: list[str] = []
        self.size = 0
        self.after = 0
        self.latest = 0
        self.names: dict[int, None] = {}  # of the envelopes
        self._known = known
        self._rows: list[_Row] = []
        self._places: dict[tuple[str | None, ...], int] = {}  # numbered

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
        received = found.received or min(max(record.timestamp, 0), LATEST - 1)
        self.latest = max(self.latest, received)
        if found.id is None or not (found.id in self.names or found.id in self._known):
            if found.id is not None:
                self.names[found.id] = None
            self.lines += found.lines
            place = self._places.setdefault((found.origin, *found.told), len(self._places))
            name = record.offset if found.id is None else found.id
            self._rows.append(_Row(name, record.offset, received, place, len(found.lines)))

    def frame(self) -> pl.DataFrame:
        """Return the lines (RECORD), beside each where and when it was received (ORIGIN, SENDER), and where it is (AT).

        A column of ORIGIN of which nothing is known is left out.
        """
        rows = pl.DataFrame(self._rows, schema=_ROW, orient="row")
        counts = rows["lines"].to_numpy()
        each = rows[np.repeat(np.arange(rows.height), counts)]
        places = pl.DataFrame(list(self._places), schema=_PLACE, orient="row")
        known = [column for column in places if column.null_count() < column.len()]
        index = np.arange(len(self.lines)) - np.repeat(np.cumsum(counts) - counts, counts)
        return pl.DataFrame(
            [
                pl.Series("event.original", self.lines, dtype=pl.String),
                each["log.offset"],
                pl.Series("soc.index", index, dtype=pl.Int32),
                *([_times(each["received"])] if self.latest else ()),
                *(column.gather(each["place"]) for column in known),
                each[AT],
            ]
        )

    def batch(self, frame: pl.DataFrame, *, whole: bool = False) -> Batch:
        """Return some of the lines, or the records they make, as a batch."""
        received = datetime.fromtimestamp(self.latest / 1000, UTC).date() if self.latest > 0 else None
        records = frame.select(name for name in (*RECORD, *ORIGIN) if name in frame.columns)
        return Batch(self.source, self.origin, self.label, records, received, stream=self.origin, whole=whole)


def _times(milliseconds: pl.Series) -> pl.Series:
    """Return times of receipt as `event.created`; 0 tells none."""
    known = milliseconds.set(milliseconds == 0, None)
    return known.cast(pl.Datetime("ms", "UTC")).cast(TIME).alias("event.created")


def is_envelope(record: Record) -> bool:
    """Say whether the shipper marked the record as an envelope."""
    return any(name == HEADER for name, _ in record.headers)
