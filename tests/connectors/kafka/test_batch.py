from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import orjson

from connectors.kafka.batch import Gathered
from detectors.schema import RECORD


@dataclass
class Sent:
    """A Kafka record as the client hands it over."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = 0


class Letters:
    """Remembers the reasons of dead letters."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def add(self, *, source: str, origin: str, offset: int, raw: bytes, reason: str) -> None:
        self.reasons.append(f"{source} {origin} {offset} {raw!r} {reason}")


def envelope(offset: int, *lines: str) -> Sent:
    return Sent(offset, orjson.dumps({"v": 1, "origin": "o", "lines": lines}), [("soc-envelope", b"1")])


def test_every_line_gets_its_offset_and_index() -> None:
    gathered, letters = Gathered("soc.raw.sshd", 3), Letters()
    for record in (envelope(5, "a", "b"), envelope(6), Sent(9, b"c\xff"), envelope(10, "d"), Sent(11, None)):
        gathered.add(record, letters)
    batch = gathered.batch(gathered.frame())
    assert (batch.source, batch.origin, batch.label) == ("sshd", "kafka:soc.raw.sshd:3", "soc.raw.sshd[3]")
    assert batch.records.schema == RECORD
    assert batch.records.rows() == [("a", 5, 0), ("b", 5, 1), ("c\\xff", 9, 0), ("d", 10, 0), ("", 11, 0)]
    assert gathered.after == 12
    assert letters.reasons == []


def test_a_malformed_envelope_is_passed_over_and_reported() -> None:
    gathered, letters = Gathered("soc.raw.sshd", 0), Letters()
    gathered.add(Sent(5, b"{", [("soc-envelope", b"1")]), letters)
    assert (gathered.lines, gathered.after) == ([], 6)
    assert len(letters.reasons) == 1
    assert letters.reasons[0].startswith("sshd kafka:soc.raw.sshd:0 5 b'{' the envelope isn't JSON")


def test_json_without_the_header_is_a_line() -> None:
    gathered = Gathered("soc.raw.app", 0)
    gathered.add(Sent(0, envelope(0, "a").value), Letters())
    assert gathered.lines == ['{"v":1,"origin":"o","lines":["a"]}']


def test_a_batch_was_received_when_its_latest_record_was() -> None:
    gathered = Gathered("soc.raw.app", 0)
    for offset, timestamp in enumerate((1767225599000, 1767225600000, 0)):  # 2025-12-31T23:59:59Z and a second later
        gathered.add(Sent(offset, b"a", timestamp=timestamp), Letters())
    assert gathered.batch(gathered.frame()).received == date(2026, 1, 1)


def test_records_without_a_time_give_no_date() -> None:
    gathered = Gathered("soc.raw.app", 0)
    gathered.add(Sent(0, b"a", timestamp=-1), Letters())
    assert gathered.batch(gathered.frame()).received is None
