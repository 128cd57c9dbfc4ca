"""How far ahead of UTC the zone is that stands behind a time, as machine code.

Z · UTC · ICT · +07 · +0700 · +07:00 · UTC+7 · GMT-03:30
"""

from __future__ import annotations

from typing import Final

from connectors.formats.clock import DAY, ahead, digits
from connectors.native import Bytes, compiled

UTC, GMT, ICT = (name[0] << 16 | name[1] << 8 | name[2] for name in (b"UTC", b"GMT", b"ICT"))
SEVEN: Final = 7 * 3600  # seconds that Indochina Time is ahead
BARE: Final = -DAY  # a time that has no zone


@compiled
def offset(data: Bytes, at: int, end: int) -> int:
    """Return the seconds that a zone is ahead of UTC; BARE where there is none, DAY where it is of another form."""
    if at < end and data[at] == 32:
        at += 1
        if at == end:
            return DAY
    left = end - at
    if left == 0:
        return BARE
    if left == 1 and data[at] == 90:
        return 0
    if left == 3:
        name = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
        if data[at] == 43 or data[at] == 45:
            return hours(data, at)
        return 0 if name in (UTC, GMT) else SEVEN if name == ICT else DAY
    if data[at] > 57:
        return relative(data, at, end)
    return ahead(data, at, end) if left == 5 or (left == 6 and data[at + 3] == 58) else DAY


@compiled
def hours(data: Bytes, at: int) -> int:
    """Return the seconds that `+07` is ahead, DAY where it is of another form."""
    ahead = digits(data, at + 1, 2)
    if not 0 <= ahead <= 23:
        return DAY
    return ahead * 3600 if data[at] == 43 else -ahead * 3600


@compiled
def relative(data: Bytes, at: int, end: int) -> int:
    """Return the seconds that `UTC+7` or `GMT-03:30` is ahead; DAY where it is of another form."""
    name = data[at] << 16 | data[at + 1] << 8 | data[at + 2] if end - at > 4 else 0
    if (name != UTC and name != GMT) or (data[at + 3] != 43 and data[at + 3] != 45):
        return DAY
    size = 2 if at + 5 < end and data[at + 5] != 58 else 1
    hours, minutes, left = digits(data, at + 4, size), 0, end - at - 4 - size
    if left == 3 and data[end - 3] == 58:
        minutes = digits(data, end - 2, 2)
    elif left:
        return DAY
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return DAY
    seconds = hours * 3600 + minutes * 60
    return seconds if data[at + 3] == 43 else -seconds
