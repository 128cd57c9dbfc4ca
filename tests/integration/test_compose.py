"""docker-compose.yml without Docker: what it tells the broker, told to a real one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.kafka import Connection, DeadLetters, KafkaSource, KafkaWriter
from detectors.errors import UnavailableError
from tests.integration.certificates import PASSWORD, certify
from tests.integration.conftest import running
from tests.integration.servers import Kafka, free_port

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


class Secure(Kafka):
    """The broker of docker-compose.yml, but for its ports and folders."""

    def properties(self, port: int, controller: int) -> str:
        self.ca = certify(self.home)
        text: str = COMPOSE["configs"]["kafka"]["content"]
        places = {
            r"\$\{KEYSTORE_PASSWORD[^}]*\}": PASSWORD,
            "/certs/kafka.p12": str(self.home / "server.p12"),
            "/var/lib/kafka/data": str(self.home / "data"),
            ":9092": f":{port}",
            ":9093": f":{controller}",
            ":9094": f":{free_port()}",
            ":9095": f":{free_port()}",
        }
        for there, here in places.items():
            text = re.sub(there, here, text)
        return text

    def formatting(self) -> list[str]:
        return ["--ignore-formatted", "--add-scram", "SCRAM-SHA-512=[name=soc,password=right]"]


@pytest.fixture(scope="module")
def broker() -> Iterator[Secure]:
    yield from running(Secure)


def test_the_broker_speaks_tls_with_those_it_knows(broker: Secure) -> None:
    connection = Connection((broker.address,), "soc", "right", ca=broker.ca, patience=15)
    dead = DeadLetters(connection)
    writer = KafkaWriter(connection, dead)
    writer.send("compose", ["a"], "o")
    writer.close()
    member = KafkaSource(connection, ["compose"], group="g", dead=dead, bounded=True, seconds=30)
    assert [line for batch in member.batches() for line in batch.records["event.original"]] == ["a"]
    member.close()
    dead.close()


@pytest.mark.parametrize(
    ("user", "password", "trusted"), [("soc", "wrong", True), ("", "", True), ("soc", "right", False)]
)
def test_the_broker_refuses_everybody_else(broker: Secure, user: str, password: str, *, trusted: bool) -> None:
    connection = Connection((broker.address,), user, password, ca=broker.ca if trusted else None, patience=3)
    with pytest.raises(UnavailableError, match=broker.address):
        DeadLetters(connection)


def test_every_secret_comes_from_the_environment_and_has_an_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text("utf-8")))
    given = set(re.findall(r"^(\w+)=", (ROOT / "env.example").read_text("utf-8"), re.MULTILINE))
    assert asked - given == set()
    assert "ELASTIC_PASSWORD" in asked


def test_ports_are_on_the_loopback_interface_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
