"""How to reach the brokers, and what their errors mean here."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kafka.errors import KafkaError

from detectors.errors import UnavailableError

RAW = "soc.raw."  # and the name of the source
DEAD_TOPIC = "soc.dead"


@dataclass(frozen=True, slots=True)
class Connection:
    """Brokers, user and certificate authority. With `ca` the wire is TLS, with `user` the broker asks who it is."""

    servers: tuple[str, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    mechanism: str = "SCRAM-SHA-512"
    ca: Path | None = None
    patience: float = 30.0  # seconds to wait for an answer

    @property
    def milliseconds(self) -> int:
        """The patience in the unit the client counts in."""
        return int(self.patience * 1000)

    def options(self) -> dict[str, object]:
        """Return the settings that consumer, producer and admin client share."""
        options: dict[str, object] = {
            "bootstrap_servers": list(self.servers),
            "bootstrap_timeout_ms": self.milliseconds,
            "request_timeout_ms": self.milliseconds,
            "security_protocol": self._protocol(),
        }
        if self.user:
            options |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        if self.ca:
            options["ssl_cafile"] = str(self.ca)
        return options

    def _protocol(self) -> str:
        if self.user:
            return "SASL_SSL" if self.ca else "SASL_PLAINTEXT"
        return "SSL" if self.ca else "PLAINTEXT"

    @contextlib.contextmanager
    def reaching(self, what: str) -> Iterator[None]:
        """Turn the client's errors into UnavailableError: `what` can't be done now, but may be done later."""
        try:
            yield
        except KafkaError as error:
            raise UnavailableError(
                f"Kafka at {', '.join(self.servers)} can't {what}: {error}",
                fix="check that the broker runs, address, user and certificate are right, and `soc setup` was run",
            ) from error
