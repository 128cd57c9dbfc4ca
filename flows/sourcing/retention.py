"""Deletes what the archive has kept for longer than the source's definition says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.archive import Archive, Day
from connectors.definition import Definition
from connectors.spans import span


@dataclass(frozen=True, slots=True)
class Expired:
    """Days of a source that are to be deleted, in order."""

    source: str
    retention: str
    days: tuple[Day, ...]


def expired(archive: Archive, definitions: Mapping[str, Definition], now: datetime) -> Iterator[Expired]:
    """Yield what is older than its retention: days that had ended so long ago. Unknown sources keep everything."""
    for source in archive.sources():
        if source in definitions:
            retention = definitions[source].retention
            oldest = (now - span(retention)).date()
            if days := tuple(day for day in archive.days(source) if day.day < oldest):
                yield Expired(source, retention, days)


def clean(archive: Archive, definitions: Mapping[str, Definition], now: datetime, *, remove: bool) -> Iterator[Expired]:
    """Yield what is older than its retention; with `remove` it is deleted when it is yielded."""
    for old in expired(archive, definitions, now):
        if remove:
            delete(archive, old)
        yield old


def words(old: Expired, *, deleted: bool) -> str:
    """Say what is older than it should be, or was."""
    size = sum(day.bytes for day in old.days) / 1e6
    word = "deleted" if deleted else "to delete"
    return (
        f"{word}: {old.source}, {len(old.days)} days from {old.days[0].day} to {old.days[-1].day}, {size:,.1f} MB "
        f"(kept for {old.retention})"
    )


def delete(archive: Archive, old: Expired) -> None:
    """Delete these days, the oldest first."""
    for day in old.days:
        archive.delete(old.source, day.day)
