"""Records of several lines: a stack trace belongs to the line before it, a query to the comments above it.

    lines of a batch ─► numbered ─► whole records, joined
                                └─► open ones, whose lines wait for what comes next

What belongs together is told by the lines of one sender alone, and by how long after each other they came; so records
are the same wherever the stream was cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Final, Protocol, TypeAlias, runtime_checkable

import polars as pl

from detectors.contracts import Batch

LONGEST: Final = 10_000  # lines of one record; what is beyond stands alone
LARGEST: Final = 1 << 20  # bytes of one record that are joined
GAP: Final = timedelta(seconds=3)  # a line that came later than this after the one before doesn't go on with it
SENDER: Final = "soc.sender"  # an optional column of records: lines of others may stand between those of one
CAME: Final = "event.created"  # an optional column: when a line was received
LINE: Final = "event.original"

_START: Final = pl.col("start").forward_fill()

Means: TypeAlias = Callable[[str], tuple[str | None, object]]  # a source's beginning of a record, and its format


@runtime_checkable
class Joining(Protocol):
    """A format that tells by itself which lines are one record."""

    def record(self, lines: pl.Series) -> pl.Series:
        """Number the record that each line belongs to; null where a line is alone."""
        ...


@runtime_checkable
class Neighbouring(Protocol):
    """A format whose lines are records of their own, some of which are to be read together."""

    def event(self, lines: pl.Series) -> pl.Series:
        """Name what each line belongs to; null where a line is alone."""
        ...


def waits(beginning: str | None, reader: object) -> bool:
    """Say whether lines of a source may have to wait for those that follow."""
    return beginning is not None or isinstance(reader, Joining | Neighbouring)


def joined(batch: Batch, beginning: str | None, reader: object = None) -> Batch:
    """Join the lines of each record, at the position of its first one.

    Lines that don't have the beginning of a record belong to the one before, those before the first beginning to none;
    without a beginning the format may tell.
    """
    if beginning is None and not isinstance(reader, Joining):
        return replace(batch, whole=True)
    return _whole(batch, _joined(batch.records, numbered(batch.records, beginning, reader)))


def parted(
    records: pl.DataFrame, beginning: str | None, reader: object, closed: pl.Expr | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part lines into whole records, joined, and the lines of each sender's last record, which may go on.

    Records for whose lines `closed` holds are whole.
    """
    number = numbered(records, beginning, reader)
    frame = records.with_columns(number.alias("number"))
    last = _by_sender(pl.col("number").last(), records).alias("last")
    goes_on = (pl.col("number") == pl.col("last")).fill_null(value=False)
    frame = frame.with_columns(last).with_columns(open=goes_on if closed is None else goes_on & ~closed)
    rest = frame.filter("open").select(records.columns)
    whole = frame.filter(~pl.col("open"))
    if beginning is None and not isinstance(reader, Joining):
        return whole.select(records.columns), rest
    return _joined(whole.select(records.columns), whole["number"]), rest


def carried(batches: Iterable[Batch], means: Means) -> Iterator[Batch]:
    """Yield batches of whole records: one waits for the next, to whose first lines its last record may go on.

    Batches that are whole pass. The last one waits for the end: so this is for sources that are read to their end and
    have nothing to commit.
    """
    waiting = cache(lambda source: waits(*means(source)))
    held: Batch | None = None
    for batch in batches:
        given = batch
        if held is not None and (held.origin, held.source) == (batch.origin, batch.source):
            whole, rest = parted(held.records, *means(held.source))
            if whole.height:
                yield _whole(held, whole)
            records = pl.concat([rest, batch.records], how="diagonal") if rest.height else batch.records
            given = replace(batch, records=records, text=None if rest.height else batch.text)
        elif held is not None:
            yield joined(held, *means(held.source))
        held = given if not given.whole and waiting(given.source) else None
        if held is None:
            yield replace(given, whole=True)
    if held is not None:
        yield joined(held, *means(held.source))


def _whole(batch: Batch, records: pl.DataFrame) -> Batch:
    same = records.height == batch.records.height
    return replace(batch, records=records, text=batch.text if same else None, whole=True)


def numbered(records: pl.DataFrame, beginning: str | None, reader: object) -> pl.Series:
    """Number the record of each line by the row that it begins in; null where a line is alone."""
    if beginning is None:
        number = _told(records, reader)
    else:
        begins = pl.col(LINE).str.contains(beginning).fill_null(value=False)
        start = pl.when(begins).then(pl.int_range(pl.len())).when(_breaks(records)).then(-1)
        number = records.with_columns(start.alias("start")).select(_by_sender(_START, records)).to_series()
        number = number.set(number < 0, None)
    return number if _alone(number) and _small(records) else _bounded(records, number)


def _breaks(records: pl.DataFrame) -> pl.Expr:
    """Say which lines don't go on: the first of each sender, and those that came too long after the one before."""
    first = _by_sender(pl.int_range(pl.len()) == 0, records)
    if CAME not in records.columns:
        return first
    return first | (_by_sender(pl.col(CAME).diff(), records) > GAP).fill_null(value=False)


def _told(records: pl.DataFrame, reader: object) -> pl.Series:
    """Ask the format about the lines of each sender that came without a break."""
    ask = reader.record if isinstance(reader, Joining) else reader.event if isinstance(reader, Neighbouring) else None
    if ask is None or records.is_empty():
        return pl.Series([None], dtype=pl.Int64).new_from_index(0, records.height)
    row = pl.int_range(pl.len())
    begun = records.with_columns(row.alias("row"), pl.when(_breaks(records)).then(row).alias("start"))
    parts = begun.with_columns(_by_sender(_START, records)).partition_by("start", maintain_order=True)
    told = pl.concat(part.select("row", "start", ask(part[LINE]).alias("told")) for part in parts)
    first = pl.when(pl.col("told").is_not_null()).then(pl.col("row").first().over("start", "told"))
    return told.with_columns(first.alias("number")).sort("row")["number"]


def _bounded(records: pl.DataFrame, number: pl.Series) -> pl.Series:
    """Leave out of each record the lines beyond what one may hold."""
    frame = records.select(pl.col(LINE).str.len_bytes().cast(pl.Int64).alias("size"), number.alias("number"))
    within = (pl.int_range(pl.len()).over("number") < LONGEST) & (
        (pl.col("size") + 1).cum_sum().over("number") <= LARGEST
    )
    return frame.select(pl.when(within).then("number")).to_series()


def _alone(number: pl.Series) -> bool:
    """Say whether no record has several lines."""
    return number.n_unique() - number.has_nulls() == number.len() - number.null_count()


def _small(records: pl.DataFrame) -> bool:
    longest = records.select(pl.col(LINE).str.len_bytes().max()).item()
    return longest is None or longest < LARGEST


def _by_sender(made: pl.Expr, records: pl.DataFrame) -> pl.Expr:
    return made.over(SENDER) if SENDER in records.columns else made


def _joined(records: pl.DataFrame, number: pl.Series) -> pl.DataFrame:
    """Join the lines of one number, where any has several."""
    if _alone(number):
        return records
    frame = records.with_row_index("row").with_columns(number.alias("number"))
    frame = frame.with_columns(pl.when(pl.col("number").is_null()).then(-pl.col("row").cast(pl.Int64) - 1)
                               .otherwise("number").alias("number"))  # fmt: skip
    others = [name for name in records.columns if name != LINE]
    whole = frame.group_by("number", maintain_order=True).agg(pl.col(LINE).str.join("\n"), pl.col(others).first())
    return whole.select(records.columns)
