"""The archive to tallies, day by day; what was counted of a day is kept until its files change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from connectors.archive import Archive
from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.parser import DefinedParser
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.tally import Tally, added, empty, tally, whole
from detectors.contracts import Batch
from detectors.errors import InputError

DAY = timedelta(days=1)
SOURCE = "soc.source"
MOST = 30_000  # entities looked at; of more, the busiest
PARTS = ("numbers", "values", "moments")
Report = Callable[[InputError], None]


def events_of(batch: Batch, parser: DefinedParser, chosen: FeatureSet, enrichment: Enrichment) -> pl.DataFrame:
    """Parse what a feature set needs of a batch, and look up what of it no log says; `soc.source` is its source."""
    wanted = chosen.columns - {SOURCE}
    parsed = parser.parse(batch, enrichment.needed(wanted)).frame()
    events = enrichment.added(parsed, wanted) if enrichment.makes(wanted) else parsed
    return events.with_columns(pl.lit(batch.source).alias(SOURCE))


def _slim(events: pl.DataFrame, chosen: FeatureSet) -> pl.DataFrame:
    return events.select("@timestamp", *sorted(chosen.columns.intersection(events.columns)))


def collect(
    archive: Archive,
    definitions: Mapping[str, Definition],
    chosen: FeatureSet,
    calendar: WorkCalendar,
    period: tuple[datetime, datetime],
    *,
    enrichment: Enrichment,
    cache: Path,
    report: Report | None = None,
) -> Tally:
    """Return the tally of a period; its bounds should be midnights of the calendar's zone.

    A damaged archive file costs itself: `report` hears of it.
    """
    since, until = period
    folder = cache / "tallies" / f"{chosen.name}-{chosen.counting[:12]}"
    stems = []
    for source in chosen.of(set(archive.sources()).intersection(definitions)):
        parser = DefinedParser(definitions[source])
        for begin in _days(since, until):
            end = min(begin + DAY, until)
            names = "\n".join(str(path) for path in archive.files(source, begin, end))
            if not names:
                continue
            stem = hashlib.sha256(f"{source}\n{begin}\n{end}\n{names}".encode()).hexdigest()[:24]
            stems.append(stem)
            if not _whole(folder, stem):
                batches = archive.read(source, begin, end, report)
                frames = (_slim(events_of(each, parser, chosen, enrichment), chosen) for each in batches)
                kept = added((tally(each, chosen, calendar) for each in frames), chosen)
                keep(folder, stem, whole(kept, chosen, calendar))
    return gathered(folder, stems, chosen)


def gathered(folder: Path, stems: Sequence[str], chosen: FeatureSet, most: int = MOST) -> Tally:
    """Add up what was kept of days, of the entities that came up on most of them: a million cost no more than these."""
    seen = pl.DataFrame(schema={"entity": pl.String, "days": pl.UInt32})
    for stem in stems:
        day = [pl.scan_parquet(folder / f"{stem}.{name}.parquet").select("entity") for name in ("numbers", "moments")]
        here = pl.concat(day).unique().with_columns(pl.lit(1, pl.UInt32).alias("days")).collect()
        seen = pl.concat([seen, here]).group_by("entity").agg(pl.col("days").sum())
    busiest = seen.sort("days", "entity", descending=[True, False]).head(most).select("entity").lazy()

    def of_those(stem: str, name: str) -> pl.DataFrame:
        return pl.scan_parquet(folder / f"{stem}.{name}.parquet").join(busiest, on="entity", how="semi").collect()

    days = [
        Tally(of_those(stem, "numbers"), of_those(stem, "values"), of_those(stem, "moments"))  # as PARTS
        for stem in stems
    ]
    made = added(days, chosen) if days else empty(chosen)
    return replace(made, left_out=max(seen.height - most, 0))


def known_period(archive: Archive, chosen: FeatureSet) -> tuple[datetime, datetime] | None:
    """Return from when to when there are events that a feature set looks at."""
    found = [each for source in chosen.of(archive.sources()) if (each := archive.period(source))]
    return (min(first for first, _ in found), max(last for _, last in found)) if found else None


def midnight(time: datetime, calendar: WorkCalendar) -> datetime:
    """Return the last local midnight not after a time, in UTC."""
    local = time.astimezone(calendar.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _days(since: datetime, until: datetime) -> Iterator[datetime]:
    at = since
    while at < until:
        yield at
        at += DAY


def _whole(folder: Path, stem: str) -> bool:
    """Say whether a day was counted, and nothing happened to what was kept of it."""
    try:
        for name in PARTS:
            pl.read_parquet_schema(folder / f"{stem}.{name}.parquet")
    except (OSError, pl.exceptions.PolarsError):
        return False  # not there, or damaged: it is counted again
    return True


def keep(folder: Path, stem: str, kept: Tally) -> None:
    """Write what was counted of a day, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(PARTS, (kept.numbers, kept.values, kept.moments), strict=True):
        fresh = folder / f".{stem}.{name}.new"
        frame.write_parquet(fresh, compression="zstd", compression_level=1)
        fresh.replace(folder / f"{stem}.{name}.parquet")
