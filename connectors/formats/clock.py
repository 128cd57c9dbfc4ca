"""Times in the usual form as instants, read as machine code where they stand in a log.

    2026-03-02T08:15:00Z · 2026-03-02T08:15:00.123456+07:00

`connectors.times` reads the same form, and all others.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from connectors.formats.hashing import Ints, Records
from connectors.formats.literals import TEXT
from connectors.native import Bytes, compiled

SHORTEST: Final = len("2026-03-02T08:15:00Z")
FIRST, BEYOND = 0, 7_258_118_400_000_000  # µs: 1970 and 2200, as in `connectors.times`
WRONG: Final = -1
DAY: Final = 86_400


@compiled
def instants(data: Bytes, values: Records, codes: Ints, found: npt.NDArray[np.int64]) -> bool:
    """Set the microseconds since 1970 of each row's value (0 where it has none); say whether all are such times."""
    for row in range(codes.size):
        found[row] = 0
        if codes[row] >= 0:
            value = values[codes[row]]
            if value.kind != TEXT:
                return False
            found[row] = instant(data, value.at, value.size)
            if found[row] == WRONG:
                return False
    return True


@compiled
def instant(data: Bytes, at: int, size: int) -> int:
    """Return the instant that a text spells; WRONG where it is none."""
    if size < SHORTEST or not (
        data[at + 4] == data[at + 7] == 45 and data[at + 10] == 84 and data[at + 13] == data[at + 16] == 58
    ):
        return WRONG
    year, month, day = digits(data, at, 4), digits(data, at + 5, 2), digits(data, at + 8, 2)
    hour, minute, second = digits(data, at + 11, 2), digits(data, at + 14, 2), digits(data, at + 17, 2)
    if min(year, hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return WRONG
    if not 1 <= month <= 12 or not 1 <= day <= length(year, month):
        return WRONG
    end, at = at + size, at + 19
    micros, at = fraction(data, at, end, comma=False)
    zone = offset(data, at, end)
    if zone == DAY:
        return WRONG
    whole = (days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - zone) * 1_000_000 + micros
    return whole if FIRST <= whole < BEYOND else WRONG


@compiled
def digits(data: Bytes, at: int, size: int) -> int:
    """Return the number that so many digits spell, negative where they aren't digits."""
    number = 0
    for place in range(at, at + size):
        if not 48 <= data[place] <= 57:
            return WRONG
        number = number * 10 + data[place] - 48
    return number


@compiled
def fraction(data: Bytes, at: int, end: int, comma: bool) -> tuple[int, int]:
    """Return the microseconds of a fraction of a second, 0 where there is none, and where it ends.

    It stands after a point, or after a `comma` too.
    """
    micros, scale = 0, 100_000
    if at + 1 < end and (data[at] == 46 or (comma and data[at] == 44)) and 48 <= data[at + 1] <= 57:
        at += 1
        while at < end and 48 <= data[at] <= 57:
            micros += (data[at] - 48) * scale
            scale //= 10
            at += 1
    return micros, at


@compiled
def offset(data: Bytes, at: int, end: int) -> int:
    """Return the seconds that a zone is ahead of UTC; DAY where it is none."""
    if end - at == 1 and data[at] == 90:
        return 0
    return ahead(data, at, end) if end - at == 6 and data[at + 3] == 58 else DAY


@compiled
def ahead(data: Bytes, at: int, end: int) -> int:
    """Return the seconds that a sign, two digits of hours and two of minutes at the end spell; DAY where they don't."""
    if data[at] != 43 and data[at] != 45:
        return DAY
    hours, minutes = digits(data, at + 1, 2), digits(data, end - 2, 2)
    if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
        return DAY
    seconds = hours * 3600 + minutes * 60
    return seconds if data[at] == 43 else -seconds


@compiled
def length(year: int, month: int) -> int:
    """Return how many days a month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 31 - (month - 1) % 7 % 2


@compiled
def days(year: int, month: int, day: int) -> int:
    """Return the days since 1970: years are counted from March, so that a leap day comes last."""
    year -= month <= 2
    past = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + past - 719_468
