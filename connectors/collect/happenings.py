"""What the collector itself has to tell: events of the source `collector`, as JSON lines.

    {"time": "2026-03-02T01:15:00.000+00:00", "host": "col01", "action": "rate_limited",
     "input": "syslog udp 0.0.0.0:514", "sender": "192.0.2.7", "count": 12000, "message": "…"}

A flood of happenings must not become a flood of events: those of one action, input and sender are told once a minute,
with their number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

SOURCE: Final = "collector"
EVERY: Final = 60.0  # seconds
KINDS: Final = 10_000  # of happenings held at once; those beyond are counted under no sender

Key = tuple[str, str, str]  # action, input, sender


@dataclass(slots=True)
class _Held:
    message: str
    count: int
    told: float  # when it was last told of


class Happenings:
    """Counts what happened and writes one line a minute of each kind; the first of a kind is told at once."""

    def __init__(self, host: str, write: Callable[[list[bytes]], object]) -> None:
        self._host, self._write = host, write
        self._held: dict[Key, _Held] = {}

    def note(self, action: str, place: str, message: str, *, sender: str = "", count: int = 1, now: float) -> None:
        """Count something that happened at an input."""
        key = (action, place, sender)
        if key not in self._held and len(self._held) >= KINDS:
            key = (action, place, "")
        held = self._held.setdefault(key, _Held(message, 0, now - EVERY))
        held.count += count
        if now - held.told >= EVERY:
            self._tell(key, held, now)

    def tell(self, now: float, *, last: bool = False) -> None:
        """Tell what is due, or with `last` all that wasn't told; forget what has been quiet for long."""
        for key, held in list(self._held.items()):
            if held.count and (last or now - held.told >= EVERY):
                self._tell(key, held, now)
            elif not held.count and now - held.told >= 10 * EVERY:
                del self._held[key]

    def _tell(self, key: Key, held: _Held, now: float) -> None:
        action, place, sender = key
        event = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "host": self._host,
            "action": action,
            "input": place,
            **({"sender": sender} if sender else {}),
            "count": held.count,
            "message": held.message,
        }
        held.count, held.told = 0, now
        self._write([orjson.dumps(event)])
