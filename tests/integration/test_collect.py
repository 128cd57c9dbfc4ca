"""The collector as operators run it: killed, restarted, and with Kafka away, every line arrives, and once by its id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl
import pytest
import yaml

from connectors.collect.block import Record
from connectors.collect.shipping import Shipping
from connectors.collect.spool import Spool
from connectors.envelope import HEADER, TooLong, pack
from connectors.kafka import RAW, Connection, DeadLetters, KafkaSource, Limits, setup
from connectors.kafka.writer import Outbox
from detectors.contracts import Batch
from detectors.identity import event_id
from detectors.schema import RECORD
from tests.integration.servers import Kafka, free_port

pytestmark = pytest.mark.integration
PATIENCE = 120.0
ADDRESSES = ("127.0.0.1", "127.0.0.2")
TOKEN = "0123456789abcdef0123456789abcdef"


class Site:
    """A collector of this test, and what was sent to it."""

    def __init__(self, folder: Path, kafka: Kafka) -> None:
        self.folder, self.kafka = folder, kafka
        self.source = f"app{uuid.uuid4().hex[:10]}"
        self.tcp, self.http = free_port(), free_port()
        self.log = folder / "app.log"
        self.sent: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "sources").mkdir()
        (folder / "sources" / "own.yml").write_text(f"name: {self.source}\nlike: json\ntitle: Test\n")
        (folder / "tokens").write_text(f"lab {TOKEN}\n")
        settings = {
            "kafka": {"servers": [kafka.address]},
            "sources": [str(folder / "sources")],
            "collect": {
                "spool": str(folder / "spool"),
                "write_every": 0.1,
                "report_every": 0.5,
                "rate": 0,
                "syslog": [{"listen": f"127.0.0.1:{self.tcp}", "transport": "tcp", "source": self.source}],
                "http": {
                    "listen": f"127.0.0.1:{self.http}",
                    "sources": [self.source],
                    "token_file": f"{folder}/tokens",
                },
                "files": [{"path": str(self.log), "source": self.source}],
            },
        }
        (folder / "soc.yml").write_text(yaml.safe_dump(settings))

    def start(self) -> None:
        """Start the collector and wait until it listens."""
        with (self.folder / "console.txt").open("ab") as console:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "flows.cli", "collect", "--config", str(self.folder / "soc.yml")],
                stderr=console,
                stdout=console,
            )
        listening = self.said().count("listening: http") + 1
        wait_for(lambda: self.said().count("listening: http") == listening, self.said)

    def end(self, how: signal.Signals) -> None:
        """End the collector."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    def said(self) -> str:
        path = self.folder / "console.txt"
        return path.read_text() if path.is_file() else ""

    def send(self, name: str, count: int) -> None:
        """Send lines by every way, and wait until the collector has them."""
        lines = [f'{{"n":"{name}-{way}-{number}"}}' for way in ("file", "tcp", "http") for number in range(count)]
        self.sent += lines
        with self.log.open("a") as log:
            log.writelines(f"{line}\n" for line in lines[:count])
        with socket.create_connection(("127.0.0.1", self.tcp)) as sender:
            sender.sendall("".join(f"{line}\n" for line in lines[count : 2 * count]).encode())
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.http}/{self.source}",
            "\n".join(lines[2 * count :]).encode(),
            {"Authorization": f"Bearer {TOKEN}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310  # our own address
            assert answer.status == 200

    def spooled(self) -> str:
        """Return what stands in the spool as text."""
        return "".join(path.read_bytes().decode("utf-8", "replace") for path in (self.folder / "spool").glob("*.spool"))


@pytest.fixture
def site(tmp_path: Path, kafka_server: Kafka) -> Iterator[Site]:
    made = Site(tmp_path, kafka_server)
    setup(Connection((kafka_server.address,)), [made.source], partitions=2, replication=1)
    yield made
    made.end(signal.SIGKILL)


def wait_for(condition: Callable[[], bool], said: Callable[[], str]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, said()
        time.sleep(0.05)


def only_bytes(packed: Iterator[bytes | TooLong]) -> list[bytes]:
    return [each for each in packed if isinstance(each, bytes)]


def read(kafka: Kafka, source: str) -> list[Batch]:
    connection = Connection((kafka.address,), patience=30)
    dead = DeadLetters(connection)
    member = KafkaSource(connection, [source], group=f"g-{uuid.uuid4().hex}", dead=dead, bounded=True, seconds=60)
    batches = list(member.batches())
    member.close()
    dead.close()
    return batches


def events(batches: list[Batch]) -> dict[str, str]:
    """Return lines by the ids of their events."""
    return {
        event_id(batch.source, batch.origin, offset, index, original): original
        for batch in batches
        for original, offset, index in batch.records.select(RECORD.names()).iter_rows()
    }


def test_through_kill_restart_and_kafka_away_every_line_arrives_once(site: Site) -> None:
    site.start()
    site.send("first", 200)
    wait_for(lambda: site.spooled().count("first-") >= 600 or "600 since" in site.said(), site.said)
    site.kafka.stop()
    try:
        site.send("away", 200)
        site.log.rename(site.log.with_suffix(".log.1"))
        site.send("rotated", 200)
        wait_for(lambda: site.spooled().count("rotated-") == 600, site.said)
        site.end(signal.SIGKILL)
        site.log.rename(site.log.with_suffix(".log.2"))
        site.start()
        site.send("again", 200)
        wait_for(lambda: "Kafka is away" in site.said(), site.said)
    finally:
        site.kafka.start()
    site.send("back", 200)
    wait_for(lambda: "Kafka is back" in site.said(), site.said)
    wait_for(lambda: site.said().rstrip().endswith("Kafka has all of them"), site.said)
    site.end(signal.SIGTERM)
    assert "stopped after" in site.said()
    assert list((site.folder / "spool").glob("*.spool")) == []
    assert Counter(events(read(site.kafka, site.source)).values()) == Counter(site.sent)


def test_what_is_sent_twice_is_the_same_events(site: Site, tmp_path: Path) -> None:
    connection = Connection((site.kafka.address,), patience=30)
    spool = Spool(tmp_path / "twice", 1 << 20, lambda fault: pytest.fail(str(fault)))
    names = iter(range(10**18, 10**18 + 100))
    for number in range(10):
        values = only_bytes(
            pack([f"line {number}", "and the same"], "o", names=lambda: next(names), received=1767225599000)
        )
        records = [Record(RAW + site.source, "o", each, 1767225599000, {HEADER: "1"}) for each in values]
        spool.append(records, {})
    outbox = Outbox(connection)  # a collector that dies before it knows that Kafka has them
    for taken in spool.read():
        for each in taken.block.records:
            outbox.put(each.topic, each.value, each.key, each.headers, each.received)
    outbox.close()
    first = events(read(site.kafka, site.source))

    shipping = Shipping(spool, lambda: Outbox(connection), print)
    shipping.start()
    shipping.stop(30)
    assert spool.waiting == 0
    batches = read(site.kafka, site.source)
    assert events(batches) == first
    assert len(first) == 20
    assert str(batches[0].received) == "2025-12-31"  # the day of receipt, not of sending


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_stdin_is_taken_to_its_end(site: Site) -> None:
    command = [
        sys.executable,
        "-m",
        "flows.cli",
        "collect",
        "--config",
        f"{site.folder}/soc.yml",
        "--stdin",
        site.source,
    ]
    lines = [f'{{"n":{number}}}' for number in range(5_000)]
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, timeout=PATIENCE, check=True)
    assert b"Kafka has all of them" in done.stderr
    assert sorted(events(read(site.kafka, site.source)).values()) == sorted(lines)


def means(_: str) -> tuple[str | None, object]:
    return "^ERROR", None


def test_records_of_several_lines_and_senders_arrive_whole_and_say_whence_they_came(site: Site) -> None:
    site.start()
    traces = {
        address: [f"ERROR {address} {n}\n\tat a.b({n})\n\tat c.d({n})" for n in range(8)] for address in ADDRESSES
    }
    senders = [
        (socket.create_connection(("127.0.0.1", site.tcp), source_address=(address, 0)), "\n".join(traces[address]))
        for address in ADDRESSES
    ]
    for step in range(0, 400, 23):  # in the middle of lines and of records, in turn
        for sender, text in senders:
            sender.sendall(text[step : step + 23].encode())
        time.sleep(0.05)
    for sender, _ in senders:
        sender.sendall(b"\n")
    site.log.write_text("ERROR file\n\tat e.f(1)\n")
    wait_for(lambda: site.said().rstrip().endswith("50 since start, 2 TCP senders, Kafka has all of them"), site.said)
    connection = Connection((site.kafka.address,), patience=30)
    dead, found, limits = DeadLetters(connection), list[Batch](), Limits(lines=3, records=1, patience=3)
    for count in (2, 100):  # the second goes on where the first stood
        member = KafkaSource(
            connection, [site.source], group=f"g-{site.source}", dead=dead, means=means, bounded=True, limits=limits
        )
        for batch in islice(member.batches(), count):
            found.append(batch)
            member.commit()
        member.close()
    dead.close()
    for sender, _ in senders:
        sender.close()
    frame = pl.concat((batch.records for batch in found), how="diagonal")
    assert len(found) > 3
    for address in ADDRESSES:
        mine = frame.filter(pl.col("log.source.address") == address)
        assert mine["event.original"].to_list() == traces[address]
        assert set(mine["input.type"]) == {"tcp"}
    (read,) = frame.filter(pl.col("log.file.path") == str(site.log)).rows(named=True)
    assert (read["event.original"], read["agent.name"]) == ("ERROR file\n\tat e.f(1)", socket.gethostname())
    assert frame.height == 17
