"""Spans of time as definitions write them: `30m`, `2h`, `90d`, `52w`, `5y`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=366),  # the longest: nothing is deleted before its time
}


def span(text: str) -> timedelta:
    """Return how long a span is."""
    return int(text[:-1]) * UNITS[text[-1]]
