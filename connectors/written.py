"""Values as people write them in YAML: times of day, zones, addresses of servers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import time
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator

from detectors.nearest import nearest


def known(name: str, names: Iterable[str], kind: str) -> str:
    """Return the name, which must be one of these.

    Raises:
        ValueError: with the nearest name when it isn't.
    """
    choices = sorted(names)
    if name in choices:
        return name
    raise ValueError(f"{name!r} is no {kind}; {nearest(name, choices)}")


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


def _url(text: str) -> str:
    """Return the address of a server, "" for none; what stands before an `@` is never told."""
    if text and not _parts(text).hostname:
        near = re.sub(r":[^\d\]][^\]]*$", ":9200", text.rpartition("@")[2].rpartition("://")[2].strip("/ ")) or "host"
        raise ValueError(f"{near!r} is no address that begins with https:// or http://; write https://{near}")
    return text


def _server(text: str) -> str:
    """Return the address of a server with its port."""
    if _url(text) and _parts(text).port is None:
        parts = _parts(text)
        raise ValueError(f"the address of {parts.hostname} lacks a port; write {parts.scheme}://{parts.hostname}:9200")
    return text


def _parts(text: str) -> SplitResult:
    """Split an address; into nothing where it is none."""
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"https", "http"} and parts.port != 0  # asking for a port that is none raises
    except ValueError:
        known = False
    return parts if known else urlsplit("")


Url = Annotated[str, AfterValidator(_url)]
ServerUrl = Annotated[str, AfterValidator(_server)]
