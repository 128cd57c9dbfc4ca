"""A collector's parts on a spool of this test, and real sockets to send to them."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest

from connectors.collect.gathering import Gathering
from connectors.collect.happenings import Happenings
from connectors.collect.intake import LONGEST, Address, Intake
from connectors.collect.limit import RateLimit
from connectors.collect.numbers import Numbers
from connectors.collect.senders import Senders
from connectors.collect.spool import Spool
from connectors.envelope import Envelope, unpack


def untouched(_source: str, lines: Sequence[str]) -> Sequence[str]:
    return lines


@dataclass
class Parts:
    """What inputs work with."""

    spool: Spool
    gathering: Gathering
    told: list[dict[str, object]] = field(default_factory=list)

    def intake(
        self,
        *,
        rate: float = 0,
        burst: float = 0,
        senders: dict[str, str] | None = None,
        otherwise: str | None = "syslog",
        secure: ssl.SSLContext | None = None,
        longest: int = LONGEST,
        connections: int = 10_000,
        of_one: int = 10_000,
        patience: float = 30.0,
    ) -> Intake:
        """Return an input on a free port."""
        networks = {ip_network(network): source for network, source in (senders or {}).items()}
        return Intake(
            place="test",
            address=Address("127.0.0.1", 0),
            senders=Senders(networks, otherwise),
            limit=RateLimit(rate, burst),
            gathering=self.gathering,
            happenings=Happenings("col01", lambda lines: self.told.extend(orjson.loads(line) for line in lines)),
            secure=secure,
            longest=longest,
            connections=connections,
            of_one=of_one,
            patience=patience,
        )

    def envelopes(self) -> list[tuple[str, Envelope]]:
        """Return what stands in the spool: topics and envelopes."""
        self.gathering.write()
        return [
            (each.topic, unpack(each.value))
            for taken in self.spool.read()
            for each in taken.block.records
            if each.topic != "soc.dead"
        ]

    def lines(self) -> list[str]:
        return [line for _, envelope in self.envelopes() for line in envelope.lines]

    def actions(self) -> set[object]:
        return {each["action"] for each in self.told}


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    spool = Spool(tmp_path / "spool", 64 << 20, lambda fault: pytest.fail(str(fault)))
    return Parts(spool, Gathering(spool, Numbers(), untouched, "col01"))
