"""Kafka as the pipeline uses it, on a real broker."""

from __future__ import annotations

import base64
import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import orjson
import polars as pl
import pytest
from kafka import KafkaConsumer, KafkaProducer

from connectors.kafka import DEAD_TOPIC, Connection, DeadLetters, KafkaSource, KafkaWriter, Limits, check, setup
from connectors.kafka.letters import letters as read_letters
from detectors.contracts import Batch
from detectors.errors import UnavailableError
from detectors.schema import DEAD, RECORD
from tests.integration.servers import Kafka

pytestmark = pytest.mark.integration


@pytest.fixture
def connection(kafka_server: Kafka) -> Connection:
    return Connection((kafka_server.address,), patience=15)


@pytest.fixture
def dead(connection: Connection) -> Iterator[DeadLetters]:
    letters = DeadLetters(connection)
    yield letters
    letters.close()


@pytest.fixture
def source() -> str:
    """A source of this test only, so that tests share a broker and no topic."""
    return f"test{uuid.uuid4().hex[:12]}"


def send(connection: Connection, dead: DeadLetters, source: str, *lines: str, origin: str = "syslog:192.0.2.7") -> None:
    writer = KafkaWriter(connection, dead)
    assert writer.send(source, lines, origin) == 0
    writer.close()


def put(connection: Connection, source: str, value: bytes, headers: list[tuple[str, bytes]] | None = None) -> None:
    producer = KafkaProducer(**connection.options())
    producer.send(f"soc.raw.{source}", value=value, headers=headers).get(timeout=10)
    producer.close()


def reader(connection: Connection, dead: DeadLetters, source: str, limits: Limits | None = None) -> KafkaSource:
    return KafkaSource(connection, [source], group=f"g-{source}", dead=dead, bounded=True, seconds=30, limits=limits)


def read(connection: Connection, dead: DeadLetters, source: str, *, commit: bool) -> list[Batch]:
    member = reader(connection, dead, source)
    try:
        batches = list(member.batches())
        if commit:
            member.commit()
    finally:
        member.close()
    return batches


def patiently(work: Callable[[], None]) -> None:
    """Do what the flow does: wait while a server is unavailable."""
    for _ in range(20):
        with contextlib.suppress(UnavailableError):
            return work()
        time.sleep(0.5)
    return work()


def rows(batches: list[Batch]) -> list[tuple[str, int, int]]:
    return [row for batch in batches for row in batch.records.select(RECORD.names()).rows()]


def letters(connection: Connection, source: str) -> list[tuple[dict[str, str], dict[str, object]]]:
    """Read what soc.dead keeps of a source: headers and value."""
    consumer = KafkaConsumer(DEAD_TOPIC, **connection.options(), auto_offset_reset="earliest", consumer_timeout_ms=3000)
    found = [({k: v.decode() for k, v in record.headers}, orjson.loads(record.value)) for record in consumer]
    consumer.close()
    return [letter for letter in found if letter[0]["source"] == source]


def test_lines_come_back_in_order_with_offset_and_index(connection: Connection, dead: DeadLetters, source: str) -> None:
    send(connection, dead, source, "một", "hai \x1b[31m", "")
    send(connection, dead, source, "bốn")
    put(connection, source, b"f\xfcnf, of a foreign shipper")
    (batch,) = read(connection, dead, source, commit=False)
    assert (batch.source, batch.origin) == (source, f"kafka:soc.raw.{source}:0")
    assert batch.label == f"soc.raw.{source}[0]"
    assert batch.records.select(RECORD.names()).rows() == [
        ("một", 0, 0),
        ("hai \x1b[31m", 0, 1),
        ("", 0, 2),
        ("bốn", 1, 0),
        ("f\\xfcnf, of a foreign shipper", 2, 0),
    ]


def test_what_is_not_committed_comes_again_and_what_is_does_not(
    connection: Connection, dead: DeadLetters, source: str
) -> None:
    send(connection, dead, source, "a", "b")
    first = read(connection, dead, source, commit=False)
    assert rows(read(connection, dead, source, commit=True)) == rows(first) == [("a", 0, 0), ("b", 0, 1)]
    send(connection, dead, source, "c")
    assert rows(read(connection, dead, source, commit=True)) == [("c", 1, 0)]
    assert read(connection, dead, source, commit=True) == []


def test_commit_stores_only_what_was_yielded(connection: Connection, dead: DeadLetters, source: str) -> None:
    setup(connection, [source], partitions=2, replication=1)
    for origin in map(str, range(8)):  # the keys of both partitions
        send(connection, dead, source, f"line of {origin}", origin=origin)
    member = reader(connection, dead, source)
    batches = member.batches()
    first = next(batches)
    member.commit()  # the other partition is gathered and not yet yielded
    member.close()
    rest = read(connection, dead, source, commit=True)
    assert {batch.origin for batch in rest}.isdisjoint({first.origin})
    assert sorted(line for line, _, _ in rows([first, *rest])) == sorted(f"line of {n}" for n in range(8))


def test_iterating_again_begins_at_the_stored_position(connection: Connection, dead: DeadLetters, source: str) -> None:
    setup(connection, [source], partitions=2, replication=1)
    for origin in map(str, range(8)):
        send(connection, dead, source, f"line of {origin}", origin=origin)
    member = reader(connection, dead, source)
    next(member.batches())  # abandoned with the other partition gathered
    assert {line for line, _, _ in rows(list(member.batches()))} == {f"line of {n}" for n in range(8)}
    member.close()


def test_a_bounded_run_over_no_topic_ends(connection: Connection, dead: DeadLetters, source: str) -> None:
    started = time.monotonic()
    assert read(connection, dead, source, commit=True) == []
    assert time.monotonic() - started < 20


def test_limits_cut_batches_between_records(connection: Connection, dead: DeadLetters, source: str) -> None:
    for number in range(6):
        put(connection, source, f"line {number}".encode())
    member = reader(connection, dead, source, Limits(lines=2, records=2))
    sizes = [batch.records.height for batch in member.batches()]
    member.commit()
    member.close()
    assert sum(sizes) == 6
    assert max(sizes) <= 2


def test_partitions_dealt_anew_lose_nothing(connection: Connection, dead: DeadLetters, source: str) -> None:
    setup(connection, [source], partitions=2, replication=1)
    for origin in map(str, range(8)):
        send(connection, dead, source, f"line of {origin}", origin=origin)
    endless = KafkaSource(connection, [source], group=f"g-{source}", dead=dead, seconds=30, limits=Limits(seconds=3))
    batches = endless.batches()
    taken = [next(batches)]
    other = KafkaSource(connection, [source], group=f"g-{source}", dead=dead, seconds=8)
    seen: list[Batch] = []

    def work() -> None:
        for batch in other.batches():
            seen.append(batch)
            other.commit()

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        endless.heartbeat()
        thread.join(0.2)
    endless.commit()  # of a deal that is over: must store nothing
    other.close()
    endless.close()
    taken += read(connection, dead, source, commit=True)
    assert {line for line, _, _ in rows(seen + taken)} == {f"line of {n}" for n in range(8)}
    assert {line for line, _, _ in rows(seen + taken[1:])} == {f"line of {n}" for n in range(8)}


def test_heartbeat_takes_nothing(connection: Connection, dead: DeadLetters, source: str) -> None:
    send(connection, dead, source, "a")
    member = reader(connection, dead, source)
    batches = member.batches()
    next(batches)
    send(connection, dead, source, "b")
    for _ in range(5):
        member.heartbeat()
    assert member.lag() == 1
    member.commit()
    member.close()
    assert rows(read(connection, dead, source, commit=False)) == [("b", 1, 0)]


@pytest.mark.parametrize("value", [b"\xff\x00 no JSON", b'{"v":7,"origin":"","lines":[]}', b"[" * 5000])
def test_a_malformed_envelope_costs_that_record(
    connection: Connection, dead: DeadLetters, source: str, value: bytes
) -> None:
    send(connection, dead, source, "before")
    put(connection, source, value, [("soc-envelope", b"1")])
    send(connection, dead, source, "after")
    assert rows(read(connection, dead, source, commit=True)) == [("before", 0, 0), ("after", 2, 0)]
    ((headers, letter),) = letters(connection, source)
    assert headers["offset"] == "1"
    assert headers["encoding"] == "base64"
    assert "envelope" in headers["reason"]
    assert base64.b64decode(str(letter["event.original"])) == value


def test_a_poison_record_at_the_end_is_committed_too(connection: Connection, dead: DeadLetters, source: str) -> None:
    put(connection, source, b"{", [("soc-envelope", b"1")])
    assert read(connection, dead, source, commit=True) == []
    assert read(connection, dead, source, commit=True) == []
    assert len(letters(connection, source)) == 1


def test_dead_letters_keep_line_reason_and_place(connection: Connection, dead: DeadLetters, source: str) -> None:
    frame = pl.DataFrame([("bad \x00 line", 7, 2, source, "kafka:soc.raw.x:0", "no timestamp")], DEAD, orient="row")
    assert dead.write(frame).created == 1
    ((headers, letter),) = letters(connection, source)
    assert headers["reason"] == letter["error.message"] == "no timestamp"
    assert letter["event.original"] == "bad \x00 line"
    assert (letter["log.offset"], letter["soc.index"], letter["soc.origin"]) == (7, 2, "kafka:soc.raw.x:0")


def test_dead_letters_are_read_back_the_last_ones_first_to_stay(
    connection: Connection, dead: DeadLetters, source: str
) -> None:
    rows = [(f"\x1b[31mline {n}", n, 0, source, "kafka:t:0", "no time") for n in range(5)]
    frame = pl.DataFrame(rows, schema=DEAD, orient="row")
    for _ in range(2):  # a batch that came again writes its letters again
        dead.write(frame)
    assert read_letters(connection, 10).filter(pl.col("soc.source") == source).equals(frame)
    assert read_letters(connection, 3)["log.offset"].to_list() == [2, 3, 4]


def test_a_line_too_long_for_an_envelope_is_a_dead_letter(
    connection: Connection, dead: DeadLetters, source: str
) -> None:
    writer = KafkaWriter(connection, dead)
    assert writer.send(source, ["short", "\x00" * 2_000_000, "last"], "file:x") == 1
    writer.close()
    assert rows(read(connection, dead, source, commit=False)) == [("short", 0, 0), ("last", 1, 0)]
    ((headers, letter),) = letters(connection, source)
    assert "2,000,000 characters" in headers["reason"]
    assert str(letter["event.original"]).startswith("\x00\x00")


def test_no_source_named_reads_every_raw_topic(connection: Connection, dead: DeadLetters, source: str) -> None:
    send(connection, dead, source, "a")
    member = KafkaSource(connection, [], group=f"g-{source}", dead=dead, bounded=True, seconds=30)
    found = {batch.source: batch for batch in member.batches()}
    member.close()
    assert found[source].records["event.original"].to_list() == ["a"]


def test_setup_and_check(connection: Connection, source: str) -> None:
    faults = dict(check(connection, [source]))
    assert "soc setup" in str(faults[f"topic soc.raw.{source}"])
    assert setup(connection, [source], partitions=3, replication=1)[f"soc.raw.{source}"] == "created"
    assert set(setup(connection, [source], partitions=3, replication=1).values()) == {"unchanged"}
    assert set(dict(check(connection, [source])).values()) == {None}


def test_a_broker_that_is_not_there_is_named(free_port_address: str) -> None:
    nowhere = Connection((free_port_address,), patience=2)
    with pytest.raises(UnavailableError, match=free_port_address):
        DeadLetters(nowhere)
    ((where, fault),) = check(nowhere, [])
    assert free_port_address in where
    assert isinstance(fault, UnavailableError)


def test_a_broker_that_goes_away_is_an_error_and_comes_back(
    kafka_server: Kafka, connection: Connection, dead: DeadLetters, source: str
) -> None:
    send(connection, dead, source, "a")
    impatient = Connection(connection.servers, patience=3)
    writer = KafkaWriter(impatient, dead)
    member = KafkaSource(impatient, [source], group=f"g-{source}", dead=dead, seconds=60)
    batches = member.batches()
    assert rows([next(batches)]) == [("a", 0, 0)]
    writer.send(source, ["b"], "x")
    writer.flush()
    assert rows([next(batches)]) == [("b", 1, 0)]
    kafka_server.kill()
    try:
        writer.send(source, ["lost, and said so"], "x")
        with pytest.raises(UnavailableError):
            writer.close()
        with pytest.raises(UnavailableError):
            next(batches)
    finally:
        kafka_server.start()
    patiently(member.commit)
    member.close()
    send(connection, dead, source, "c")
    assert "c" in [line for line, _, _ in rows(read(connection, dead, source, commit=True))]


def test_a_record_that_goes_on_in_the_next_batch_is_one(connection: Connection, dead: DeadLetters, source: str) -> None:
    send(connection, dead, source, "A1", "b")
    limits, told = Limits(patience=4), lambda _: ("^A", None)
    member = KafkaSource(connection, [source], group=f"g-{source}", dead=dead, means=told, seconds=60, limits=limits)
    batches = member.batches()
    send(connection, dead, source, "c", "A2", "d")
    first = next(batches)
    assert rows([first]) == [("A1\nb\nc", 0, 0)]
    member.commit()
    member.close()  # A2 waits: whoever comes next gets it, and not what stood before it in its envelope
    send(connection, dead, source, "e")
    last = KafkaSource(connection, [source], group=f"g-{source}", dead=dead, means=told, bounded=True, limits=limits)
    found = list(last.batches())
    last.commit()
    last.close()
    assert rows(found) == [("A2\nd\ne", 1, 1)]
    assert read(connection, dead, source, commit=False) == []
