"""Deletes what the archive has kept for longer than the source's definition says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.archive import Archive, Day
from connectors.definitions import Definition
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


def delete(archive: Archive, old: Expired) -> None:
    """Delete these days, the oldest first."""
    for day in old.days:
        archive.delete(old.source, day.day)
