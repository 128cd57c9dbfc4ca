"""Correlations in full mode: several workers read the partitions of a topic, and remember in Elasticsearch together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml
from elasticsearch import ApiError
from elasticsearch import Elasticsearch as Client
from kafka import KafkaProducer

from connectors.definitions import BUILT_IN
from connectors.elastic import Cluster, connect, setup
from connectors.envelope import HEADER, VERSION, pack
from connectors.kafka import Connection, topics
from connectors.store import Store
from dashboards import templates
from flows import assembly, settings
from flows.scanning import scan
from tests.flows.test_correlating import RULES
from tests.integration.servers import Elasticsearch, Kafka

pytestmark = pytest.mark.integration
PATIENCE = 120.0
PARTITIONS = 4
SESSION = 11  # seconds after which the group has forgotten a member that died
Key = tuple[str, str, str]  # rule, group, begin of the window


@dataclass(frozen=True)
class Site:
    """A topic of several partitions, and the settings of workers."""

    folder: Path
    source: str
    connection: Connection
    admin: Client
    password: str
    workers: list[subprocess.Popen[bytes]]

    def worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker as it would run on a machine of its own."""
        command = [sys.executable, "-m", "flows.cli", "run", "--once", "--no-prefect"]
        own = {"SOC_ELASTIC__PASSWORD": self.password, "SOC_CACHE": str(self.folder / name)}
        log = (self.folder / f"{name}.log").open("ab")
        command += ["--config", str(self.folder / "soc.yml")]
        self.workers.append(subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log))
        return self.workers[-1]

    def done(self, process: subprocess.Popen[bytes]) -> None:
        said = "\n".join(path.read_text() for path in self.folder.glob("*.log"))
        assert process.wait(PATIENCE) == 0, said
        assert "failed" not in said

    def send(self, partition: int, lines: list[str]) -> None:
        producer = KafkaProducer(**self.connection.options())
        for start in range(0, len(lines), 20):
            (envelope,) = pack(lines[start : start + 20], "test")
            header = (HEADER, str(VERSION).encode())
            producer.send(f"soc.raw.{self.source}", value=envelope, headers=[header], partition=partition)
        producer.flush()
        producer.close()

    def found(self) -> Counter[Key]:
        """Return how many matches each finding has, and that no finding is without one."""
        findings = {
            hit["_id"]: (hit["_source"]["rule"]["id"], hit["_source"]["soc"]["group"], _start(hit["_source"]))
            for hit in self._all("soc-findings")
        }
        owners = [hit["_source"]["soc"]["finding"]["id"] for hit in self._all("soc-matches")]
        assert findings.keys() == set(owners)
        return Counter(findings[name] for name in owners)

    def stored(self) -> int:
        """Return how many matches there are now; an index that was just made may not answer yet."""
        try:
            return len(self._all("soc-matches"))
        except ApiError:
            return 0

    def _all(self, alias: str) -> list[dict[str, Any]]:
        self.admin.indices.refresh(index=f"{alias}-*", ignore_unavailable=True)
        answer = self.admin.search(index=f"{alias}-*", size=10_000, ignore_unavailable=True)
        assert answer["hits"]["total"]["value"] < 10_000
        return list(answer["hits"]["hits"])


@pytest.fixture
def site(kafka_server: Kafka, elasticsearch_server: Elasticsearch, tmp_path: Path) -> Iterator[Site]:
    server = elasticsearch_server
    admin = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca))
    for index in admin.indices.get(index="soc-findings-*,soc-matches-*,soc-memory-*"):
        admin.indices.delete(index=index)
    setup(admin, templates.bodies(templates.read()))
    source = f"auth_{uuid.uuid4().hex[:10]}"
    for name in ("sources", "rules"):
        (tmp_path / name).mkdir()
    definition = (BUILT_IN / "auth.yml").read_text("utf-8").replace("name: auth", f"name: {source}", 1)
    (tmp_path / "sources" / "own.yml").write_text(definition)
    (tmp_path / "rules" / "ssh.yml").write_text(RULES)
    plan = {
        "rules": [str(tmp_path / "rules")],
        "own_rules": False,
        "late": 0,
        "sources": [str(tmp_path / "sources")],
        "archive": str(tmp_path / "archive"),
        "store": str(tmp_path / "unused.sqlite"),
        "kafka": {"servers": [kafka_server.address], "group": source, "sources": [source], "batch": 80},
        "elastic": {"url": server.url, "username": "writer", "ca": str(server.ca)},
    }
    (tmp_path / "soc.yml").write_text(yaml.safe_dump(plan))
    connection = Connection((kafka_server.address,), patience=15)
    topics.setup(connection, [source], partitions=PARTITIONS, replication=1)
    workers: list[subprocess.Popen[bytes]] = []
    yield Site(tmp_path, source, connection, admin, server.passwords["writer"], workers)
    for worker in workers:  # one that outlived a test that failed would write into the next
        worker.kill()
        worker.wait()
    assert not (tmp_path / "unused.sqlite").exists()
    admin.close()


def stream(random: Random, count: int) -> list[str]:
    """Return logins of two hours, and a line long after them, in order of time."""
    begin = datetime(2026, 3, 9, 1, tzinfo=UTC)
    told = []
    for seconds in sorted(random.randrange(7200) for _ in range(count)):
        what = random.choices(("Failed", "Accepted"), (20, 1))[0]
        told.append((seconds, f"{what} password for u{random.randrange(5)} from 192.0.2.{random.randrange(12)}"))
    return [_line(begin + timedelta(seconds=seconds), text) for seconds, text in told]


def _line(when: datetime, text: str) -> str:
    return f"<38>1 {when.isoformat()} srv sshd 7 - - {text} port 22 ssh2"


def _start(finding: dict[str, Any]) -> str:
    return datetime.fromisoformat(finding["soc"]["window"]["start"]).isoformat()


def embedded(site: Site, lines: list[str]) -> Counter[Key]:
    """Return what the embedded mode makes of the same lines, in one file."""
    log = site.folder / "whole.log"
    log.write_text("\n".join(lines) + "\n")
    parts = assembly.assemble(settings.load(site.folder / "soc.yml"))
    store = Store(site.folder / "expected.sqlite")
    scan([log], parts, store, source=site.source)
    findings = store.select(limit=100_000)
    made = {
        (rule, group, start.isoformat()): store.matches_of(name).height
        for name, rule, group, start in findings.select(
            "event.id", "rule.id", "soc.group", "soc.window.start"
        ).iter_rows()
    }
    store.close()
    return Counter(made)


def test_two_workers_one_killed_half_way_find_what_one_machine_does(site: Site) -> None:
    random = Random(5)  # noqa: S311 - no secret
    lines = stream(random, 1_200)
    last = _line(datetime(2026, 3, 9, 9, tzinfo=UTC), "Connection closed by 192.0.2.99")
    dealt: list[list[str]] = [[] for _ in range(PARTITIONS)]
    for line in lines:
        random.choice(dealt).append(line)
    for partition, part in enumerate(dealt):
        site.send(partition, [*part, last])
    expected = embedded(site, [*lines, last])
    assert len({rule for rule, _, _ in expected}) == 5

    one, other = site.worker("one"), site.worker("other")
    _wait(lambda: site.stored() > 100, one)
    one.send_signal(signal.SIGKILL)
    one.wait()
    assert site.stored() < expected.total()  # the other is still at work: a match may be there before its finding
    site.done(other)
    time.sleep(SESSION)
    site.done(site.worker("one"))
    assert site.found() == expected


def test_a_source_that_fell_silent_holds_nothing_up(site: Site) -> None:
    site.send(0, [_line(datetime(2026, 3, 9, 1, tzinfo=UTC), "Failed password for lan from 192.0.2.7")])
    site.done(site.worker("one"))
    ended = "00000000-0000-4000-8000-000000000006"
    assert [rule for rule, _, _ in site.found()] == [ended]


def _wait(condition: Any, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, "it ended early"
        assert time.monotonic() < until
        time.sleep(0.05)
