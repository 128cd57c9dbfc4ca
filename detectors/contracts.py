"""The contracts between the rooms, and the values that pass through them.

    Source ─► Batch ─► Parser ─► Parsed ─► Detector ─► Hits ─► findings ─► Sink

Everything between a Source and a Sink is a pure function on frames.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from detectors.identity import block_id
from detectors.schema import DEAD, EVENT, HEADING, ORIGIN, PLACE, RECORD


@dataclass(frozen=True, slots=True)
class Batch:
    """Raw records of one source from one origin, in order.

    `origin` names where the records came from for ever: "kafka:soc.raw.sshd:3" (topic, partition) or
    "file:<fingerprint of the file's head>". `label` is the same for people: a path, a topic. Where small files were
    put together these are those of the first, and each record brings its own along (PLACE). Records that were parsed
    before (the archive's) bring their `@timestamp`; where all have one it is not read again. `text` may hold all
    records in one piece, a line each, where the source read them so. `stream` tells apart what is read side by side,
    each as far as it is: the partitions of a topic. In a `whole` batch lines that are one record are joined already.
    """

    source: str
    origin: str
    label: str
    records: pl.DataFrame  # RECORD
    received: date | None = None  # the day the last of them came: tells the year of times that leave it out
    text: memoryview | None = field(default=None, repr=False)
    stream: str = ""
    whole: bool = False

    def __post_init__(self) -> None:
        missing = RECORD.keys() - set(self.records.columns)
        if missing:
            raise ValueError(f"a batch of {self.label} lacks the columns {sorted(missing)}")

    @property
    def carried(self) -> list[str]:
        """Name the columns of records that stand beside their events too."""
        return [name for name in (*RECORD, *PLACE, *ORIGIN) if name in self.records.columns]

    def origins(self, events: pl.DataFrame) -> list[str]:
        """Return the origin of each of its events."""
        return events["soc.origin"].to_list() if "soc.origin" in events.columns else [self.origin] * events.height

    def placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return records or events of it, each with where it came from (PLACE)."""
        if PLACE.keys() <= set(rows.columns):
            return rows
        return rows.with_columns(pl.lit(self.origin).alias("soc.origin"), pl.lit(self.label).alias("soc.label"))

    def labels(self, events: pl.DataFrame) -> pl.Series:
        """Return for people where each of its events came from, as `soc.label`."""
        if "soc.label" in events.columns:
            return events["soc.label"]
        return pl.Series("soc.label", [self.label], pl.String).new_from_index(0, events.height)


class Texts(Protocol):
    """Numbered texts, made when they are asked for."""

    def __len__(self) -> int: ...

    def take(self, numbers: Sequence[int]) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """A column of texts as numbers: per row that of its text, -1 where it has none.

    Columns may share their texts. Equal numbers mean equal texts; most texts have one number.
    """

    texts: Texts
    codes: npt.NDArray[np.int32]

    def only(self, rows: npt.NDArray[np.bool_]) -> Encoded:
        """Return these rows of the column."""
        return Encoded(self.texts, self.codes[rows])

    def series(self, name: str) -> pl.Series:
        """Return the column as texts."""
        numbers, places = np.unique(self.codes, return_inverse=True)
        texts: list[str | None] = [*self.texts.take(numbers[numbers >= 0].tolist())]
        found = pl.Series(name, [None] * int((numbers < 0).any()) + texts, pl.String)
        return found[pl.Series(places.astype(np.uint32))]  # at once: `gather` would plan a query for it


@dataclass(frozen=True, slots=True)
class Parsed:
    """The outcome of parsing a batch: every record is either in `events` or in `dead`, headings of files too.

    Own columns stand in `encoded` instead of `events` where the parser has them as numbers: a detector need not look
    for their distinct texts then, and texts that nobody asks for are never made.
    """

    events: pl.DataFrame  # EVENT and the source's own columns
    dead: pl.DataFrame = field(default_factory=DEAD.to_frame)
    encoded: Mapping[str, Encoded] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        missing = EVENT.keys() - set(self.events.columns)
        if missing:
            raise ValueError(f"parsed events lack the columns {sorted(missing)}")

    @property
    def lost(self) -> pl.DataFrame:
        """The dead letters that somebody should hear of."""
        return self.dead.filter(pl.col("error.message") != HEADING) if self.dead.height else self.dead

    def only(self, rows: pl.Series) -> Parsed:
        """Return these of the events, and no dead letters."""
        there = rows.to_numpy()
        return Parsed(
            self.events.filter(rows), encoded={name: column.only(there) for name, column in self.encoded.items()}
        )

    def frame(self) -> pl.DataFrame:
        """Return the events with all their columns."""
        return self.events.with_columns(column.series(name) for name, column in self.encoded.items())


@dataclass(frozen=True, slots=True)
class LogSource:
    """A Sigma log source; None stands for "any"."""

    category: str | None = None
    product: str | None = None
    service: str | None = None

    def covers(self, other: LogSource) -> bool:
        """Say whether every attribute named here equals the other's."""
        pairs = ((self.category, other.category), (self.product, other.product), (self.service, other.service))
        return all(mine is None or mine == theirs for mine, theirs in pairs)

    def __str__(self) -> str:
        """Return `product/category/service` with the parts that are set."""
        return "/".join(part for part in (self.product, self.category, self.service) if part)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a source speaks: its log source, and what it calls the fields that rules name.

    `aliases` maps a field as rules write it to the source's own column. `structured` says that `event.original` is
    JSON, so a keyword search must look at its values and not at its text.
    """

    name: str
    logsource: LogSource
    aliases: dict[str, tuple[str, ...]]
    structured: bool


@dataclass(frozen=True, slots=True)
class Hits:
    """Which rules matched which rows of one event frame: two arrays of equal length, ordered by rule, then row."""

    rule: npt.NDArray[np.int32]
    row: npt.NDArray[np.int64]

    def alone(self) -> tuple[npt.NDArray[np.int64], Hits]:
        """Return the rows that are hit, and the hits as they are on a frame of these rows."""
        rows, places = np.unique(self.row, return_inverse=True)
        return rows, Hits(self.rule, places.astype(np.int64))


class Source(Protocol):
    """Where records come from. `commit` is called when everything yielded so far is stored; it must be repeatable."""

    def batches(self) -> Iterator[Batch]: ...

    def commit(self) -> None: ...

    def close(self) -> None: ...


class Parser(Protocol):
    """Turns records into events. Never raises for the content of a record."""

    dialect: Dialect

    def parse(self, batch: Batch, wanted: Collection[str] | None) -> Parsed:
        """Parse a batch; `wanted` names the only own columns the caller needs, None asks for all.

        A column that no record has is null or left out.
        """
        ...


class Detector(Protocol):
    """Finds the events that matter. Deterministic: equal frames give equal hits.

    A rule that fails at run time costs itself: `failures` tells what happened, by the number of the rule.
    """

    failures: dict[int, str]

    def wanted(self, dialect: Dialect) -> frozenset[str]:
        """Name the columns this detector looks at in events of that dialect."""
        ...

    def detect(self, dialect: Dialect, events: pl.DataFrame, encoded: Mapping[str, Encoded] = ...) -> Hits:
        """Find them; columns of the events may stand in `encoded`."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What a sink did: documents new, already there, and refused (with reasons)."""

    created: int = 0
    known: int = 0
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """Matches of one rule, kept for correlations.

    `matches` has an `event.id`, a `time` (microseconds since 1970, UTC), the `soc.source`, the `event.original`,
    shortened, and a text column for each field that correlations look at.
    """

    rule: str  # its id
    matches: pl.DataFrame
    id: str = field(init=False)  # names the block by what it holds

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", block_id(self.rule, self.matches.columns, self.matches["event.id"]))

    @staticmethod
    def join(blocks: Iterable[tuple[pl.DataFrame, bool]], columns: Collection[str]) -> pl.DataFrame:
        """Return columns of several blocks' matches, each event once, and whether each is `told` in any of them.

        A column that no block has is of nulls, which take no room.
        """
        frames = [
            frame.select(
                *(pl.col(name) if name in frame.columns else pl.lit(None).alias(name) for name in columns),
                pl.lit(told).alias("told"),
            )
            for frame, told in sorted(blocks, key=lambda each: not each[1])
        ]
        if not frames:
            types = {name: pl.Int64 if name == "time" else pl.String for name in columns}
            return pl.DataFrame(schema={**types, "told": pl.Boolean})
        whole = pl.concat(frames, how="vertical_relaxed")
        if whole["event.id"].n_unique() == whole.height:  # as good as always, and looking takes less than copying
            return whole
        return whole.unique("event.id", keep="first", maintain_order=True)


Intervals: TypeAlias = Sequence[tuple[int, int]]  # of times, both ends belong to them; in order, apart from each other


def inside(times: npt.NDArray[np.int64], within: Intervals | None) -> npt.NDArray[np.bool_]:
    """Say of each time whether it lies in one of the intervals (None: any)."""
    if within is None:
        return np.ones(len(times), np.bool_)
    begins, ends = (np.array([each[side] for each in within], np.int64) for side in (0, 1))
    at = np.searchsorted(begins, times, side="right") - 1
    return (at >= 0) & (times <= ends[at])


Clock: TypeAlias = tuple[str, str]  # a source, and a stream of it: each has come as far as its newest event


@dataclass(frozen=True, slots=True)
class Waiting:
    """From when on a correlation has to be looked at; the version changes whenever matches are kept for it."""

    since: int
    version: int


class Memory(Protocol):
    """What correlations know between batches. Times are microseconds; doing anything twice changes nothing."""

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        """Keep matches, and for correlations (by id) from when on they have to be looked at when time has passed."""
        ...

    def recall(self, rule: str, columns: Collection[str], within: Intervals | None, by: str) -> pl.DataFrame:
        """Return matches of a rule at least within these times, each event once, and whether each is `told` by `by`.

        A column that was not kept is null.
        """
        ...

    def told(self, blocks: Sequence[Block], by: str) -> None:
        """Note that all that follows from these matches is stored; `by` names the correlations that said so."""
        ...

    def pass_time(self, newest: Mapping[Clock, int]) -> None:
        """Note how far time has come; it never goes back."""
        ...

    def times(self) -> dict[Clock, int]:
        """Return how far time has come in each stream of each source."""
        ...

    def waiting(self) -> dict[str, Waiting]:
        """Return what waits, by correlation."""
        ...

    def settle(self, correlation: str, seen: Waiting, until: int) -> None:
        """Note that a correlation was looked at before `until`.

        If more matches were kept for it since `seen`, it has to be looked at from there once more.
        """
        ...


class Sink(Protocol):
    """Where results go. Writing the same frame twice changes nothing; returns only when the result is safe."""

    def findings(self, frame: pl.DataFrame) -> Written: ...

    def matches(self, frame: pl.DataFrame) -> Written: ...

    def suppressed(self, frame: pl.DataFrame) -> Written: ...

    def dead(self, frame: pl.DataFrame) -> Written: ...

    def cover(self, frame: pl.DataFrame) -> Written: ...

    def close(self) -> None: ...
