"""The Elasticsearch sink on a real server, as the user it has in production."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest
from elasticsearch import AuthorizationException, ConflictError
from elasticsearch import Elasticsearch as Client

from connectors.elastic import Cluster, ElasticSink, Retry, check, connect, setup
from dashboards import templates
from detectors.contracts import Written
from detectors.errors import UnavailableError
from detectors.schema import DEAD, FINDING, MATCH, SUPPRESSED
from tests.integration.servers import Elasticsearch

pytestmark = pytest.mark.integration
BODIES = templates.bodies(templates.read())
AT = datetime(2026, 1, 31, 23, 59, 59, 123456, UTC)


def cluster(server: Elasticsearch, user: str) -> Cluster:
    return Cluster((server.url,), user, server.passwords[user], server.ca, timeout=10)


@pytest.fixture(scope="module")
def admin(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    client = connect(cluster(elasticsearch_server, "admin"))
    setup(client, BODIES)
    yield client
    client.close()


class Kept:
    """Dead letters in memory."""

    def __init__(self) -> None:
        self.frames: list[pl.DataFrame] = []

    def write(self, frame: pl.DataFrame) -> Written:
        self.frames.append(frame)
        return Written(created=frame.height)

    def close(self) -> None:
        pass


@pytest.fixture
def sink(elasticsearch_server: Elasticsearch, admin: Client) -> Iterator[ElasticSink]:  # noqa: ARG001  # installs templates
    sink = ElasticSink(connect(cluster(elasticsearch_server, "writer")), Kept(), Retry(attempts=2, first=0.05))
    yield sink
    sink.close()


def finding(**columns: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(FINDING)
    row |= {"@timestamp": AT, "event.id": uuid.uuid4().hex, "rule.id": "r1", "event.severity": 73}
    return row | {name.replace("__", "."): value for name, value in columns.items()}


def findings(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=FINDING)


def stored(admin: Client, index: str, name: str) -> dict[str, Any]:
    return dict(admin.get(index=index, id=name)["_source"])


def test_a_finding_stands_there_once_and_whole(sink: ElasticSink, admin: Client) -> None:
    evidence = [{"event.id": "e1", "event.original": "a\x00b", "fields": {"x.y": 1, "x": "z"}}]
    frame = findings(
        finding(
            message="Đăng nhập thất bại",
            source__ip=["192.0.2.1", "not an address"],
            soc__evidence=orjson.dumps(evidence).decode(),
            process__command_line=["x" * 40_000],
            threat__technique__id=["T1110"],
        )
    )
    assert sink.findings(frame) == Written(created=1)
    first = stored(admin, "soc-findings-2026.01.01", frame["event.id"][0])
    assert sink.findings(frame) == Written(known=1)
    document = stored(admin, "soc-findings-2026.01.01", frame["event.id"][0])
    assert document == first  # event.ingested too: the first time counts
    assert document["@timestamp"] == "2026-01-31T23:59:59.123456+00:00"
    assert document["message"] == "Đăng nhập thất bại"
    assert document["soc"]["evidence"] == evidence
    assert document["threat"] == {"technique": {"id": ["T1110"]}}
    assert "risk_score" not in document["event"]
    admin.indices.refresh(index="soc-findings")
    by_address = admin.search(index="soc-findings", query={"term": {"source.ip": "192.0.2.0/24"}})
    assert frame["event.id"][0] in [hit["_id"] for hit in by_address["hits"]["hits"]]


def test_a_finding_goes_to_the_month_of_its_window(sink: ElasticSink, admin: Client) -> None:
    february = datetime(2026, 2, 1, tzinfo=UTC)
    frame = findings(
        finding(soc__window__start=february),
        finding(**{"@timestamp": None}),
        finding(**{"@timestamp": AT.replace(9999)}),
    )
    assert sink.findings(frame).created == 3
    for month, name in zip(("2026.02.01", "1970.01.01", "1970.01.01"), frame["event.id"], strict=True):
        assert admin.exists(index=f"soc-findings-{month}", id=name)


def test_matches_stand_there_once(sink: ElasticSink, admin: Client) -> None:
    name = uuid.uuid4().hex
    row = {**dict.fromkeys(MATCH), "@timestamp": AT, "soc.match.id": name, "event.id": ["e1", "e2"], "rule.id": "r"}
    frame = pl.DataFrame([row, row], schema=MATCH)
    assert sink.matches(frame) == Written(created=1, known=1)
    assert stored(admin, "soc-matches-2026.01.01", name)["event"]["id"] == ["e1", "e2"]


def test_what_exceptions_took_stands_there_once(sink: ElasticSink, admin: Client) -> None:
    name = uuid.uuid4().hex
    row = {**dict.fromkeys(SUPPRESSED), "@timestamp": AT, "soc.suppressed.id": name, "soc.exception.id": "x"}
    frame = pl.DataFrame([row, row], schema=SUPPRESSED)
    assert sink.suppressed(frame) == Written(created=1, known=1)
    assert stored(admin, "soc-suppressed-2026.01.01", name)["soc"]["exception"]["id"] == "x"


def test_thousands_go_in_requests_of_bounded_size(sink: ElasticSink) -> None:
    big = orjson.dumps(["x" * 1_000_000]).decode()
    frame = findings(*(finding(soc__evidence=big if n % 500 == 0 else None) for n in range(4_500)))
    assert sink.findings(frame) == Written(created=4_500)
    assert sink.findings(frame) == Written(known=4_500)


def test_a_document_the_server_refuses_costs_only_itself(sink: ElasticSink, admin: Client) -> None:
    admin.indices.create(index="soc-findings-2012.01.01", mappings={"properties": {"rule": {"type": "date"}}})
    frame = findings(finding(), finding(**{"@timestamp": AT.replace(2012)}), finding())
    written = sink.findings(frame)
    assert written.created == 2
    ((name, reason),) = written.refused
    assert name == frame["event.id"][1]
    assert "document_parsing_exception" in reason
    assert not admin.exists(index="soc-findings-2012.01.01", id=name)


@pytest.mark.parametrize("evidence", ["[" * 1000 + "]" * 1000, "[" * 250 + "]" * 250, "no JSON", '{"a":NaN}', "[1,2"])
def test_odd_evidence_costs_no_finding(sink: ElasticSink, admin: Client, evidence: str) -> None:
    frame = findings(finding(soc__evidence=evidence))
    assert sink.findings(frame) == Written(created=1)
    found = stored(admin, "soc-findings-2026.01.01", frame["event.id"][0])["soc"]["evidence"]
    assert found in (evidence, orjson.loads("[" * 250 + "]" * 250))


def test_a_document_too_large_to_send_is_refused(sink: ElasticSink) -> None:
    huge = findings(finding(soc__evidence='"' + "x" * 21 * 1024 * 1024 + '"'), finding())
    written = sink.findings(huge)
    assert written.created == 1
    assert [name for name, _ in written.refused] == [huge["event.id"][0]]


def test_dead_letters_are_handed_on(elasticsearch_server: Elasticsearch) -> None:
    kept = Kept()
    sink = ElasticSink(connect(cluster(elasticsearch_server, "writer")), kept)
    assert sink.dead(DEAD.to_frame()) == Written()
    assert len(kept.frames) == 1
    sink.close()


def test_the_writer_can_neither_overwrite_nor_delete(sink: ElasticSink, elasticsearch_server: Elasticsearch) -> None:
    frame = findings(finding())
    sink.findings(frame)
    place = {"index": "soc-findings-2026.01.01", "id": frame["event.id"][0]}
    writer = connect(cluster(elasticsearch_server, "writer"))
    with pytest.raises(AuthorizationException):
        writer.index(**place, document={"rule": {"id": "forged"}})
    with pytest.raises(AuthorizationException):
        writer.delete(**place)
    with pytest.raises(ConflictError):
        writer.create(**place, document={"rule": {"id": "forged"}})
    writer.close()


@pytest.mark.parametrize(("user", "password"), [("writer", "wrong"), ("reader", None)])
def test_without_the_right_nothing_is_refused_and_all_waits(
    elasticsearch_server: Elasticsearch, user: str, password: str | None
) -> None:
    access = cluster(elasticsearch_server, user)
    client = connect(replace(access, password=password) if password else access)
    sink = ElasticSink(client, Kept(), Retry(attempts=1))
    with pytest.raises(UnavailableError, match=r"40[13]"):
        sink.findings(findings(finding()))
    sink.close()


def test_a_full_cluster_refuses_nothing(sink: ElasticSink, admin: Client) -> None:
    frame = findings(finding(**{"@timestamp": AT.replace(2011)}))  # a month that needs a new index
    admin.cluster.put_settings(persistent={"cluster.max_shards_per_node": 1})
    try:
        with pytest.raises(UnavailableError, match="shards"):
            sink.findings(frame)
    finally:
        admin.cluster.put_settings(persistent={"cluster.max_shards_per_node": None})
    assert sink.findings(frame) == Written(created=1)


def test_setup_is_idempotent_and_updates(admin: Client) -> None:
    name = f"soc-test{uuid.uuid4().hex[:8]}"
    path = f"_component_template/{name}@mappings"
    body: dict[str, Any] = {"_meta": {"fingerprint": "one"}}
    body["template"] = {"mappings": {"dynamic": False, "properties": {"a": {"type": "keyword"}}}}
    assert setup(admin, {path: body}) == {path: "created"}
    assert setup(admin, {path: body}) == {path: "unchanged"}
    admin.indices.create(index=f"{name}-2026.01.01", mappings=body["template"]["mappings"])
    body["_meta"] = {"fingerprint": "two"}
    body["template"]["mappings"]["properties"]["b"] = {"type": "ip"}
    assert setup(admin, {path: body}) == {path: "updated"}
    mapping = admin.indices.get_mapping(index=f"{name}-*")[f"{name}-2026.01.01"]["mappings"]
    assert mapping["properties"].keys() == {"a", "b"}
    admin.indices.delete(index=f"{name}-2026.01.01")
    admin.cluster.delete_component_template(name=f"{name}@mappings")


def test_check_finds_nothing_wrong_with_the_writer_and_too_many_rights_with_the_admin(
    elasticsearch_server: Elasticsearch, admin: Client
) -> None:
    writer = connect(cluster(elasticsearch_server, "writer"))
    assert {what: fault for what, fault in check(writer, BODIES) if fault} == {}
    faults = [str(fault) for _, fault in check(admin, BODIES) if fault]
    assert faults == ["user admin may also delete, index, write; write as a user with create_doc only"]
    reader = connect(cluster(elasticsearch_server, "reader"))
    assert any(isinstance(fault, UnavailableError) for _, fault in check(reader, BODIES))
    for client in (writer, reader):
        client.close()


def test_check_sees_a_template_that_is_not_ours(admin: Client) -> None:
    other = {name: {**body, "_meta": {"fingerprint": "newer"}} for name, body in BODIES.items()}
    assert sum("soc setup" in str(fault) for _, fault in check(admin, other)) == len(BODIES)


def test_a_server_that_is_down_costs_time_only(
    elasticsearch_server: Elasticsearch, sink: ElasticSink, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    frame = findings(finding())
    sink.findings(frame)
    later = findings(finding())
    elasticsearch_server.kill()
    try:
        with pytest.raises(UnavailableError, match="Elasticsearch"):
            sink.findings(later)
    finally:
        elasticsearch_server.start()
    assert sink.findings(pl.concat([frame, later])) == Written(created=1, known=1)
