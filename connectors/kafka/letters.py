"""The dead letters of the topic `soc.dead`, for people to read."""

from __future__ import annotations

from contextlib import closing

import orjson
import polars as pl
from kafka import KafkaConsumer, TopicPartition

from connectors.kafka.connection import DEAD_TOPIC, Connection
from detectors.schema import DEAD

TAKEN = 1_000  # letters taken from the client at a time


def letters(connection: Connection, limit: int) -> pl.DataFrame:
    """Return the last letters (DEAD), at most so many, each once; a record that is no text stands in base64."""
    with connection.reaching("be asked for dead letters"), closing(KafkaConsumer(**connection.options())) as consumer:
        parts = [TopicPartition(DEAD_TOPIC, number) for number in consumer.partitions_for_topic(DEAD_TOPIC) or ()]
        if not parts:
            return DEAD.to_frame()
        first, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
        consumer.assign(parts)
        for part in parts:
            consumer.seek(part, max(first[part], ends[part] - limit))
        found: dict[str, dict[str, object]] = {}
        while any(consumer.position(part) < ends[part] for part in parts):
            for records in consumer.poll(timeout_ms=connection.milliseconds, max_records=TAKEN).values():
                found |= {str(record.key): orjson.loads(record.value) for record in records}
    rows = [{name: value.get(name) for name in DEAD} for value in list(found.values())[-limit:]]
    return pl.DataFrame(rows, schema=DEAD).sort("soc.source", "soc.origin", "log.offset", "soc.index")
