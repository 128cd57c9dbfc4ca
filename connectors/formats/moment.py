"""The times that logs write most, as machine code: what `connectors.times` reads with patterns, byte by byte.

    2026-03-02T08:15:00.123+07:00 · 2026-03-02 08:15:00,123 · 2026/03/02 08:15:00 · 02/Mar/2026:08:15:00 +0700
    2026-03-02 08:15:00 +07 · Mar  2 08:15:00 · Mon Mar 02 08:15:00.123456 2026 · 2026 Mar  2 08:15:00 ICT
    Mar  2 2026 08:15:00 UTC+7 · 03/02-08:15:00.123456 · 3/2/2026 8:15:00 AM · 1765080307.123

Only what is written by the letter is read; anything else is left to the patterns.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from connectors.formats.clock import DAY, days, digits, fraction, length
from connectors.formats.offsets import BARE, offset
from connectors.native import Bytes, compiled

Ints = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.uint8]

# what a text is: unknown here, an instant, a local time with its year, one without, and an instant but for its year
OTHER, INSTANT, LOCAL, YEARLESS, ZONED = range(5)
JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC = (
    name[0] << 16 | name[1] << 8 | name[2]
    for name in (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
)
SECOND: Final = 1_000_000  # microseconds
NONE: Final = -1


@compiled
def read(data: Bytes, starts: Ints, ends: Ints, year: int, found: Ints, kinds: Kinds) -> None:
    """Set per text the microseconds since 1970 and what they are; a time without a year is in this one."""
    for row in range(starts.size):
        at, end = starts[row], ends[row]
        if end - at < 10:
            kinds[row], found[row] = OTHER, 0
        else:
            kinds[row], found[row] = moment(data, at, end, year)


@compiled
def moment(data: Bytes, at: int, end: int, year: int) -> tuple[int, int]:
    """Return what a text of ten bytes or more is, and its microseconds."""
    if not 48 <= data[at] <= 57:
        return named(data, at, end, year)
    if data[at + 1] == 47 or data[at + 2] == 47:
        return parted(data, at, end, year)
    if data[at + 4] == 45 or data[at + 4] == 47:
        return dated(data, at, end)
    if data[at + 4] == 32:
        return led(data, at, end)
    return epoch(data, at, end)


@compiled
def dated(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read `2026-03-02 08:15:00,123 +07:00`: with `T` or a blank, with a fraction, with a zone, or without."""
    if end - at < 19 or data[at + 7] != data[at + 4] or not (data[at + 10] == 84 or data[at + 10] == 32):
        return OTHER, 0
    day = date(digits(data, at, 4), digits(data, at + 5, 2), digits(data, at + 8, 2))
    time = clock(data, at + 11)
    if day == NONE or time == NONE:
        return OTHER, 0
    return zoned(data, at + 19, end, day * DAY + time)


@compiled
def parted(data: Bytes, at: int, end: int, year: int) -> tuple[int, int]:
    """Read what has a slash after the day or the month."""
    if data[at + 2] == 47 and data[at + 6] == 47:
        return common(data, at, end)
    kind, micros = OTHER, 0
    if data[at + 2] == 47 and (data[at + 5] == 45 or data[at + 5] == 47):
        kind, micros = slashed(data, at, end, year)
    return halved(data, at, end) if kind == OTHER else (kind, micros)


@compiled
def common(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read `02/Mar/2026:08:15:00 +0700`."""
    if end - at != 26 or data[at + 11] != 58 or data[at + 20] != 32:
        return OTHER, 0
    day = date(digits(data, at + 7, 4), month(data, at + 3), digits(data, at, 2))
    time = clock(data, at + 12)
    if day == NONE or time == NONE:
        return OTHER, 0
    return zoned(data, at + 20, end, day * DAY + time)


@compiled
def led(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read `2026 Mar  2 08:15:00.123 ICT`."""
    year = digits(data, at, 4)
    if year < 1970 or end - at < 19:
        return OTHER, 0
    kind, micros = named(data, at + 5, end, year)
    if kind == YEARLESS and micros != NONE:
        return LOCAL, micros
    return (INSTANT, micros) if kind == ZONED else (OTHER, 0)


@compiled
def slashed(data: Bytes, at: int, end: int, year: int) -> tuple[int, int]:
    """Read `03/02-08:15:00.123456`, or with the year after the day, of which the century may be left out."""
    kind, number, day = YEARLESS, digits(data, at, 2), digits(data, at + 3, 2)
    at += 5
    if data[at] == 47:
        size = 2 if data[at + 3] == 45 else 4
        if end - at <= size:
            return OTHER, 0
        kind, year, at = LOCAL, digits(data, at + 1, size), at + 1 + size
        year += 2000 if size == 2 else 0
    if end - at < 9 or data[at] != 45:
        return OTHER, 0
    time = clock(data, at + 1)
    micros, last = fraction(data, at + 9, end, comma=False)
    if last != end or time == NONE or year < 1970 or not 1 <= number <= 12 or day < 1:
        return OTHER, 0
    if day > length(year, number):
        return (YEARLESS, NONE) if kind == YEARLESS and number == 2 and day == 29 else (OTHER, 0)
    return kind, (days(year, number, day) * DAY + time) * SECOND + micros


@compiled
def halved(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read `3/2/2026, 8:15:00.5 AM +07:00`, the month first; the fraction counts nothing."""
    if end - at < 19:
        return OTHER, 0
    size = 1 if data[at + 1] == 47 else 2
    number, at = digits(data, at, size), at + size
    size = 1 if data[at + 2] == 47 else 2
    if data[at] != 47 or data[at + 1 + size] != 47:
        return OTHER, 0
    day, year, at = digits(data, at + 1, size), digits(data, at + 2 + size, 4), at + 6 + size
    at += data[at] == 44
    size = 1 if data[at + 2] == 58 else 2
    if end - at < 10 + size or data[at] != 32 or data[at + 1 + size] != 58 or data[at + 4 + size] != 58:
        return OTHER, 0
    hour, minute = digits(data, at + 1, size), digits(data, at + 2 + size, 2)
    second = digits(data, at + 5 + size, 2)
    _, at = fraction(data, at + 7 + size, end, comma=False)
    if end - at < 3 or data[at] != 32 or data[at + 2] != 77 or not (data[at + 1] == 65 or data[at + 1] == 80):
        return OTHER, 0
    when = date(year, number, day)
    if when == NONE or not 1 <= hour <= 12 or not 0 <= minute <= 59 or not 0 <= second <= 59:
        return OTHER, 0
    seconds = when * DAY + (hour % 12 + (12 if data[at + 1] == 80 else 0)) * 3600 + minute * 60 + second
    at += 3
    if at == end:
        return LOCAL, seconds * SECOND
    zone = offset(data, at, end) if data[at] == 32 else DAY
    return (OTHER, 0) if zone == DAY else (INSTANT, (seconds - zone) * SECOND)


@compiled
def named(data: Bytes, at: int, end: int, year: int) -> tuple[int, int]:
    """Read `Mon Mar 02 2026 08:15:00.123 2026 +0700`: the year at either place or none, the zone or none."""
    kind = YEARLESS
    if data[at + 3] != 32:
        return OTHER, 0
    if not 48 <= data[at + 4] <= 57 and data[at + 4] != 32:  # a day of the week
        if not letters(data, at):
            return OTHER, 0
        at += 4
    if end - at < 14 or data[at + 3] != 32:
        return OTHER, 0
    number, at = month(data, at), at + 4
    if data[at] == 32:
        at += 1
    size = 2 if 48 <= data[at + 1] <= 57 else 1
    day, at = digits(data, at, size), at + size
    if end - at >= 14 and data[at] == 32 and data[at + 5] == 32:
        kind, year, at = LOCAL, digits(data, at + 1, 4), at + 5
    if end - at < 9 or data[at] != 32:
        return OTHER, 0
    time, at = clock(data, at + 1), at + 9
    if at < end and data[at] != 46 and data[at] != 32:
        return OTHER, 0
    micros, at = fraction(data, at, end, comma=True)
    if end - at >= 5 and data[at] == 32 and 48 <= data[at + 1] <= 57:
        if kind == LOCAL:
            return OTHER, 0
        kind, year, at = LOCAL, digits(data, at + 1, 4), at + 5
    if number == NONE or day < 1 or time == NONE or year < 1:
        return OTHER, 0
    if day > length(year, number):
        return (YEARLESS, NONE) if kind == YEARLESS and number == 2 and day == 29 else (OTHER, 0)
    zone = offset(data, at, end)
    if zone == DAY or (at < end and data[at] != 32):
        return OTHER, 0
    micros += (days(year, number, day) * DAY + time) * SECOND
    if kind == YEARLESS:
        return (YEARLESS, micros) if zone == BARE else (ZONED, micros - zone * SECOND)
    return (LOCAL, micros) if zone == BARE else (INSTANT, micros - zone * SECOND)


@compiled
def epoch(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Read `1765080307.123`, or as many milliseconds or microseconds."""
    place, number = at, 0
    while place < end and 48 <= data[place] <= 57 and place - at < 17:
        number = number * 10 + data[place] - 48
        place += 1
    size = place - at
    micros, last = fraction(data, place, end, comma=True)
    if size < 9 or last != end or (last > place and (size > 11 or data[place] == 44)):
        return OTHER, 0
    if size <= 11:
        return INSTANT, number * SECOND + micros
    return INSTANT, number * 1000 if size <= 14 else number


@compiled
def zoned(data: Bytes, at: int, end: int, seconds: int) -> tuple[int, int]:
    """Add what follows the seconds: a fraction, a zone."""
    micros, at = fraction(data, at, end, comma=True)
    zone = offset(data, at, end)
    if zone == DAY:
        return OTHER, 0
    if zone == BARE:
        return LOCAL, seconds * SECOND + micros
    return INSTANT, (seconds - zone) * SECOND + micros


@compiled
def clock(data: Bytes, at: int) -> int:
    """Return the seconds of `08:15:00`, NONE where it is no time of day."""
    if data[at + 2] != 58 or data[at + 5] != 58:
        return NONE
    hour, minute, second = digits(data, at, 2), digits(data, at + 3, 2), digits(data, at + 6, 2)
    if min(hour, minute, second) < 0 or hour > 23 or minute > 59 or second > 59:
        return NONE
    return hour * 3600 + minute * 60 + second


@compiled
def date(year: int, number: int, day: int) -> int:
    """Return the days since 1970, NONE where there is no such day, or none before 1970."""
    if year < 1970 or not 1 <= number <= 12 or not 1 <= day <= length(year, number):
        return NONE
    return days(year, number, day)


@compiled
def letters(data: Bytes, at: int) -> bool:
    """Say whether `Mon` stands here, or what looks like it."""
    return bool(65 <= data[at] <= 90 and 97 <= data[at + 1] <= 122 and 97 <= data[at + 2] <= 122)


@compiled
def month(data: Bytes, at: int) -> int:
    """Return the number of the month whose abbreviation stands here."""
    name = data[at] << 16 | data[at + 1] << 8 | data[at + 2]
    number = NONE
    if name == JAN:
        number = 1
    elif name == FEB:
        number = 2
    elif name == MAR:
        number = 3
    elif name == APR:
        number = 4
    elif name == MAY:
        number = 5
    elif name == JUN:
        number = 6
    elif name == JUL:
        number = 7
    elif name == AUG:
        number = 8
    elif name == SEP:
        number = 9
    elif name == OCT:
        number = 10
    elif name == NOV:
        number = 11
    elif name == DEC:
        number = 12
    return number
