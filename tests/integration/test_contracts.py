"""The real sinks and sources keep the promises of tests/connectors/test_sinks.py and test_sources.py."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from connectors.elastic import Cluster, ElasticSink, connect, setup
from connectors.kafka import Connection, DeadLetters, KafkaSource, KafkaWriter
from dashboards import templates
from detectors.contracts import Sink
from tests.connectors.test_sinks import (  # noqa: F401 - the contract, run here on another sink
    test_a_batch_that_overlaps_adds_only_what_is_new,
    test_a_match_may_come_before_its_finding,
    test_columns_beyond_the_schema_do_no_harm,
    test_findings_written_again_are_known,
    test_matches_written_again_are_known,
    test_what_exceptions_took_is_kept_once,
)
from tests.connectors.test_sources import (  # noqa: F401 - the contract, run here on another source
    LINES,
    Opener,
    test_commit_may_be_repeated,
    test_every_record_comes_once_in_order_with_its_place,
    test_what_was_not_committed_comes_again_under_the_same_names,
)
from tests.integration.servers import Elasticsearch, Kafka

pytestmark = pytest.mark.integration


@pytest.fixture
def sink(elasticsearch_server: Elasticsearch, kafka_server: Kafka) -> Iterator[Sink]:
    """An Elasticsearch without our documents, written to as the user of production."""
    server = elasticsearch_server
    admin = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca))
    setup(admin, templates.bodies(templates.read()))
    for index in admin.indices.get(index="soc-findings-*,soc-matches-*,soc-suppressed-*"):
        admin.indices.delete(index=index)
    admin.close()
    writer = connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca))
    opened = ElasticSink(writer, DeadLetters(Connection((kafka_server.address,), patience=15)))
    yield opened
    opened.close()


@pytest.fixture
def opened(kafka_server: Kafka) -> Iterator[Opener]:
    """A topic of its own with the lines of the contract; nothing is committed between two openings."""
    connection = Connection((kafka_server.address,), patience=15)
    dead = DeadLetters(connection)
    source = f"test{uuid.uuid4().hex[:12]}"
    writer = KafkaWriter(connection, dead)
    assert writer.send(source, LINES, "syslog:192.0.2.7") == 0
    writer.close()
    yield lambda: KafkaSource(connection, [source], group=f"g-{source}", dead=dead, bounded=True, seconds=30)
    dead.close()
