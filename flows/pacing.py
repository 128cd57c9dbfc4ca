"""Lines at the pace of their times: an hour of a simulation takes an hour, or so much less."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Timed(Protocol):
    """What happens at a time."""

    @property
    def at(self) -> datetime: ...


def paced(
    speed: float, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
) -> Callable[[Timed], None]:
    """Return what waits until the time of a line has come, `speed` simulated seconds to a real one.

    The first line comes at once. Late lines don't wait: a slow receiver slows the pace, and loses none.
    """
    begun: list[tuple[datetime, float]] = []

    def wait(line: Timed) -> None:
        if not begun:
            begun.append((line.at, clock()))
        first, start = begun[0]
        left = (line.at - first).total_seconds() / speed - (clock() - start)
        if left > 0:
            sleep(left)

    return wait
