"""The demo through real servers: simulated lines into Kafka, findings out of Elasticsearch, and their score."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from connectors.archive import Archive
from connectors.simulator import Province, read_truth, score, write
from detectors.errors import UsageError
from flows import demoservers, settings
from flows.judging import with_lines
from flows.playing import playing
from flows.settings import Settings
from tests.connectors.simulator.conftest import village  # noqa: F401  a fixture
from tests.integration.servers import Elasticsearch, Kafka

pytestmark = pytest.mark.integration
ATTACKS = ("curious-nurse", "moved-figures")


@pytest.fixture
def servers(elasticsearch_server: Elasticsearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    kafka = Kafka()
    kafka.start()
    config = tmp_path / "soc.yml"
    config.write_text(
        yaml.safe_dump(
            {
                "kafka": {"servers": [kafka.address]},
                "elastic": {"url": elasticsearch_server.url, "username": "admin", "ca": str(elasticsearch_server.ca)},
            }
        )
    )
    monkeypatch.setenv("SOC_ELASTIC__PASSWORD", elasticsearch_server.passwords["admin"])
    try:
        yield settings.load(config)
    finally:
        kafka.remove()


def test_attacks_are_found_through_kafka_and_elasticsearch(
    servers: Settings,
    village: Province,  # noqa: F811  the fixture
    tmp_path: Path,
) -> None:
    demoservers.ready(servers)
    with playing(None, servers) as send:
        done = write(tmp_path / "logs", 5, date(2026, 3, 9), 1, spec=village, scenarios=ATTACKS, send=send)
    ran = demoservers.detect(tmp_path, servers)
    assert ran.statistics.events == sum(done.lines.values())
    findings, matches = demoservers.found(servers)
    judged = score(
        read_truth(done.truth), with_lines(matches, Archive(tmp_path / "archive"), findings, ran.parts.rules)
    )
    assert judged.attacks.select("attack", "found").sort("attack").rows() == [(name, True) for name in ATTACKS]
    assert findings.filter(pl.col("soc.decisions").is_null()).is_empty()
    with pytest.raises(UsageError, match="hold records already"):  # nor would real logs be mixed with simulated ones
        demoservers.ready(servers)


def test_servers_that_are_not_named_are_asked_for() -> None:
    with pytest.raises(UsageError, match=r"kafka\.servers"):
        demoservers.ready(Settings())
