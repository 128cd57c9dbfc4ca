"""The servers the integration tests share, one of each per session."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import TypeVar

import pytest

from tests.integration.artifacts import MissingError
from tests.integration.servers import Elasticsearch, Kafka, Server, free_port

One = TypeVar("One", bound=Server)


@pytest.fixture(scope="session")
def kafka_server() -> Iterator[Kafka]:
    """A running broker; tests use topics and groups of their own names."""
    yield from running(Kafka)


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[Elasticsearch]:
    """A running node; a test that stops it starts it again."""
    yield from running(Elasticsearch)


def running(kind: type[One]) -> Iterator[One]:
    """Start a server for the session. What is missing skips the tests on a desk and fails them in CI."""
    try:
        server = kind()
    except MissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"{missing}; CI must run the integration tests", pytrace=False)
        pytest.skip(str(missing))
    signal.signal(signal.SIGTERM, terminated)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def terminated(*_: object) -> None:
    """End the session in good order when it is told to stop, or its servers would outlive it."""
    pytest.exit("terminated", returncode=143)


@pytest.fixture
def free_port_address() -> str:
    """Return an address nobody listens on."""
    return f"127.0.0.1:{free_port()}"
