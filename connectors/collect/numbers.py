"""Names of envelopes, each given once: 41 bits of milliseconds, 10 of the collector, 12 of a count (Snowflake).

They grow with time, so the archive's files stay in order. Two collectors with equal 10 bits would have to name an
envelope in the same millisecond, for the same partition, with equal text in it, to be taken for one.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

BEGIN: Final = 1_735_689_600_000  # 2025-01-01 in milliseconds since 1970: 41 bits last until 2094
COLLECTORS: Final = 1 << 10
COUNTS: Final = 1 << 12


class Numbers:
    """Gives names; one object for each collector, which draws its 10 bits."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._collector = clock, secrets.randbelow(COLLECTORS)
        self._last = 0  # milliseconds and count in one number

    def next(self) -> int:
        """Return a name above all that were given, also when the clock is set back."""
        now = max(0, int(self._clock() * 1000) - BEGIN) * COUNTS
        self._last = max(now, self._last + 1)
        milliseconds, count = divmod(self._last, COUNTS)
        return (milliseconds * COLLECTORS + self._collector) * COUNTS + count
