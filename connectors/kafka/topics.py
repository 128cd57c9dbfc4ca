"""The topics this program needs: made by `soc setup`, looked after by `soc doctor`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import TopicAlreadyExistsError

from connectors.kafka.connection import DEAD_TOPIC, RAW, Connection
from detectors.errors import SocError, UnavailableError, UsageError

DAY = 24 * 3600 * 1000  # milliseconds
KEPT = {"retention.ms": str(7 * DAY)}
KEPT_DEAD = {"retention.ms": str(90 * DAY)}  # time for somebody to write the missing source definition


def setup(connection: Connection, sources: Sequence[str], *, partitions: int, replication: int) -> dict[str, str]:
    """Make the topics of these sources and `soc.dead`; say of each whether it was created or unchanged."""
    wanted = {RAW + source: (partitions, KEPT) for source in sources} | {DEAD_TOPIC: (1, KEPT_DEAD)}
    done = {}
    with connected(connection) as admin:
        for topic, (count, settings) in wanted.items():
            options = {"num_partitions": count, "replication_factor": replication, "configs": settings}
            done[topic] = create(admin, topic, options)
    return done


def create(admin: KafkaAdminClient, topic: str, options: dict[str, object]) -> str:
    """Make one topic and say what happened."""
    try:
        admin.create_topics({topic: options}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return "unchanged"
    return "created"


def check(connection: Connection, sources: Sequence[str]) -> Iterator[tuple[str, SocError | None]]:
    """Yield what was looked at and the fault found there, if any: the brokers, then each topic."""
    where = f"Kafka at {', '.join(connection.servers)}"
    try:
        with connected(connection) as admin:
            there = set(admin.list_topics())
    except UnavailableError as fault:
        yield where, fault
        return
    yield where, None
    for topic in [*(RAW + source for source in sources), DEAD_TOPIC]:
        missing = UsageError(f"the topic {topic} doesn't exist", fix="run `soc setup`")
        yield f"topic {topic}", None if topic in there else missing


def held(connection: Connection, sources: Sequence[str]) -> list[str]:
    """Return which topics of these sources hold records."""
    with connection.reaching("be asked what its topics hold"):
        consumer = KafkaConsumer(**connection.options())
        try:
            wanted = {RAW + source for source in sources}
            parts = [
                TopicPartition(topic, number)
                for topic in sorted(wanted & set(consumer.topics()))
                for number in consumer.partitions_for_topic(topic) or ()
            ]
            first, last = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
            return sorted({each.topic for each in parts if last[each] > first[each]})
        finally:
            consumer.close()


@contextlib.contextmanager
def connected(connection: Connection) -> Iterator[KafkaAdminClient]:
    """Open an administrator's connection for a moment."""
    with connection.reaching("be administered"):
        admin = KafkaAdminClient(**connection.options())
        try:
            yield admin
        finally:
            admin.close()
