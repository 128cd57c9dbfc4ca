"""The whole way on real servers: raw logs in Kafka, the flow, findings in Elasticsearch."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import yaml
from elasticsearch import ApiError
from elasticsearch import Elasticsearch as Client
from kafka import KafkaConsumer, TopicPartition

from connectors.definitions import BUILT_IN
from connectors.elastic import Cluster, connect, setup
from connectors.files import FileSource
from connectors.kafka import DEAD_TOPIC, Connection, DeadLetters, KafkaWriter
from connectors.store import Store
from dashboards import templates
from flows import assembly, settings
from flows.scanning import scan
from tests.integration.servers import Elasticsearch, Kafka

pytestmark = [pytest.mark.integration, pytest.mark.reference]
PATIENCE = 240.0  # seconds: a first flow compiles all rules and starts Prefect


@dataclass(frozen=True)
class Site:
    """A full-mode installation of this test only."""

    config: Path
    source: str
    connection: Connection
    admin: Client
    environment: dict[str, str]

    def run(self, *more: str) -> subprocess.Popen[bytes]:
        """Start the flow in a process of its own."""
        command = [sys.executable, "-m", "flows.cli", "run", "--once", "--config", str(self.config), *more]
        log = self.config.with_suffix(".log").open("ab")
        return subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=log, stderr=log)

    def done(self, *more: str) -> str:
        """Run the flow to its end; return what it said."""
        process = self.run(*more)
        assert process.wait(PATIENCE) == 0, self.said()
        return self.said()

    def said(self) -> str:
        return self.config.with_suffix(".log").read_text()

    def send(self, lines: list[str]) -> None:
        dead = DeadLetters(self.connection)
        writer = KafkaWriter(self.connection, dead)
        for start in range(0, len(lines), 100):  # small envelopes: many batches, many chances to die between them
            writer.send(self.source, lines[start : start + 100], "test")
        writer.close()
        dead.close()

    def findings(self) -> dict[str, dict[str, Any]]:
        """Return every finding in Elasticsearch by its id."""
        return {hit["_id"]: hit["_source"] for hit in self._all("soc-findings")}

    def count(self) -> int:
        """Return how many findings there are now; while the flow makes their first index there are none."""
        self.admin.indices.refresh(index="soc-findings-*", ignore_unavailable=True)
        try:
            return int(self.admin.count(index="soc-findings-*", ignore_unavailable=True)["count"])
        except ApiError as error:
            if error.status_code != 503:  # what an index answers until its shard has started
                raise
            return 0

    def matches(self) -> set[str]:
        return {hit["_id"] for hit in self._all("soc-matches")}

    def committed(self) -> int | None:
        consumer = KafkaConsumer(bootstrap_servers=list(self.connection.servers), group_id=self.source)
        offset: int | None = consumer.committed(TopicPartition(f"soc.raw.{self.source}", 0))
        consumer.close()
        return offset

    def _all(self, alias: str) -> list[dict[str, Any]]:
        self.admin.indices.refresh(index=f"{alias}-*", ignore_unavailable=True)
        answer = self.admin.search(index=f"{alias}-*", size=10_000, ignore_unavailable=True)
        return list(answer["hits"]["hits"])


@pytest.fixture
def site(
    kafka_server: Kafka, elasticsearch_server: Elasticsearch, reference: Path, tmp_path: Path, cache: Path
) -> Iterator[Site]:
    admin = _client(elasticsearch_server, "admin")
    for index in admin.indices.get(index="soc-findings-*,soc-matches-*,soc-suppressed-*"):
        admin.indices.delete(index=index)
    setup(admin, templates.bodies(templates.read()))
    source = f"windows_{uuid.uuid4().hex[:10]}"
    folder = tmp_path / "sources"
    folder.mkdir()
    definition = (BUILT_IN / "windows.yml").read_text("utf-8").replace("name: windows", f"name: {source}", 1)
    (folder / "own.yml").write_text(definition)
    config = tmp_path / "soc.yml"
    config.write_text(
        yaml.safe_dump(
            {
                "rules": [str(reference / "rules")],
                "own_rules": False,
                "sources": [str(folder)],
                "archive": str(tmp_path / "archive"),
                "store": str(tmp_path / "store.sqlite"),
                "cache": str(cache),
                "kafka": {"servers": [kafka_server.address], "group": source, "sources": [source], "batch": 100},
                "elastic": {
                    "url": elasticsearch_server.url,
                    "username": "writer",
                    "ca": str(elasticsearch_server.ca),
                },
            }
        )
    )
    secret = {
        "SOC_ELASTIC__PASSWORD": elasticsearch_server.passwords["writer"],
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    yield Site(config, source, Connection((kafka_server.address,), patience=15), admin, secret)
    admin.close()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled rules, shared by the tests of this module."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def samples(reference: Path) -> list[Path]:
    """Windows logs in three shapes: NXLog in zips, EVTX, and EVTX as JSON."""
    return [reference / "otrf" / "atomic" / "windows", reference / "evtx" / "sigma-regression"]


@pytest.fixture(scope="module")
def lines(samples: list[Path]) -> list[str]:
    """Every record of the samples as the line a collector would send."""
    buried: list[pl.DataFrame] = []
    source = FileSource(_logs(samples), lambda *_: None, "windows", dead=buried.append)
    found = [line for batch in source.batches() for line in batch.records["event.original"].to_list()]
    assert not buried
    return found


def test_exactly_the_expected_findings_stand_there(
    site: Site, samples: list[Path], lines: list[str], reference: Path, tmp_path: Path
) -> None:
    site.send(lines)
    site.done()
    found = site.findings()
    assert _keys(found.values()) == _embedded(samples, site, tmp_path)
    with (reference / "index" / "sigma_regression_index.csv").open(newline="") as index:
        must_fire = {row["rule_id"] for row in csv.DictReader(index)}
    assert must_fire <= {finding["rule"]["id"] for finding in found.values()}
    matches = site.matches()

    site.done("--no-prefect")  # nothing new
    site.send(lines)  # the same lines once more, at new positions: new events of known findings
    site.done("--no-prefect")
    assert site.findings() == found
    assert len(site.matches()) == 2 * len(matches)


def test_a_flow_killed_half_way_and_run_again_gives_the_same_set(
    site: Site, samples: list[Path], lines: list[str], tmp_path: Path
) -> None:
    site.send(lines)
    expected = _embedded(samples, site, tmp_path)
    process = site.run()
    _wait_for(lambda: 0 < site.count() < len(expected), process, site)
    process.send_signal(signal.SIGKILL)
    process.wait()
    half = site.findings()
    assert 0 < len(half) < len(expected)  # what it had stored when it died
    time.sleep(11)  # the group's session of the dead member
    site.done()
    assert _keys(site.findings().values()) == expected
    assert half.items() <= site.findings().items()


def test_while_elasticsearch_is_down_the_flow_waits_and_commits_nothing(
    site: Site, lines: list[str], elasticsearch_server: Elasticsearch
) -> None:
    site.send(lines[:1500])
    elasticsearch_server.stop()
    try:
        process = site.run("--no-prefect")
        _wait_for(lambda: "waiting" in site.said(), process, site)
        assert site.committed() is None
        time.sleep(5)
        assert process.poll() is None
    finally:
        elasticsearch_server.start()
    assert process.wait(PATIENCE) == 0, site.said()
    assert site.findings()
    assert site.committed()


def test_a_poison_line_goes_to_the_dead_letters_and_costs_only_itself(site: Site, lines: list[str]) -> None:
    site.send([lines[0], '{"EventID": 1, "Channel": ', "not JSON at all", lines[1]])
    said = site.done("--no-prefect")
    assert "2 dead letters" in said
    letters = _letters(site)
    assert {letter["event.original"] for letter in letters} == {'{"EventID": 1, "Channel": ', "not JSON at all"}
    assert all(letter["error.message"] for letter in letters)


def test_a_clock_that_is_ahead_is_one_finding_of_several_runs(site: Site) -> None:
    for run in range(2):  # 12 lines each, of which 20 are enough
        times = [datetime.now(UTC) + timedelta(hours=7, milliseconds=run) for _ in range(12)]
        sysmon = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 5, "Computer": "PC1.example"}
        site.send([orjson.dumps({**sysmon, "TimeCreated": f"{time:%Y-%m-%dT%H:%M:%S.%fZ}"}).decode() for time in times])
        site.done("--no-prefect")
        assert site.count() == run
    (finding,) = site.findings().values()
    assert finding["rule"]["id"] == "clock"
    assert finding["host"]["name"] == ["PC1.example"]
    assert "7 h ahead of when they came: their zone is another" in finding["message"]


def _client(server: Elasticsearch, user: str) -> Client:
    return connect(Cluster((server.url,), user, server.passwords[user], server.ca))


def _logs(folders: list[Path]) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".zip", ".evtx", ".json"))


def _embedded(samples: list[Path], site: Site, tmp_path: Path) -> set[tuple[str, ...]]:
    """Return what the embedded mode finds in the same logs: same rules, same code, other source and sink."""
    parts = assembly.assemble(settings.load(site.config))
    store = Store(tmp_path / "expected.sqlite")
    scan(_logs(samples), parts, store, source=site.source)
    found = store.select(limit=100_000)
    store.close()
    return {
        (rule, group, start.isoformat())
        for rule, group, start in found.select("rule.id", "soc.group", "soc.window.start").iter_rows()
    }


def _keys(findings: Iterable[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {
        (
            finding["rule"]["id"],
            finding["soc"]["group"],
            datetime.fromisoformat(finding["soc"]["window"]["start"]).isoformat(),
        )
        for finding in findings
    }


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes], site: Site) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"the flow ended early: {site.said()}"
        assert time.monotonic() < until, f"nothing happened: {site.said()}"
        time.sleep(0.05)


def _letters(site: Site) -> list[dict[str, Any]]:
    consumer = KafkaConsumer(
        DEAD_TOPIC,
        bootstrap_servers=list(site.connection.servers),
        auto_offset_reset="earliest",
        consumer_timeout_ms=5_000,
    )
    letters = [orjson.loads(record.value) for record in consumer]
    consumer.close()
    return [letter for letter in letters if letter["soc.source"] == site.source]
