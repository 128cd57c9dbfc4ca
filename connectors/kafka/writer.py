"""Writing to Kafka: log lines in envelopes, and the lines nobody could read."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterable, Mapping
from typing import Protocol

import orjson
import polars as pl
from kafka import KafkaProducer
from kafka.errors import KafkaError

from connectors.envelope import HEADER, MAX_BYTES, VERSION, TooLong, pack, words
from connectors.kafka.connection import DEAD_TOPIC, RAW, Connection
from detectors.contracts import Written
from detectors.identity import event_id
from detectors.schema import DEAD

# The client buffers without limit; more unconfirmed bytes than this and `put` waits for the brokers first.
UNCONFIRMED = 32 * 1024 * 1024

# The longest raw text a dead letter keeps: JSON may make it six times as long ("\u0000"), and all must fit one record.
KEPT = MAX_BYTES // 7


class Answer(Protocol):
    """What the client promises for a record sent."""

    def get(self, timeout: float) -> object: ...


class Outbox:
    """A producer that is asked for every answer: `flush` returns only when the brokers have everything."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answers: list[Answer] = []
        self._unconfirmed = 0
        with connection.reaching("be reached"):
            # Idempotence and acks are the client's defaults, written down because delivery relies on them.
            self._producer = KafkaProducer(
                **connection.options(),
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=20,
                batch_size=256 * 1024,
                max_block_ms=connection.milliseconds,
                delivery_timeout_ms=connection.milliseconds * 2,
            )

    def put(self, topic: str, value: bytes, key: str, headers: Mapping[str, str], received: int | None = None) -> None:
        """Hand a record to the producer; it is safe after `flush`. Records of one key stay in order.

        `received` is the record's time in milliseconds since 1970, where that isn't now.
        """
        if self._unconfirmed > UNCONFIRMED:
            self.flush()
        self._unconfirmed += len(value)
        packed = [(name, words(header).encode()) for name, header in headers.items()]
        with self._connection.reaching(f"write to {topic}"):
            answer = self._producer.send(
                topic, value=value, key=words(key).encode(), headers=packed, timestamp_ms=received
            )
            self._answers.append(answer)

    def flush(self) -> None:
        """Wait for the brokers; raise UnavailableError if a record may be missing and should be sent again."""
        answers, self._answers, self._unconfirmed = self._answers, [], 0
        with self._connection.reaching("store what was sent"):
            self._producer.flush(timeout=self._connection.patience * 2)
            for answer in answers:
                answer.get(timeout=0)

    def close(self) -> None:
        """Flush, then hang up whatever the flush said."""
        try:
            self.flush()
        finally:
            with contextlib.suppress(KafkaError):
                self._producer.close(timeout=1)

    def abandon(self) -> None:
        """Hang up at once, whatever isn't sent: for those who send it again on another connection."""
        self._answers.clear()
        with contextlib.suppress(KafkaError):
            self._producer.close(timeout=0)


class DeadLetters:
    """Keeps in the topic `soc.dead` what could not become an event, each with its reason.

    A letter's key is the name its event would have had, so a letter written twice is known by its key.
    """

    def __init__(self, connection: Connection) -> None:
        self._outbox = Outbox(connection)

    def write(self, frame: pl.DataFrame) -> Written:
        """Store a DEAD frame; return when the brokers have it."""
        for row in frame.select(DEAD.names()).iter_rows(named=True):
            self._put(row, row["event.original"] or "", "text")
        self.flush()
        return Written(created=frame.height)

    def add(self, *, source: str, origin: str, offset: int, raw: bytes, reason: str) -> None:
        """Put aside a whole record that isn't text, its bytes in base64; it is safe after `flush`."""
        row = {
            "log.offset": offset,
            "soc.index": 0,
            "soc.source": source,
            "soc.origin": origin,
            "error.message": reason,
        }
        self._put(row, base64.b64encode(raw).decode(), "base64")

    def flush(self) -> None:
        """Return when every letter so far is safe."""
        self._outbox.flush()

    def close(self) -> None:
        """Flush and hang up."""
        self._outbox.close()

    def _put(self, row: Mapping[str, object], original: str, encoding: str) -> None:
        self._outbox.put(DEAD_TOPIC, *letter(row, original, encoding))


def letter(row: Mapping[str, object], original: str, encoding: str = "text") -> tuple[bytes, str, dict[str, str]]:
    """Return value, key and headers of the dead letter that a row of a DEAD frame is."""
    reason = words(str(row["error.message"] or "no reason given"))[:1000]
    if len(original.encode("utf-8", "replace")) > KEPT:
        reason += f" (kept the first {KEPT:,} of {len(original):,} characters; the whole stands at the origin)"
        original = original.encode("utf-8", "replace")[:KEPT].decode("utf-8", "ignore")
    value = {**row, "event.original": words(original), "error.message": reason, "soc.encoding": encoding}
    place = [str(row[name]) for name in ("soc.source", "soc.origin", "log.offset", "soc.index")]
    offset, index = (int(part) if part.lstrip("-").isdigit() else -1 for part in place[2:])
    headers = dict(zip(("source", "origin", "offset", "index"), place, strict=True))
    return (
        orjson.dumps(value),
        event_id(place[0], place[1], offset, index, original),
        {**headers, "reason": reason, "encoding": encoding},
    )


class KafkaWriter:
    """Sends the lines of a source to its topic. Lines of one origin go to one partition and stay in order."""

    def __init__(self, connection: Connection, dead: DeadLetters) -> None:
        self._outbox = Outbox(connection)
        self._dead = dead

    def send(self, source: str, lines: Iterable[str], origin: str) -> int:
        """Pack and send lines; return how many were too long and went to `soc.dead`. Safe after `flush`."""
        refused = 0
        for packed in pack(lines, origin):
            if isinstance(packed, TooLong):
                self._refuse(source, packed, origin)
                refused += 1
            else:
                self._outbox.put(RAW + source, packed, origin, {HEADER: str(VERSION)})
        return refused

    def _refuse(self, source: str, long: TooLong, origin: str) -> None:
        row: dict[str, object] = {
            "log.offset": long.number,
            "soc.index": 0,
            "soc.source": source,
            "soc.origin": origin,
            "error.message": f"a line of {len(long.line):,} characters doesn't fit an envelope of {MAX_BYTES:,} bytes",
        }
        self._dead.write(pl.DataFrame([{**row, "event.original": words(long.line[:MAX_BYTES])}], schema=DEAD))

    def flush(self) -> None:
        """Return when the brokers have every line sent; only then may the shipper forget them."""
        self._outbox.flush()

    def close(self) -> None:
        """Flush and hang up."""
        self._outbox.close()
