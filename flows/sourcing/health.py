"""How each source is doing: when it last wrote, and whether that is as much as its definition expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import polars as pl

from connectors.archive import Archive
from connectors.definition import Definition, Expected
from connectors.spans import span
from flows.clocks import CAME, SENDER, Skew, skews

DAY: Final = timedelta(days=1)
LOW: Final = 0.1  # of the expected rate: less is said

HEAD: Final = ("source", "state", "last event", "events/h", "expected/h", "silent after", "clock")
NEWEST: Final = 100  # files of a source whose events' clocks are looked at

State = Literal["ok", "low", "silent", "never"]


@dataclass(frozen=True, slots=True)
class Health:
    """A source at a time; `rate` is events an hour over the last day."""

    source: str
    state: State
    last: datetime | None
    rate: float
    expected: Expected
    skewed: tuple[Skew, ...] = ()  # senders whose clocks are off

    @property
    def poor(self) -> bool:
        """Whether somebody should look after it."""
        return self.state in {"silent", "low"} or bool(self.skewed)

    def sentences(self) -> list[str]:
        """Return what is wrong with whose clock."""
        return [one.sentence(self.source) for one in self.skewed]


def health(archive: Archive, definitions: Mapping[str, Definition], now: datetime) -> Iterator[Health]:
    """Yield every source that has records, and those without of which events are expected."""
    there = archive.sources()
    for name in sorted({*there, *(name for name, one in definitions.items() if one.expected.events_per_hour)}):
        if name in definitions:
            expected = definitions[name].expected
            last, rate = (_last(archive, name, now), _rate(archive, name, now)) if name in there else (None, 0.0)
            skewed = _skewed(archive, name, now) if name in there else ()
            yield Health(name, _state(expected, last, rate, now), last, rate, expected, skewed)


def row(one: Health, zone: ZoneInfo) -> tuple[str | float, ...]:
    """Return the cells under HEAD."""
    last = one.last.astimezone(zone).isoformat(" ", "minutes") if one.last else "-"
    clock = "; ".join(f"{skew.sender or ''} {skew.words()}".strip() for skew in one.skewed) or "-"
    return one.source, one.state, last, round(one.rate, 1), one.expected.events_per_hour, one.expected.silence, clock


def report(found: Sequence[Health], zone: ZoneInfo) -> str:
    """Return how sources are doing as a Markdown table."""
    cells = [HEAD, ("---",) * len(HEAD), *(row(one, zone) for one in found)]
    return "\n".join(f"| {' | '.join(str(cell) for cell in each)} |" for each in cells)


def _state(expected: Expected, last: datetime | None, rate: float, now: datetime) -> State:
    if last is None:
        return "never"
    if now - last > span(expected.silence):
        return "silent"
    return "low" if rate < LOW * expected.events_per_hour else "ok"


def _last(archive: Archive, source: str, now: datetime) -> datetime | None:
    """Return the time of the last event that is not ahead of now."""
    period = archive.period(source)
    if period is None:
        return None
    begin, end = period
    end = min(end, now + timedelta(microseconds=1))
    while end > begin:
        start = max(begin, end - DAY)
        if (
            latest := _times(archive, source, start, end).select(pl.col("@timestamp").max()).collect().item()
        ) is not None:
            found: datetime = latest
            return found
        end = start
    return None


def _rate(archive: Archive, source: str, now: datetime) -> float:
    events: int = _times(archive, source, now - DAY, now).select(pl.len()).collect().item()
    return events / (DAY / timedelta(hours=1))


def _skewed(archive: Archive, source: str, now: datetime) -> tuple[Skew, ...]:
    """Return the senders whose clocks were off in what came during the last day, however it is dated."""
    files = archive.files(source, now - 2 * DAY, now + 2 * DAY)
    files = sorted(files, key=lambda file: file.stat().st_mtime)[-NEWEST:]
    if not files:
        return ()
    rows = pl.scan_parquet(files, hive_partitioning=False, missing_columns="insert")
    if CAME not in (columns := rows.collect_schema().names()):
        return ()
    came = rows.filter(pl.col(CAME).is_between(now - DAY, now))
    return tuple(skews(came.select({"@timestamp", CAME, SENDER}.intersection(columns)).collect()))


def _times(archive: Archive, source: str, since: datetime, until: datetime) -> pl.LazyFrame:
    """Return the times of a source's records in a period; those that stand in two files count twice."""
    files = archive.files(source, since, until)
    if not files:
        return pl.LazyFrame(schema={"@timestamp": pl.Datetime("us", "UTC")})
    frame = pl.scan_parquet(files, hive_partitioning=False).select("@timestamp")
    return frame.filter(pl.col("@timestamp").is_between(since, until, closed="left"))
