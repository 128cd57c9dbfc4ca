"""From the spool to Kafka, in a thread of its own, in order; what Kafka has is forgotten here.

While Kafka is away everything waits in the spool. What was sent and not yet noted as sent when the collector dies is
sent again, with the same names: the pipeline takes it for the same events.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from connectors.collect.spool import Position, Spool
from detectors.errors import UnavailableError

AT_ONCE: Final = 8 << 20  # bytes sent before the brokers' word is waited for
REST: Final = 0.2  # seconds between two looks into an empty spool
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0  # seconds between attempts while Kafka is away


class Wire(Protocol):
    """A connection to the brokers (`connectors.kafka.writer.Outbox`)."""

    def put(self, topic: str, value: bytes, key: str, headers: dict[str, str], received: int | None = None) -> None: ...

    def flush(self) -> None: ...

    def abandon(self) -> None: ...


class Shipping:
    """Sends until stopped; `trouble` tells why Kafka can't be written, and is None while it can."""

    def __init__(self, spool: Spool, connect: Callable[[], Wire], say: Callable[[str], object]) -> None:
        self.trouble: UnavailableError | None = None
        self.sent = 0  # records
        self._spool, self._connect, self._say = spool, connect, say
        self._wire: Wire | None = None
        self._after: Position | None = None
        self._deadline: float | None = None
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shipping", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self, patience: float) -> None:
        """Send what is there, but for no longer than `patience` seconds and not while Kafka is away; then return."""
        self._deadline = time.monotonic() + patience
        self._wake.set()
        self._thread.join(patience + 5.0)

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                idle = not self._ship()
                self._recovered()
                pause = FIRST_PAUSE
                if idle and self._deadline is not None:
                    break
                if idle:
                    self._wake.wait(REST)
            except UnavailableError as error:
                self._lost(error)
                self._wake.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                if self._deadline is not None:
                    break
            if self._deadline is not None and time.monotonic() > self._deadline:
                break
        self._hang_up()

    def _ship(self) -> bool:
        """Send some blocks; say whether there were any. What was sent counts only when the brokers have said so."""
        wire = self._wire = self._wire or self._connect()
        size, after, records = 0, None, 0
        for taken in self._spool.read(self._after):
            for each in taken.block.records:
                wire.put(each.topic, each.value, each.key, dict(each.headers), each.received)
                size += len(each.value)
            after, records = taken.after, records + len(taken.block.records)
            if size >= AT_ONCE:
                break
        if after is None:
            return False
        wire.flush()
        self._spool.acknowledge(after)
        self._after, self.sent = after, self.sent + records
        return True

    def _lost(self, error: UnavailableError) -> None:
        if self.trouble is None:
            self._say(f"Kafka is away, lines wait in the spool: {error}")
        self.trouble, self._after = error, None
        self._hang_up()

    def _recovered(self) -> None:
        if self.trouble is not None:
            self._say("Kafka is back")
        self.trouble = None

    def _hang_up(self) -> None:
        """Let the connection go; after an error it may never be right again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abandon()
