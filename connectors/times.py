"""Reads the times that logs write, whatever the form, as UTC instants.

    2025-12-07T11:05:07.123Z · 2025-12-07 11:05:07,123 · 07/Dec/2025:11:05:07 +0700 · Dec  7 11:05:07 ·
    12/07-11:05:07.123456 · 1765080307.123

A time without a zone is in the source's zone. A time without a year is in `Clock.year`; when that is None, in the
latest year that puts it at most a day after the reference: the latest full date of the same batch, or
`Clock.reference`. A leap second is the second after it, 24:00:00 the beginning of the next day; an hour that summer
time leaves out is by the clock of before. No clock is asked, so a replay gives the same times: whoever reads live logs
passes the day of arrival as the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Piece, piece
from connectors.native import Places
from connectors.warm import WARMTH
from detectors.schema import TIME

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)  # before: a clock that was never set
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
REFERENCE: Final = date(2026, 12, 31)  # when nobody says: the end of the year of this release
LEAP: Final = 8  # years between two 29ths of February, at most

ISO: Final = (
    r"^\s*(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ](?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9})\d*)?"
    r" ?(?P<zone>Z|(?:UTC|GMT)[+-]\d{1,2}(?::?\d\d)?|[A-Z]{3,5}|[+-]\d\d(?::?\d\d)?)?\s*$"
)
MIDNIGHT: Final = r"([T :-])24:00:00"
WHOLE: Final = r"^.{10}T.{8}[.Z+-]"
EPOCH: Final = r"^(?P<whole>\d{9,11})(?:\.(?P<fraction>\d{1,9})\d*)?$"
NAMED: Final = (
    r"^\s*[*.]?(?:(?P<leading>\d{4}) )?(?:[A-Z][a-z]{2},? )?"
    r"(?P<month>[A-Z][a-z]{2}) +(?P<day>\d{1,2})(?:,? (?P<first>\d{4}))? "
    r"(?P<time>\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,9})\d*)?(?: (?P<last>\d{4}))?"
    r"(?: (?P<zone>Z|(?:UTC|GMT)[+-]\d{1,2}(?::?\d\d)?|[A-Z]{3,5}|[+-]\d\d(?::?\d\d)?))?\s*$"
)
SLASHED: Final = r"^\s*(?P<month>\d\d)/(?P<day>\d\d)(?:/(?P<year>\d{4}|\d\d))?-(?P<time>\d\d:\d\d:\d\d(?:\.\d+)?)\s*$"
HALVED: Final = (  # 3/2/2026 8:15:00 AM +07:00
    r"^\s*(?P<date>\d{1,2}/\d{1,2}/\d{4}),? (?P<time>\d{1,2}:\d\d:\d\d)(?:\.\d+)? (?P<half>[AP]M)"
    r"(?: (?P<zone>Z|(?:UTC|GMT)[+-]\d{1,2}(?::?\d\d)?|[A-Z]{3,5}|[+-]\d\d(?::?\d\d)?))?\s*$"
)
# fmt: off
MONTHS: Final = {
    "01": "Jan", "02": "Feb", "03": "Mar", "04": "Apr", "05": "May", "06": "Jun",
    "07": "Jul", "08": "Aug", "09": "Sep", "10": "Oct", "11": "Nov", "12": "Dec",
}
# fmt: on
ABBREVIATIONS: Final = {  # those that mean one offset, or nearly always do
    **dict.fromkeys(["Z", "UTC", "GMT", "WET"], "+0000"),
    **dict.fromkeys(["BST", "CET", "WEST"], "+0100"),
    **dict.fromkeys(["CEST", "EET", "SAST"], "+0200"),
    **dict.fromkeys(["EEST", "MSK"], "+0300"),
    **dict.fromkeys(["PKT", "UZT"], "+0500"),
    **dict.fromkeys(["IST"], "+0530"),
    **dict.fromkeys(["ICT", "WIB"], "+0700"),
    **dict.fromkeys(["AWST", "HKT", "PHT", "SGT"], "+0800"),
    **dict.fromkeys(["JST", "KST"], "+0900"),
    **dict.fromkeys(["AEST"], "+1000"),
    **dict.fromkeys(["AEDT"], "+1100"),
    **dict.fromkeys(["ADT", "BRT"], "-0300"),
    **dict.fromkeys(["AST", "EDT"], "-0400"),
    **dict.fromkeys(["CDT", "EST"], "-0500"),
    **dict.fromkeys(["CST", "MDT"], "-0600"),
    **dict.fromkeys(["MST", "PDT"], "-0700"),
    **dict.fromkeys(["PST"], "-0800"),
    **dict.fromkeys(["SST"], "-1100"),
}
OFFSET: Final = re.compile(r"(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?")  # a zone as +07:00
CLF: Final = "%d/%b/%Y:%H:%M:%S%.f %z"


@dataclass(frozen=True, slots=True)
class Clock:
    """What a log's times leave out; the zone may be a fixed offset (+07:00)."""

    zone: str = "UTC"
    year: int | None = None
    reference: date = REFERENCE


Moments = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]  # microseconds, and what they are: `formats.moment`
Reader = Callable[[pl.Series, Clock], pl.Series]


def instants(text: pl.Series, clock: Clock) -> pl.Series:
    """Return the instants as `schema.TIME`; null where there is none, or none before 1970 or after 2199."""
    quick = _bytewise if WARMTH.worth(text.len()) else _usual
    result = quick(text, clock).alias(text.name)
    for reader in _order(text):
        if result.null_count() == text.null_count():
            break
        left = (result.is_null() & text.is_not_null()).arg_true()
        latest = result.max()
        known = latest.date() if isinstance(latest, datetime) else clock.reference
        found = reader(text.gather(left), Clock(clock.zone, clock.year, known))
        result = result.scatter(left, found.to_frame().select(_sane(pl.all())).to_series())
    return _midnights(text, result, clock) if result.null_count() > text.null_count() else result


def _midnights(text: pl.Series, result: pl.Series, clock: Clock) -> pl.Series:
    """Fill in what ends a day at 24:00:00, as ISO 8601 allows: the beginning of the next."""
    left = result.is_null() & text.str.contains(MIDNIGHT).fill_null(value=False)
    if not left.any():
        return result
    rows = left.arg_true()
    begins = instants(text.gather(rows).str.replace(MIDNIGHT, "${1}00:00:00"), clock)
    return result.scatter(rows, begins + timedelta(days=1))


def _usual(text: pl.Series, clock: Clock) -> pl.Series:  # noqa: ARG001 - readers share one signature
    """Read times in the form that most programs write today."""
    whole = pl.when(pl.col("text").str.contains(WHOLE)).then(pl.col("text"))  # Polars takes one digit for two
    usual = whole.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", strict=False, time_unit="us").cast(TIME)
    return text.alias("text").to_frame().select(_sane(usual)).to_series()


def _bytewise(text: pl.Series, clock: Clock) -> pl.Series:
    """Read the usual forms as machine code; what is of another is null."""
    from connectors.formats import moment  # noqa: PLC0415 - few texts do without

    texts = piece(text)
    year = clock.reference.year if clock.year is None else clock.year
    found, kinds = np.empty(text.len(), np.int64), np.empty(text.len(), np.uint8)
    moment.read(*texts, year, found, kinds)
    times = pl.Series("time", found).cast(pl.Datetime("us"))
    result = _where(times.dt.replace_time_zone("UTC"), kinds == moment.INSTANT)
    if (kinds == moment.LOCAL).any():
        local = _where(times, kinds == moment.LOCAL)
        result = pl.select(pl.coalesce(result, local.to_frame().select(_utc(pl.col("time"), clock)).to_series()))[
            "time"
        ]
    result = result.to_frame().select(_sane(pl.col("time"))).to_series()
    yearless = np.flatnonzero((kinds == moment.YEARLESS) | (kinds == moment.ZONED))
    return _latest(texts, yearless, result, clock, {year: (found, kinds)}) if yearless.size else result


def _latest(texts: Piece, rows: Places, result: pl.Series, clock: Clock, read: Mapping[int, Moments]) -> pl.Series:
    """Set times without a year: each is in the clock's, or in the latest that isn't beyond the reference.

    `read` holds what all texts are in some year.
    """
    from connectors.formats import moment  # noqa: PLC0415

    latest = result.max()
    known = latest.date() if isinstance(latest, datetime) else clock.reference
    years = range(_limit(known).year, max(_limit(known).year - LEAP - 2, 0), -1)
    beyond = (_limit(known) - EARLIEST + timedelta(days=1)) // timedelta(microseconds=1)
    for year in years if clock.year is None else [clock.year]:
        if year in read:
            found, kinds = read[year][0][rows], read[year][1][rows]
        else:
            found, kinds = np.empty(rows.size, np.int64), np.empty(rows.size, np.uint8)
            moment.read(texts.data, texts.starts[rows], texts.ends[rows], year, found, kinds)
        if clock.year is None and (found > beyond).all():
            continue  # whatever the zone
        naive = _where(pl.Series("time", found).cast(pl.Datetime("us")), found != moment.NONE)
        zoned = pl.Series("zoned", kinds == moment.ZONED)
        utc = pl.when(zoned).then(pl.col("time").dt.replace_time_zone("UTC")).otherwise(_utc(pl.col("time"), clock))
        time = naive.to_frame().select(_sane(utc).alias("time")).to_series()
        if clock.year is None:
            time = time.to_frame().select(pl.when(pl.col("time") < _limit(known)).then("time")).to_series()
        result = result.scatter(rows, time)
        rows = rows[time.is_null().to_numpy()]
        if not rows.size:
            break
    return result


def _where(times: pl.Series, there: npt.NDArray[np.bool_]) -> pl.Series:
    return times if there.all() else times.set(pl.Series(~there), None)


def _limit(reference: date) -> datetime:
    """Return what a time without a year can't be beyond: clocks differ, and zones."""
    return datetime(reference.year, reference.month, reference.day, tzinfo=UTC) + timedelta(days=2)


def _order(text: pl.Series) -> tuple[Reader, ...]:
    """Return the readers, first the one that fits how the series begins and ends: the others cost a search."""
    ends = "\n".join(str(each) for each in (*text.head(1), *text.tail(1)))
    first = next((reader for shape, reader in SHAPES if re.fullmatch(rf"{shape}.*\n{shape}.*", ends)), None)
    return READERS if first is None else (first, *(reader for reader in READERS if reader is not first))


def _spaced(text: pl.Series, clock: Clock) -> pl.Series:
    """Read local times in the most usual form of all."""
    naive = pl.col("text").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return text.alias("text").to_frame().select(_utc(naive, clock).alias("time")).to_series()


def _sane(time: pl.Expr) -> pl.Expr:
    return pl.when(time.is_between(EARLIEST, LATEST, closed="left")).then(time)


def _iso(text: pl.Series, clock: Clock) -> pl.Series:
    part = pl.col("part").struct.field
    local = pl.concat_str(part("date").str.replace_all("/", "-", literal=True), pl.lit("T"), part("time"))
    naive = local.str.to_datetime("%Y-%m-%dT%H:%M:%S", strict=False, time_unit="us")
    time = _zoned(naive, part("zone"), clock)
    return _parts(text, ISO).select((time + _fraction(part("fraction"))).alias("time")).to_series()


def _epoch(text: pl.Series, clock: Clock) -> pl.Series:  # noqa: ARG001 - readers share one signature
    part = pl.col("part").struct.field
    whole = _number(part("whole")) * 1_000_000
    time = whole.cast(pl.Datetime("us")).dt.replace_time_zone("UTC") + _fraction(part("fraction"))
    smaller = _number(text_column := pl.col("text").str.extract(r"^(\d{12,19})$"))
    length = text_column.str.len_bytes()
    micros = pl.when(length <= 14).then(smaller * 1_000).when(length <= 17).then(smaller).otherwise(smaller // 1_000)
    other = micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _parts(text, EPOCH).select(pl.coalesce(time, other).alias("time")).to_series()


def _clf(text: pl.Series, clock: Clock) -> pl.Series:  # noqa: ARG001 - readers share one signature
    return text.str.to_datetime(CLF, strict=False, time_unit="us").cast(TIME)


def _named(text: pl.Series, clock: Clock) -> pl.Series:
    part = pl.col("part").struct.field
    frame = _parts(text, NAMED).with_columns(
        year=_number(pl.coalesce(part("first"), part("last"), part("leading"))),
        rest=pl.concat_str(part("month"), pl.lit(" "), part("day"), pl.lit(" "), part("time")),
        fraction=_fraction(part("fraction")),
        time=pl.lit(None, TIME),
    )
    limit = _limit(clock.reference)
    for back in range(LEAP + 2):
        guess = pl.lit(clock.year if clock.year is not None else max(limit.year - back, 1))
        year = pl.coalesce("year", guess)
        naive = pl.concat_str(year, pl.lit(" "), "rest").str.to_datetime(
            "%Y %b %d %H:%M:%S", strict=False, time_unit="us"
        )
        time = _zoned(naive, part("zone"), clock)
        good = pl.col("year").is_not_null() | pl.lit(clock.year is not None) | (time < limit)
        frame = frame.with_columns(time=pl.coalesce("time", pl.when(good).then(time)))
        if (
            clock.year is not None
            or not frame.select((pl.col("time").is_null() & pl.col("rest").is_not_null()).any()).item()
        ):
            break
    return frame.select((pl.col("time") + pl.col("fraction")).alias("time")).to_series()


def _slashed(text: pl.Series, clock: Clock) -> pl.Series:
    part = pl.col("part").struct.field
    month = part("month").replace_strict(MONTHS, default=None, return_dtype=pl.String)
    year = pl.when(part("year").str.len_bytes() == 2).then(pl.lit("20") + part("year")).otherwise(part("year"))
    date = pl.concat_str([month, part("day"), pl.when(year != "").then(year)], separator=" ", ignore_nulls=True)
    named = pl.when(month.is_not_null()).then(pl.concat_str([date, part("time")], separator=" "))
    return _named(_parts(text, SLASHED).select(named.alias(text.name)).to_series(), clock)


def _halved(text: pl.Series, clock: Clock) -> pl.Series:
    """Read what clocks with halves of the day write, the month first."""
    part = pl.col("part").struct.field
    whole = pl.concat_str([part("date"), part("time"), part("half")], separator=" ")
    naive = whole.str.to_datetime("%m/%d/%Y %I:%M:%S %p", strict=False, time_unit="us")
    return _parts(text, HALVED).select(_zoned(naive, part("zone"), clock).alias(text.name)).to_series()


READERS: Final[tuple[Reader, ...]] = (_iso, _epoch, _clf, _named, _slashed, _halved)
SHAPES: Final[tuple[tuple[str, Reader], ...]] = (
    (r"[A-Z][a-z]{2} [ \d]", _named),
    (r"\d\d/[A-Z][a-z]{2}/\d{4}:", _clf),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", _spaced),
)


def _parts(text: pl.Series, pattern: str) -> pl.DataFrame:
    frame = text.alias("text").to_frame()
    return frame.with_columns(pl.col("text").str.extract_groups(pattern).alias("part"))


def _number(text: pl.Expr) -> pl.Expr:
    return text.cast(pl.Int64, strict=False)


def _fraction(digits: pl.Expr) -> pl.Expr:
    return pl.duration(microseconds=_number(digits.str.slice(0, 6).str.pad_end(6, "0")).fill_null(0))


def _zoned(naive: pl.Expr, zone: pl.Expr, clock: Clock) -> pl.Expr:
    """Read local times in the zone beside each, or in the clock's; one of an unknown name is the clock's as well."""
    zone = zone.replace(ABBREVIATIONS).str.replace("^(?:UTC|GMT)", "").str.replace(r"^([+-])(\d)(:|$)", "${1}0$2")
    zone = zone.str.replace(":", "", literal=True).str.pad_end(5, "0")
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    minutes = sign * (_number(zone.str.slice(1, 2)) * 60 + _number(zone.str.slice(3, 2)))
    zoned = (naive - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
    return pl.when(zoned.is_null()).then(_utc(naive, clock)).otherwise(zoned)


def _utc(naive: pl.Expr, clock: Clock) -> pl.Expr:
    if offset := OFFSET.fullmatch(clock.zone):
        minutes = int(offset["sign"] + "1") * (int(offset["hours"]) * 60 + int(offset["minutes"] or 0))
        return (naive - pl.duration(minutes=minutes)).dt.replace_time_zone("UTC")
    return naive.map_batches(partial(_in_zone, zone=clock.zone), return_dtype=TIME)


def _in_zone(naive: pl.Series, zone: str) -> pl.Series:
    """Return local times of a zone in UTC; an hour that summer time leaves out is by the clock of before."""
    local = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if local.null_count() > naive.null_count():
        later = (naive + timedelta(hours=1)).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        local = local.zip_with(local.is_not_null(), later)
    return local.dt.convert_time_zone("UTC")
