"""Lines of records that may go on in what Kafka gives next: they wait, and their offsets aren't stored meanwhile.

    taken   A1 b │ b A2 │ b …      A1's lines are handed over when A2 comes, A2's when nothing came for some seconds
    stored   ▲ the position of the first line that waits, and which lines after it don't

Whoever dies meanwhile reads on from there: nothing is lost, and no line is taken for the beginning of something because
what stood before it was done.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import polars as pl

from connectors.kafka.batch import Gathered
from connectors.kafka.position import AT, Position
from connectors.multiline import GAP, LINE, Means, parted, waits
from detectors.contracts import Batch

PATIENCE: Final = GAP.total_seconds() + 2.0  # seconds: what was received within the gap may be a little on its way
LARGEST: Final = 32 << 20  # bytes that wait, of all partitions together
OVERHEAD: Final = 100  # bytes of a line beside its text
NAMES: Final = 4_096  # envelopes of a partition whose copies are known

Partition = TypeVar("Partition")
TAKEN: Final = "soc.taken"  # when it was taken, in seconds of a clock that only goes forward


@dataclass(slots=True)
class _Kept:
    """What is known of a partition."""

    last: Gathered | None = None
    lines: pl.DataFrame | None = None
    resumed: Position | None = None  # until all was read again that was done
    names: OrderedDict[int, None] = field(default_factory=OrderedDict)


class Holding(Generic[Partition]):
    """Makes batches of whole records. `means` tells of a source what its records of several lines look like."""

    def __init__(self, means: Means, patience: float = PATIENCE, clock: Callable[[], float] = time.monotonic) -> None:
        self._means, self._patience, self._clock = means, patience, clock
        self._kept: dict[Partition, _Kept] = {}

    def clear(self) -> None:
        """Forget everything: it will be read again."""
        self._kept.clear()

    def resume(self, partition: Partition, position: Position) -> None:
        """Read a partition on from a position that was stored."""
        self._kept[partition] = _Kept(resumed=position)

    @property
    def partitions(self) -> list[Partition]:
        """Name the partitions of which lines wait."""
        return [partition for partition, kept in self._kept.items() if kept.lines is not None]

    def names(self, partition: Partition) -> Collection[int]:
        """Return the names of envelopes of a partition that came not long ago."""
        return self._kept[partition].names if partition in self._kept else ()

    def position(self, partition: Partition) -> Position:
        """Return where a partition has to be read on if we die now; something of it must have been read."""
        kept = self._kept[partition]
        if kept.resumed is not None:
            return kept.resumed
        assert kept.last is not None  # noqa: S101  something was read
        return Position.of(kept.lines, kept.last.after)

    def waits_before(self, ends: Mapping[Partition, int]) -> bool:
        """Say whether records wait that began before these offsets."""
        return any(self.position(partition).offset < ends.get(partition, 0) for partition in self.partitions)

    def batch(self, partition: Partition, gathered: Gathered | None) -> Batch | None:
        """Return the records of a partition that are whole now, with what came since; None where there are none.

        Without anything that came since, it must be one of `partitions`.
        """
        kept = self._kept.setdefault(partition, _Kept())
        fresh = None if gathered is None else self._fresh(kept, gathered)
        last = kept.last
        if last is None or (fresh is None and not self._due(kept)):
            return None
        if waits(*self._means(last.source)):
            lines = self._lines(kept, fresh)
            whole, rest = parted(lines, *self._means(last.source), self._closed())
            kept.lines = rest if rest.height else None
        else:
            whole = fresh if fresh is not None else pl.DataFrame()
        return last.batch(whole, whole=True) if whole.height else None

    def _fresh(self, kept: _Kept, gathered: Gathered) -> pl.DataFrame:
        """Take note of what came, and return its lines that are still to be read."""
        kept.last = gathered
        kept.names.update(dict.fromkeys(gathered.names))
        while len(kept.names) > NAMES:
            kept.names.popitem(last=False)
        lines, resumed = gathered.frame(), kept.resumed
        if resumed is None:
            return lines
        anew = bool((lines[AT] < resumed.offset).any())  # the topic was made anew: other lines have these offsets
        if anew or gathered.after >= resumed.done:
            kept.resumed = None
        return lines if anew else resumed.left(lines)

    def _lines(self, kept: _Kept, fresh: pl.DataFrame | None) -> pl.DataFrame:
        came = [] if fresh is None else [fresh.with_columns(pl.lit(self._clock()).alias(TAKEN))]
        return pl.concat([*([] if kept.lines is None else [kept.lines]), *came], how="diagonal")

    def _due(self, kept: _Kept) -> bool:
        """Say whether anything has waited for long enough."""
        since = None if kept.lines is None else kept.lines[TAKEN].min()
        return since is not None and float(since) < self._clock() - self._patience  # type: ignore[arg-type]

    def _closed(self) -> pl.Expr:
        """Say which lines wait no longer: nothing came to their record for long, or too much waits."""
        if self._size() > LARGEST:
            return pl.lit(value=True)
        return pl.col(TAKEN).max().over("number") < self._clock() - self._patience

    def _size(self) -> int:
        held = (kept.lines for kept in self._kept.values() if kept.lines is not None)
        return sum(int(lines[LINE].str.len_bytes().sum()) + OVERHEAD * lines.height for lines in held)
