"""A server that is down costs time, nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

from connectors.kafka.source import KafkaSource
from detectors.contracts import Source
from detectors.errors import UnavailableError
from flows.terminal import plain

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds between attempts while a server is down
BEAT = 2.0  # seconds between heartbeats while waiting


def patiently(work: Callable[[], object], source: Source | None, say: Callable[[str], object]) -> None:
    """Do some work, again and again while a server is down; a consumer of Kafka stays in its group meanwhile."""
    pause = FIRST_PAUSE
    while True:
        try:
            work()
        except UnavailableError as error:
            say(f"waiting {pause:.0f} s: {plain(str(error))}")
            _wait(pause, source)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            return


def _wait(pause: float, source: Source | None) -> None:
    until = time.monotonic() + pause
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, BEAT))
        if isinstance(source, KafkaSource):
            try:
                source.heartbeat()
            except UnavailableError:
                continue  # Kafka is down as well: the group will deal the partitions anew
