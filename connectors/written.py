"""Values as people write them in YAML: times of day, zones."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import BeforeValidator


def known(name: str, names: Iterable[str], kind: str) -> str:
    """Return the name, which must be one of these.

    Raises:
        ValueError: with the nearest name when it isn't.
    """
    choices = sorted(names)
    if name in choices:
        return name
    near = get_close_matches(name, choices, 1, 0.5)
    raise ValueError(f"{name!r} is no {kind}" + (f"; did you mean {near[0]!r}?" if near else f"; known: {choices}"))


def known_zone(name: str) -> str:
    """Return the name of a time zone; raise ValueError with the nearest one when there is none of that name."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # listing them all takes long
        return known(name, available_timezones(), "time zone")


def _clock(value: object) -> object:
    """Take 22:00 for what it says: without quotes YAML reads it as a number, of minutes."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if not 0 <= value < 24 * 60:
        raise ValueError(f"{value // 60}:{value % 60:02d} is no time of day; write one from 0:00 to 23:59")
    return time(value // 60, value % 60)


Clock = Annotated[time, BeforeValidator(_clock)]
