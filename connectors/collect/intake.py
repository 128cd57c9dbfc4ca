"""What the inputs of the network share: where lines go, who may send, and what is told of those who may not."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from typing import Final

from connectors.collect.gathering import Gathering
from connectors.collect.happenings import Happenings
from connectors.collect.limit import RateLimit
from connectors.collect.senders import Senders

LONGEST: Final = 256 << 10  # bytes of one message
HANDSHAKE: Final = 10.0  # seconds for TLS


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Intake:
    """One input of the network."""

    place: str  # "syslog tcp 0.0.0.0:514"
    address: Address
    senders: Senders
    limit: RateLimit
    gathering: Gathering
    happenings: Happenings
    secure: ssl.SSLContext | None = None
    longest: int = LONGEST
    connections: int = 10_000  # at once
    of_one: int = 64  # connections of one address at once
    patience: float = 30.0  # seconds a message may take to arrive
    counts: dict[str, int] = field(default_factory=dict)  # what became of lines that were not taken

    def note(self, action: str, message: str, sender: str = "", count: int = 1) -> None:
        """Count something that happened here."""
        self.counts[action] = self.counts.get(action, 0) + count
        self.happenings.note(action, self.place, message, sender=sender, count=count, now=time.monotonic())

    def source(self, sender: str) -> str | None:
        """Return the source of a sender's lines; tell of one that has none here."""
        source = self.senders.source(sender)
        if source is None:
            self.note("sender_refused", "a sender outside the networks that may send here", sender)
        return source
