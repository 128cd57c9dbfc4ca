from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kafka import Connection

HERE = ("kafka:9092",)


@pytest.mark.parametrize(
    ("connection", "protocol"),
    [
        (Connection(HERE), "PLAINTEXT"),
        (Connection(HERE, ca=Path("ca.pem")), "SSL"),
        (Connection(HERE, user="u", password="p"), "SASL_PLAINTEXT"),
        (Connection(HERE, user="u", password="p", ca=Path("ca.pem")), "SASL_SSL"),
    ],
)
def test_user_and_certificate_authority_choose_the_protocol(connection: Connection, protocol: str) -> None:
    options = connection.options()
    assert options["security_protocol"] == protocol
    assert ("sasl_plain_username" in options) == bool(connection.user)
    assert options.get("ssl_cafile") == (str(connection.ca) if connection.ca else None)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Connection(HERE, user="u", password="secret"))
