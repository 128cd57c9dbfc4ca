"""Verdicts from Kibana's alert index, risk and incidents in full mode, as the users that production has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from elasticsearch import AuthorizationException
from elasticsearch import Elasticsearch as Client

from connectors.elastic import Cluster, connect, setup
from connectors.elastic.bulk import Bulk
from connectors.elastic.documents import documents
from connectors.store import Store
from connectors.store_cases import Cases
from dashboards import templates
from detectors.errors import UnavailableError
from flows.sections import Elastic, Triage
from flows.settings import Settings
from flows.triage import muted, reckoning, returning
from flows.triage.evidence import SLIM
from flows.triage.opening import opened
from tests.flows.triage.test_cases import attack
from tests.flows.triage.test_muted import matches
from tests.integration.servers import Elasticsearch
from tests.sample_findings import START, frame

pytestmark = pytest.mark.integration
ALERTS = ".alerts-security.alerts-{space}"
NOW = START + timedelta(hours=12)
FIELDS = {  # as Kibana maps them
    "@timestamp": {"type": "date"},
    "event.id": {"type": "keyword"},
    "event.module": {"type": "keyword"},
    "kibana.alert.uuid": {"type": "keyword"},
    "kibana.alert.workflow_status": {"type": "keyword"},
    "kibana.alert.workflow_reason": {"type": "keyword"},
    "kibana.alert.workflow_tags": {"type": "keyword"},
    "kibana.alert.workflow_status_updated_at": {"type": "date"},
}


@pytest.fixture(scope="module")
def admin(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    server = elasticsearch_server
    client = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca))
    setup(client, templates.bodies(templates.read()))
    writer = connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca))
    found = frame(*({**row, "event.module": "soc"} for row in attack()))
    Bulk(writer).write(
        documents(
            found,
            alias="soc-findings",
            id_column="event.id",
            month=("@timestamp",),
            added={"event.ingested": datetime.now(UTC)},
        )
    )
    client.indices.refresh(index="soc-findings-*")
    yield client
    writer.close()
    client.close()


@pytest.fixture
def space(admin: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"t{abs(hash(request.node.name)) % 10_000}"
    admin.indices.create(index=ALERTS.format(space=name), mappings={"properties": FIELDS})
    yield name
    admin.indices.delete(index=ALERTS.format(space=name))


@pytest.fixture
def settings(elasticsearch_server: Elasticsearch, space: str, tmp_path: Path) -> Settings:
    server = elasticsearch_server
    elastic = Elastic(url=server.url, username="writer", password=server.passwords["writer"], ca=server.ca)  # type: ignore[arg-type]
    triage = Triage(username="verdicts", password=server.passwords["verdicts"], space=space)  # type: ignore[arg-type]
    return Settings(store=tmp_path / "store.sqlite", elastic=elastic, triage=triage)


def alert(admin: Client, space: str, finding: str, hour: int, **said: Any) -> None:
    document = {
        "@timestamp": NOW.isoformat(),
        "event": {"id": finding, "module": "soc", "kind": "signal"},
        "kibana.alert.uuid": f"alert-{finding}",
        "kibana.alert.workflow_status_updated_at": (NOW + timedelta(hours=hour)).isoformat(),
    } | {f"kibana.alert.workflow_{name}": value for name, value in said.items()}
    admin.index(index=ALERTS.format(space=space), id=f"alert-{finding}", document=document, refresh=True)


def test_what_was_said_in_kibana_comes_back_once(admin: Client, space: str, settings: Settings) -> None:
    alert(admin, space, "a", 1, status="closed", reason="false_positive", tags=["vpn"])
    alert(admin, space, "b", 2, status="closed", reason="issue_resolved", tags=["True_Positive"])
    alert(admin, space, "c", 3, status="acknowledged")
    alert(admin, space, "x", 4, status="open")
    admin.index(index=ALERTS.format(space=space), document={"event": {"id": "other"}}, refresh=True)
    with opened(settings, fresh=False) as store:
        assert returning.bring(settings, store).verdicts == 4
        assert returning.bring(settings, store).verdicts == 0
        said = {finding: (status, reason) for finding, _, status, reason in Cases(store).decisions()}
        assert said == {
            "a": ("closed", "false_positive"),
            "b": ("closed", "true_positive"),
            "c": ("in_progress", None),
            "x": ("new", None),
        }
        alert(admin, space, "c", 5, status="closed", reason="duplicate")
        assert returning.bring(settings, store).verdicts == 1
        admin.indices.refresh(index="soc-verdicts")
        query = {"term": {"event.reference": "c"}}
        found = admin.search(index="soc-verdicts", query=query, sort=[{"@timestamp": "asc"}])["hits"]["hits"]
        assert [hit["_source"]["soc"]["verdict"]["status"] for hit in found][-2:] == ["in_progress", "closed"]
        rules = pl.DataFrame(Cases(store).decisions(), orient="row", schema=["finding", "time", "status", "reason"])
        assert rules.height == 4


def test_the_reader_can_change_nothing(elasticsearch_server: Elasticsearch, admin: Client, space: str) -> None:
    alert(admin, space, "a", 1, status="open")
    server = elasticsearch_server
    reader = connect(Cluster((server.url,), "verdicts", server.passwords["verdicts"], server.ca))
    with pytest.raises(AuthorizationException):
        reader.update(index=ALERTS.format(space=space), id="alert-a", doc={"kibana.alert.workflow_status": "closed"})
    reader.close()


def test_risk_and_incidents_of_findings_in_elasticsearch(admin: Client, space: str, settings: Settings) -> None:
    alert(admin, space, "a", 1, status="closed", reason="false_positive")
    with opened(settings, fresh=False) as store:
        returning.bring(settings, store)
        findings = reckoning.recent(store, NOW)
        assert set(findings["event.id"]) >= {"a", "b", "c"}
        assert findings.schema == SLIM
        found = reckoning.risk(settings, store, NOW)
        assert "203.0.113.9" not in found["name"].to_list()  # only the false alarm named it
        (incident,) = reckoning.incidents(settings, store, NOW)
        assert incident.findings == ("b", "c")
    admin.indices.refresh(index="soc-entity-risk")
    query = {"term": {"soc.entity.name": "web01"}}
    (hit,) = admin.search(index="soc-entity-risk", query=query)["hits"]["hits"]
    risk = found.row(by_predicate=pl.col("name") == "web01", named=True)["risk"]
    assert hit["_source"]["host"] == {
        "name": "web01",
        "risk": {"calculated_score_norm": risk, "calculated_level": hit["_source"]["soc"]["entity"]["level"]},
    }


def test_matches_that_make_no_finding_are_put_together(admin: Client, settings: Settings, tmp_path: Path) -> None:
    found = pl.concat(
        [
            matches("host.name=web01", "host.name=web01", "host.name=db01"),
            matches("host.name=web01", hours=-30),
            matches("host.name=web01", hours=-24 * 40),
            matches("host.name=app01", silenced=None),
        ]
    )
    Bulk(admin).write(documents(found, alias="soc-matches", id_column="soc.match.id", month=("@timestamp",), added={}))
    admin.indices.refresh(index="soc-matches-*")
    store = Store(tmp_path / "embedded.sqlite")
    store.matches(found)
    since = NOW - timedelta(days=30)
    told = muted.muted(settings, store, since, NOW).sort("rule.id", "soc.group", "@timestamp")
    assert told.height == 3
    assert told.equals(store.muted(since, NOW).sort("rule.id", "soc.group", "@timestamp"))


def test_a_user_without_rights_is_told_so(elasticsearch_server: Elasticsearch, settings: Settings) -> None:
    writer = Triage(username="writer", password=elasticsearch_server.passwords["writer"])  # type: ignore[arg-type]
    with opened(settings, fresh=False) as store, pytest.raises(UnavailableError, match="403"):
        returning.bring(settings.model_copy(update={"triage": writer}), store)
