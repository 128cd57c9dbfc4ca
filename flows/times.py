"""Times for people: in a zone, whatever year a log claims."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final

FORM: Final = "%d/%m/%Y %H:%M"


def local(time: datetime, zone: tzinfo) -> datetime:
    """Return a time in a zone; the outermost hours of the calendar exist in UTC only."""
    try:
        return time.astimezone(zone)
    except OverflowError:
        return time.astimezone(UTC)


def shown(time: datetime | None, zone: tzinfo, form: str = FORM) -> str:
    """Return a time in words; one that isn't known is a dash."""
    return "—" if time is None else local(time, zone).strftime(form)
