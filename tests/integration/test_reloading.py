"""Rules, lists and settings that change under `soc run` with a real Kafka: no line is lost, and what breaks stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from connectors.definitions import BUILT_IN
from connectors.kafka import Connection, DeadLetters, KafkaWriter
from connectors.store import Store
from tests.integration.servers import Kafka

pytestmark = pytest.mark.integration
PATIENCE = 120.0
RULE = """title: {title}
id: 00000000-0000-4000-8000-00000000000{number}
level: high
logsource: {{product: linux, service: sshd}}
detection: {{selection: {{{asks}}}, condition: selection}}
soc: {{group-by: [user.name]}}
"""
LINE = "<38>1 2026-03-09T08:{:02d}:00+07:00 web01 sshd 7 - - Failed password for u{} from 203.0.113.9 port 22 ssh2"


class Site:
    """A folder with rules, and a run that reads a topic of its own."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.folder, self.source = folder, f"auth_{uuid.uuid4().hex[:10]}"
        self.connection = Connection((broker,), patience=15)
        for name in ("rules", "lists", "sources"):
            (folder / name).mkdir()
        definition = (BUILT_IN / "auth.yml").read_text("utf-8").replace("name: auth", f"name: {self.source}", 1)
        (folder / "sources" / "own.yml").write_text(definition)
        self.rule(1, "user.name: u1")
        self.rule(2, "user.name|expand: '%watched%'")
        (folder / "lists" / "watched.txt").write_text("nobody\n")
        self.settings()

    def rule(self, number: int, asks: str) -> None:
        text = RULE.format(title=f"Rule {number}", number=number, asks=asks)
        (self.folder / "rules" / f"r{number}.yml").write_text(text)

    def settings(self, **more: object) -> None:
        kafka = {"servers": list(self.connection.servers), "group": self.source, "sources": [self.source]}
        given = {"rules": ["rules"], "own_rules": False, "sources": ["sources"], "lists": "lists", "kafka": kafka}
        (self.folder / "soc.yml").write_text(yaml.safe_dump({**given, "store": "s.sqlite", **more}))

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flows.cli", "run", "--no-prefect", "--pause", "0.2"]
        log = (self.folder / "log").open("ab")
        environment = {**os.environ, "SOC_CACHE": str(self.folder / "cache")}
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def send(self, minute: int) -> None:
        dead = DeadLetters(self.connection)
        writer = KafkaWriter(self.connection, dead)
        writer.send(self.source, [LINE.format(minute, user) for user in (1, 2, 3)], "test")
        writer.close()
        dead.close()

    def events(self) -> int:
        """Return how many events the rounds say they had."""
        return sum(int(line.split()[0]) for line in self.said().splitlines() if " events in " in line)

    def matches(self) -> set[tuple[str, str]]:
        """Return rule and user of all matches."""
        if not (self.folder / "s.sqlite").exists():
            return set()
        with closing(Store(self.folder / "s.sqlite")) as store:
            names = store.select()["event.id"]
            found = [store.matches_of(name) for name in names]
        return {(rule[-1], group) for each in found for rule, group in each.select("rule.id", "soc.group").iter_rows()}


def test_what_changes_or_breaks_under_a_run(kafka_server: Kafka, tmp_path: Path) -> None:
    site = Site(tmp_path, kafka_server.address)
    process = site.start()

    def until(condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert process.poll() is None, f"the run ended: {site.said()}"
            assert time.monotonic() < end, f"nothing happened: {site.matches()} {site.said()}"
            time.sleep(0.1)

    try:
        site.send(1)
        until(lambda: site.matches() == {("1", "user.name=u1")})
        (tmp_path / "rules" / "r1.yml").write_text("title: [\n")  # broken: the former version goes on
        (tmp_path / "lists" / "watched.txt").write_text("u2\n")  # a list alone
        (tmp_path / "soc.yml").write_text("late: soon\n")
        until(lambda: "the former settings stay in use" in site.said() and "(former version in use)" in site.said())
        site.send(2)
        until(lambda: ("2", "user.name=u2") in site.matches())
        (tmp_path / "lists" / "watched.txt").write_bytes(b"\xff\xfe\xff")
        site.rule(1, "user.name: u3")
        site.settings(late=5)
        until(lambda: "watched.txt: the list can't be read" in site.said())
        (tmp_path / "lists" / "watched.txt").write_text("u1\n")
        site.send(3)
        until(lambda: ("1", "user.name=u3") in site.matches())
        until(lambda: site.events() >= 9)  # a round tells of itself after it has stored what it found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert {("1", "user.name=u1"), ("2", "user.name=u2"), ("1", "user.name=u3")} <= site.matches()
    assert site.events() == 9
