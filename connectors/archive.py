"""The archive: every raw record as Parquet, by source and hour of its event, so that a hunt can parse it again.

    <root>/sshd/date=2026-07-21/hour=08/soc.raw.sshd-3-0000000000000014200.parquet

A file appears whole or not at all, and holds no clock: writing a batch again finds its files already there. A name
that holds other records (two files that begin alike, a topic made anew) is never overwritten: the newcomer's name
gets a digest. Records that overlap after such a replay are read once.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, unquote

import polars as pl

from detectors.contracts import Batch
from detectors.errors import InputError, Place, UsageError
from detectors.schema import ORIGIN, PLACE, RECORD, TIME

ARCHIVED = pl.Schema([*RECORD.items(), ("@timestamp", TIME), *PLACE.items(), *ORIGIN.items()])

UNKNOWN = "date=unknown/hour=unknown"  # no time, or one outside the years 1 to 9999
POSITION = ("log.offset", "soc.index")
PLACED = ("soc.origin", *POSITION)
ROWS = 50_000  # of a batch handed out
NAME_BYTES = 120  # of a name on disk: leaves room for offset, digest and suffix below the usual limit of 255

_OFFSET = re.compile(r"-\d{19}(-[0-9a-f]{16})?\.parquet$")

Report = Callable[[InputError], None]


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC) of a source's records."""

    day: date
    files: int
    bytes: int


class Archive:
    """Raw records under one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, batch: Batch, events: pl.DataFrame) -> list[Path]:
        """Keep every record of a batch under the time its event has in `events`; return the files that hold them.

        A record that gave no event (a dead letter) is kept too, without a time: a mended definition may read it.
        """
        folder = self._folder(batch.source)
        origins = pl.Series("soc.origin", batch.origins(events), pl.String)
        times = events.with_columns(origins).group_by(PLACED).agg(pl.col("@timestamp").min())
        place = pl.Series("soc.origin", batch.origins(batch.records), pl.String), batch.labels(batch.records)
        kept = batch.records.select(name for name in (*RECORD, *ORIGIN) if name in batch.records.columns)
        rows = (
            _shaped(kept.with_columns(place).join(times, on=PLACED, how="left", nulls_equal=True))
            .with_columns(_partition().alias("partition"))
            .sort("partition", *PLACED, "event.original", maintain_order=True)
        )
        parts = rows.partition_by("partition", "soc.origin", as_dict=True, maintain_order=True)
        return [
            _keep(folder / str(part), _stem(str(origin)), frame.drop("partition"))
            for (part, origin), frame in parts.items()
        ]

    def read(
        self, source: str, since: datetime | None = None, until: datetime | None = None, report: Report | None = None
    ) -> Iterator[Batch]:
        """Yield a source's records hour by hour as the batches they were, `since` included, `until` not.

        Records without a time come last, and only if neither bound is given. A damaged file costs itself: `report`
        hears of it; without a `report` the error is raised.
        """
        for part in sorted(self._folder(source).glob("date=*/hour=*")):
            if _overlaps(part, since, until):
                for frame in _of_part(part, report or _raise):
                    yield from _batches(source, _within(frame, since, until))

    def untimed(self, source: str) -> Iterator[Batch]:
        """Yield a source's records whose time is not known, dead letters among them."""
        for frame in _of_part(self._folder(source) / UNKNOWN, _raise):
            yield from _batches(source, frame)

    def forget_untimed(self, source: str, records: pl.DataFrame) -> None:
        """Take records (RECORD and `soc.origin`) from those without a time: they stand under their time now."""
        for file in sorted((self._folder(source) / UNKNOWN).glob("*.parquet")):
            frame = _shaped(pl.read_parquet(file, hive_partitioning=False))
            rest = frame.join(records, on=[*PLACED, "event.original"], how="anti", nulls_equal=True)
            if rest.height < frame.height:
                if rest.height:
                    _keep(file.parent, _origin_part(file), rest)
                file.unlink()

    def files(self, source: str, since: datetime, until: datetime) -> list[Path]:
        """Name the files of the hours of a period, in order; none ever changes, so their names tell their content."""
        parts = (part for part in sorted(self._folder(source).glob("date=*/hour=*")) if _overlaps(part, since, until))
        return [file for part in parts for file in sorted(part.glob("*.parquet"))]

    def period(self, source: str) -> tuple[datetime, datetime] | None:
        """Return the begin of the first hour of which there are records, and the end of the last."""
        hours = [hour for part in self._folder(source).glob("date=*/hour=*") if (hour := _hour(part)) is not None]
        return (min(hours), max(hours) + timedelta(hours=1)) if hours else None

    def days(self, source: str) -> list[Day]:
        """Return the days of which there are records, in order; records without a time are of none."""
        found = []
        for folder in sorted(self._folder(source).glob("date=*")):
            with suppress(ValueError):
                day = date.fromisoformat(folder.name.removeprefix("date="))
                files = [file for file in folder.glob("hour=*/*.parquet") if file.is_file()]
                found.append(Day(day, len(files), sum(file.stat().st_size for file in files)))
        return found

    def delete(self, source: str, day: date) -> None:
        """Delete a day for ever; whoever reads it meanwhile finds that files are gone."""
        folder = self._folder(source) / f"date={day.isoformat()}"
        gone = folder.with_name(f".{folder.name}.deleted")  # at once out of sight, also if this is interrupted
        if gone.exists():
            shutil.rmtree(gone)
        folder.rename(gone)
        shutil.rmtree(gone)

    def sources(self) -> list[str]:
        """Name the sources that have records here."""
        return sorted(unquote(folder.name) for folder in self._root.glob("*") if any(folder.glob("date=*/hour=*")))

    def _folder(self, source: str) -> Path:
        name = _safe(source)
        if not name or len(name) > NAME_BYTES:
            raise UsageError(f"{source[:40]!r} can't name a folder of the archive", fix="give the source a short name")
        return self._root / name


def _safe(name: str) -> str:
    """Return a name without separators, controls or a leading dot, so that it stays inside its folder."""
    quoted = quote(name, safe="")
    return "%2E" + quoted[1:] if quoted.startswith(".") else quoted


def _stem(origin: str) -> str:
    """Return `soc.raw.sshd-3` for the origin `kafka:soc.raw.sshd:3`, and `file-<fingerprint>` for a file's."""
    stem = "-".join(_safe(part) for part in origin.removeprefix("kafka:").split(":"))
    if len(stem) <= NAME_BYTES:
        return stem
    return stem[: NAME_BYTES - 33] + "%" + hashlib.sha256(origin.encode()).hexdigest()[:32]


def _origin_part(file: Path) -> str:
    return _OFFSET.sub("", file.name)


def _shaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns ARCHIVED; what older files or other sources don't tell is null."""
    there = frame.columns
    return frame.select(
        (pl.col(name) if name in there else pl.lit(None)).cast(kind).alias(name) for name, kind in ARCHIVED.items()
    )


def _partition() -> pl.Expr:
    time = pl.col("@timestamp")
    known = time.dt.year().is_between(1, 9999)  # null when the time is
    return pl.when(known).then(time.dt.strftime("date=%Y-%m-%d/hour=%H")).otherwise(pl.lit(UNKNOWN))


def _keep(folder: Path, stem: str, frame: pl.DataFrame) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    first = frame.select(pl.col("log.offset").min()).item() or 0
    name = f"{stem}-{first:019d}"
    content = BytesIO()
    frame.write_parquet(content, compression="zstd", compression_level=3, row_group_size=ROWS, statistics=True)
    wanted = content.getbuffer()
    digest = hashlib.sha256(wanted).hexdigest()[:16]
    for file in (folder / f"{name}.parquet", folder / f"{name}-{digest}.parquet"):
        if not file.exists():
            _place(file, wanted)
            return file
        if _holds(file, frame):
            return file
    raise InputError(
        "the archive file is damaged", place=Place(str(file)), fix="move it away, then run the batch again"
    )


def _holds(file: Path, frame: pl.DataFrame) -> bool:
    try:
        return _shaped(pl.read_parquet(file, hive_partitioning=False)).equals(frame)
    except (pl.exceptions.PolarsError, OSError):
        return False  # damaged: its name stays taken, so that someone can look at it


def _place(file: Path, content: memoryview) -> None:
    """Write a file under a hidden name, and give it its own once the disk has it."""
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=file.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself
    finally:
        os.close(folder)


def _hour(part: Path) -> datetime | None:
    try:
        return datetime.strptime(f"{part.parent.name} {part.name}", "date=%Y-%m-%d hour=%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def _overlaps(part: Path, since: datetime | None, until: datetime | None) -> bool:
    hour = _hour(part)
    if hour is None:
        return since is None and until is None
    after = since is not None and hour + timedelta(minutes=59, seconds=59, microseconds=999_999) < since
    return not after and (until is None or hour < until)


def _within(frame: pl.DataFrame, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    if since is not None:
        frame = frame.filter(pl.col("@timestamp") >= since)
    return frame if until is None else frame.filter(pl.col("@timestamp") < until)


def _of_part(part: Path, report: Report) -> Iterator[pl.DataFrame]:
    """Yield the records of a partition's files, origin by origin."""
    for stem in sorted({_origin_part(file) for file in part.glob("*.parquet")}):
        yield from _swept(sorted(file for file in part.glob("*.parquet") if _origin_part(file) == stem), report)


def _swept(files: list[Path], report: Report) -> Iterator[pl.DataFrame]:
    """Yield the records of files that may overlap, each once and in order, holding only files that do overlap."""
    waiting = ARCHIVED.to_frame()
    for file in files:
        try:
            frame = _shaped(pl.read_parquet(file, hive_partitioning=False))
        except (pl.exceptions.PolarsError, OSError) as fault:
            report(InputError(f"can't be read ({fault})", place=Place(str(file)), fix="restore it from a backup"))
            continue
        final = (pl.col("log.offset") < frame["log.offset"].min()).fill_null(value=False)
        yield _once(waiting.filter(final))
        waiting = _once(pl.concat([waiting.filter(~final), frame]))
    yield waiting


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    kept = frame.unique([*PLACED, "event.original"], keep="first", maintain_order=True)
    return kept.sort(*PLACED, maintain_order=True)


def _batches(source: str, frame: pl.DataFrame) -> Iterator[Batch]:
    for (origin, label), rows in frame.partition_by(
        "soc.origin", "soc.label", as_dict=True, maintain_order=True
    ).items():
        told = [name for name in ORIGIN if rows[name].null_count() < rows.height]
        for part in rows.select(*RECORD.names(), "@timestamp", *told).iter_slices(ROWS):
            yield Batch(source, str(origin), str(label), part, whole=True)


def _raise(fault: InputError) -> None:
    raise fault
