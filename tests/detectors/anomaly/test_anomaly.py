"""What is handed on of an anomaly."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from detectors.anomaly.anomaly import Anomaly, document
from detectors.anomaly.parts import Words

START = datetime(2026, 4, 2, tzinfo=timezone(timedelta(hours=7)))
ONE = Anomaly(
    "anomaly.traffic.beacons", "beacon", Words(en="Beat", vi="Nhịp"), Words(en="Look", vi="Xem"), "medium", (), "squid",
    "source.ip", "10.0.0.7", START, START + timedelta(days=1), Words(en="each hour", vi="mỗi giờ"),
    where={"destination.ip": "192.0.2.9"},
)  # fmt: skip


@pytest.mark.parametrize("entity", ["10.0.0.7", "lan'; rm -rf ~ #", "$(id)", "a b", "Trần Lan"])
def test_the_command_hands_the_shell_nothing_but_words(entity: str) -> None:
    command = document(replace(ONE, entity=entity))["command"]
    assert shlex.split(command) == [
        "soc", "hunt", "--where", f"source.ip={entity}", "--where", "destination.ip=192.0.2.9",
        "--since", "2026-04-01T17:00:00Z", "--until", "2026-04-02T17:00:00Z",
    ]  # fmt: skip


def test_there_is_no_command_for_what_no_event_has_or_no_terminal_shows() -> None:
    assert replace(ONE, column="soc.source", where={}).command is None
    assert replace(ONE, entity="lan\x1b[2J").command is None


def test_the_query_asks_for_the_entity_in_its_window() -> None:
    *terms, period = ONE.query["bool"]["filter"]
    assert terms == [{"term": {"source.ip": "10.0.0.7"}}, {"term": {"destination.ip": "192.0.2.9"}}]
    span = period["range"]["@timestamp"]
    assert datetime.fromisoformat(span["gte"]) == START
    assert datetime.fromisoformat(span["lt"]) == datetime(2026, 4, 2, 17, tzinfo=UTC)
