"""Records of several lines are the same wherever Kafka's stream is cut, whoever dies, and whatever comes twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.formats.auditd import Auditd
from connectors.formats.mysql_slow import MysqlSlow
from connectors.kafka import holding
from connectors.kafka.batch import Gathered
from connectors.kafka.holding import Holding
from connectors.kafka.position import Position
from connectors.multiline import Means
from tests.connectors.kafka.test_batch import Letters, Sent

Records: TypeAlias = set[tuple[int, int, str]]  # offset, index, text
TOPIC = "soc.raw.x"


def begins_with_a(_: str) -> tuple[str | None, object]:
    return "^A", None


def envelope(offset: int, sender: str, lines: Sequence[str], *, received: int = 1_000, name: int | None = None) -> Sent:
    value = {"v": 1, "id": 1_000 + offset if name is None else name, "received": received}
    return Sent(offset, orjson.dumps({**value, "origin": sender, "lines": lines}), [("soc-envelope", b"1")])


class Reader:
    """Reads a partition as `KafkaSource` does, on a clock that stands still unless it is moved."""

    def __init__(self, means: Means = begins_with_a) -> None:
        self.now = 0.0
        self._means = means
        self.found: list[tuple[int, int, str]] = []
        self.stored = (0, "")  # offset and metadata
        self.die()

    def die(self) -> int:
        """Begin anew where it was stored; return at which offset."""
        self.holding = Holding[int](self._means, clock=lambda: self.now)
        self.holding.resume(0, Position.read(*self.stored))
        return self.stored[0]

    def take(self, *records: Sent) -> list[str]:
        if not records and not self.holding.partitions:
            return []
        gathered = Gathered(TOPIC, 0, self.holding.names(0)) if records else None
        for record in records:
            assert gathered is not None
            gathered.add(record, Letters())
        batch = self.holding.batch(0, gathered)
        position = self.holding.position(0)
        self.stored = (position.offset, position.metadata)
        rows = [] if batch is None else batch.records.select("log.offset", "soc.index", "event.original").rows()
        self.found += rows
        return [text for _, _, text in rows]


def expected(records: Sequence[Sent]) -> Records:
    """Join as a plain loop does; what comes twice counts once."""
    found: dict[str, list[tuple[int, int, list[str]]]] = {}
    last: dict[str, int] = {}
    seen = set()
    for record in records:
        told = orjson.loads(record.value or b"")
        if told["id"] in seen:
            continue
        seen.add(told["id"])
        mine = found.setdefault(told["origin"], [])
        for index, line in enumerate(told["lines"]):
            late = told["received"] - last.get(told["origin"], told["received"]) > 3_000
            last[told["origin"]] = told["received"]
            if line.startswith("A") or late or not mine or not mine[-1][2][0].startswith("A"):
                mine.append((told["id"], index, [line]))
            else:
                mine[-1][2].append(line)
    return {(name, index, "\n".join(lines)) for each in found.values() for name, index, lines in each}


@st.composite
def streams(draw: st.DrawFn, *, twice: bool) -> list[Sent]:
    clock, made = 1_000, list[Sent]()
    for offset in range(draw(st.integers(1, 12))):
        if twice and made and draw(st.integers(0, 3)) == 0:
            again = draw(st.sampled_from(made))
            made.append(Sent(offset, again.value, again.headers))
            continue
        clock += draw(st.sampled_from([0, 400, 4_000]))
        lines = draw(st.lists(st.sampled_from(["A1", "A2", "b", "c"]), max_size=4))
        made.append(envelope(offset, draw(st.sampled_from(["web1", "web2"])), lines, received=clock))
    return made


def read_out(reader: Reader, stream: Sequence[Sent], at: int) -> None:
    for record in stream[at:]:
        reader.take(record)
    reader.now += 60
    reader.take()


@settings(deadline=None, max_examples=60)
@given(streams(twice=False), st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12))
def test_no_record_is_lost_or_doubled_however_lines_are_cut_and_whoever_dies(
    stream: list[Sent], steps: list[tuple[int, bool]]
) -> None:
    reader, at = Reader(), 0
    for size, dies in steps:
        reader.take(*stream[at : at + size])
        at = reader.die() if dies else min(at + size, len(stream))
    read_out(reader, stream, at)
    assert set(reader.found) == expected(stream)
    assert len(reader.found) == len(expected(stream))
    assert reader.stored == (len(stream), "")


@settings(deadline=None, max_examples=40)
@given(streams(twice=True), st.lists(st.integers(1, 4), max_size=12))
def test_what_a_collector_sent_twice_counts_once(stream: list[Sent], sizes: list[int]) -> None:
    reader, at = Reader(), 0
    for size in sizes:
        reader.take(*stream[at : at + size])
        at += size
    read_out(reader, stream, at)
    assert sorted(reader.found) == sorted(expected(stream))


def test_a_position_without_room_for_its_lines_reads_everything_again() -> None:
    places = pl.DataFrame({"soc.at": range(0, 90_000, 3), "soc.index": [number % 97 for number in range(30_000)]})
    assert Position.of(places, 90_000).metadata == ""
    few = Position.of(places[:300], 1_000)
    assert Position.read(few.offset, few.metadata) == few
    for metadata in ("", "nonsense", "ÿ", few.metadata[:-3]):
        assert Position.read(7, metadata) == Position(7, 7)


def test_a_record_waits_for_the_next_beginning_of_its_sender() -> None:
    reader = Reader()
    assert reader.take(envelope(0, "web1", ["A1", "b"])) == []
    assert reader.stored[0] == 0
    assert reader.take(envelope(1, "web2", ["A9"])) == []
    assert reader.take(envelope(2, "web1", ["c", "A2"])) == ["A1\nb\nc"]
    assert reader.stored[0] == 1  # the first line that waits is web2's


def test_lines_of_a_topic_that_was_made_anew_were_not_read_before() -> None:
    reader = Reader()
    reader.stored = (7, Position(7, 12, ((7, 0, 1),)).metadata)
    reader.die()
    assert reader.take(envelope(0, "web1", ["A1", "A2"]), envelope(8, "web1", ["A3"])) == ["A1", "A2"]


def test_a_record_waits_for_some_seconds() -> None:
    reader = Reader()
    reader.take(envelope(0, "web1", ["A1"]))
    reader.now += 4
    assert reader.take(envelope(1, "web1", ["b"], received=2_000)) == []
    reader.now += 4
    assert reader.take() == []
    reader.now += 2
    assert reader.take() == ["A1\nb"]
    assert reader.stored == (2, "")
    assert reader.holding.partitions == []


def test_a_line_that_came_long_after_is_alone_read_at_once_or_not() -> None:
    late = envelope(1, "web1", ["b"], received=9_000)
    reader = Reader()
    assert reader.take(envelope(0, "web1", ["A1"]), late) == ["A1", "b"]
    slow = Reader()
    slow.take(envelope(0, "web1", ["A1"]))
    slow.now += 8
    assert slow.take() == ["A1"]
    assert slow.take(late) == ["b"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "LARGEST", 10_000)
    reader, waiting = Reader(), 0
    for offset in range(200):
        reader.take(envelope(offset, f"host{offset}", ["A" + "x" * 200]))
        waiting = max(waiting, len(reader.holding.partitions))
        assert reader.holding._size() < 15_000
    assert len(reader.found) > 100


def test_a_source_of_single_lines_waits_for_nothing() -> None:
    reader = Reader(lambda _: (None, None))
    assert reader.take(envelope(0, "web1", ["A1", "b"])) == ["A1", "b"]
    assert reader.stored == (1, "")


def test_a_format_tells_where_its_records_end() -> None:
    reader = Reader(lambda _: (None, MysqlSlow()))
    head = ["# Time: 260302 8:15:00", "# User@Host: lan[lan] @ localhost []"]
    assert reader.take(envelope(0, "db1", head)) == []
    assert reader.take(envelope(1, "db1", ["# Query_time: 2.5  Lock_time: 0", "SELECT 1;", head[0]])) == [
        "\n".join([*head, "# Query_time: 2.5  Lock_time: 0", "SELECT 1;"])
    ]


def test_records_of_one_audit_event_stay_together_and_apart() -> None:
    reader = Reader(lambda _: (None, Auditd()))
    call, cwd, other = (
        f"type={kind} msg=audit(1.1:{serial}): x=1" for kind, serial in (("SYSCALL", 7), ("CWD", 7), ("CWD", 8))
    )
    assert reader.take(envelope(0, "db1", ["no audit record", call])) == ["no audit record"]
    assert reader.take(envelope(1, "db1", [cwd, other])) == [call, cwd]


def test_where_and_when_a_line_was_received_stands_beside_it() -> None:
    told = {"agent.name": "col01", "input.type": "udp", "log.source.address": "192.0.2.7", "x": "left out"}
    value = {"v": 1, "id": 7, "received": 1_767_225_599_000, "origin": "o", "from": told, "lines": ["A1"]}
    gathered = Gathered(TOPIC, 0)
    gathered.add(Sent(0, orjson.dumps(value), [("soc-envelope", b"1")]), Letters())
    gathered.add(Sent(1, b"A2", timestamp=1_767_225_600_000), Letters())
    frame = gathered.batch(gathered.frame()).records
    assert frame["agent.name"].to_list() == ["col01", None]
    assert frame["log.source.address"].to_list() == ["192.0.2.7", None]
    assert frame["event.created"].dt.to_string("%F %T").to_list() == ["2025-12-31 23:59:59", "2026-01-01 00:00:00"]
    assert not {"log.file.path", "x"} & set(frame.columns)
    assert frame.schema["event.created"] == pl.Datetime("us", "UTC")
