"""Triage in full mode: findings stand in Elasticsearch, and every verb knows them as it would in embedded mode."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from elasticsearch import Elasticsearch as Client
from polars.testing import assert_frame_equal

from connectors.elastic import Cluster, ElasticSink, connect, setup
from connectors.elastic.following import follow, follow_coverage
from connectors.nested import JSON
from connectors.store import Store
from connectors.store_wanted import Wanted
from dashboards import templates
from detectors.schema import FINDING, MATCH
from flows.cli import main
from tests.flows.triage.test_cases import AT, attack
from tests.integration.servers import Elasticsearch, free_port
from tests.integration.test_panels import Nowhere, coverage, findings
from tests.sample_findings import START, frame

pytestmark = pytest.mark.integration
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe\u2066",
    "a" * 1_000_000,
)
LONG = ("message", "rule.name", "rule.description", "soc.title.vi", "soc.group", "user.name", "process.command_line")
KEPT = {
    "event.kind",
    "soc.level",
    "soc.evidence",
    "soc.anomaly",
    "soc.decisions",
    "host.name",
}  # what must be what it is


@pytest.fixture(scope="module")
def admin(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    server = elasticsearch_server
    client = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca))
    cleared(client)
    setup(client, templates.bodies(templates.read()))
    yield client
    cleared(client)
    client.close()


def read(store: Store) -> pl.DataFrame:
    """Return all findings; JSON in them is written in one way."""
    texts = [pl.col(name).map_elements(lambda text: json.dumps(json.loads(text)), pl.String) for name in JSON]
    return store.select().with_columns(texts)


def sources(client: Client) -> list[dict[str, Any]]:
    """Return all findings as the server keeps them."""
    found = client.search(index="soc-findings", size=100, seq_no_primary_term=False)["hits"]["hits"]
    return [each["_source"] for each in found]


def cleared(client: Client) -> None:
    for index in client.indices.get(index="soc-*", allow_no_indices=True):
        client.indices.delete(index=index)


def written(server: Elasticsearch, admin: Client, found: pl.DataFrame) -> None:
    sink = ElasticSink(connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca)), Nowhere())
    assert sink.findings(found).created == found.height
    sink.close()
    admin.indices.refresh(index="soc-findings-*")


@pytest.fixture
def place(elasticsearch_server: Elasticsearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    server = elasticsearch_server
    for name, value in {
        "STORE": tmp_path / "store.sqlite",
        "ELASTIC__URL": server.url,
        "ELASTIC__USERNAME": "writer",
        "ELASTIC__PASSWORD": server.passwords["writer"],
        "ELASTIC__CA": server.ca,
        "TRIAGE__USERNAME": "verdicts",
        "TRIAGE__SPACE": "full",
        "TRIAGE__PASSWORD": server.passwords["verdicts"],
    }.items():
        monkeypatch.setenv(f"SOC_{name}", str(value))
    monkeypatch.setenv("USER", "lan")
    return tmp_path


def test_a_copy_is_the_original_and_nothing_is_copied_twice(
    elasticsearch_server: Elasticsearch, admin: Client, tmp_path: Path
) -> None:
    decisions = json.dumps([{"ask": "Là ai?", "yes": ["a", 1]}])
    whole = findings().with_columns(pl.lit(decisions).alias("soc.decisions"))
    written(elasticsearch_server, admin, whole.head(40))
    own, copy = Store(tmp_path / "own.sqlite"), Store(tmp_path / "copy.sqlite")
    own.findings(whole)
    assert follow(admin, copy, LONG_AGO) == 40
    assert follow(admin, copy, LONG_AGO) == 0
    written(elasticsearch_server, admin, whole.tail(20))
    assert follow(admin, copy, LONG_AGO) == 20
    assert_frame_equal(read(copy), read(own))
    assert copy.tally(Wanted(host="cong-dvc-01")) == own.tally(Wanted(host="cong-dvc-01"))
    assert follow(admin, Store(tmp_path / "late.sqlite"), datetime.now(UTC) + timedelta(hours=1)) == 0
    cleared(admin)


def test_the_ledger_is_copied_with_its_numbers(
    elasticsearch_server: Elasticsearch, admin: Client, tmp_path: Path
) -> None:
    server, whole = elasticsearch_server, coverage()
    sink = ElasticSink(connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca)), Nowhere())
    own, copy = Store(tmp_path / "own.sqlite"), Store(tmp_path / "copy.sqlite")
    for each in (sink, own):
        each.cover(whole)
    sink.close()
    admin.indices.refresh(index="soc-coverage-*")
    follow_coverage(admin, copy, LONG_AGO)
    assert follow_coverage(admin, copy, LONG_AGO) == 0
    assert_frame_equal(copy.coverage(), own.coverage())
    assert own.coverage(organisation="000.01.H21")["soc.events"].sum() > 0


@pytest.mark.usefixtures("place")
def test_every_verb_knows_what_stands_in_elasticsearch(
    elasticsearch_server: Elasticsearch, admin: Client, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(elasticsearch_server, admin, frame(*attack()))

    def said(*words: str) -> str:
        assert main([*words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert {line.split()[0] for line in said("findings", "list", "--ids").splitlines()} == {"a", "b", "c"}
    (line,) = said("incident", "list", "--at", AT).splitlines()
    assert "3 findings" in line
    incident = line.split()[0]
    assert "web01" in said("risk", "--at", AT)
    assert f"[{incident}]" in said("shift", "plan", "--at", AT)
    said("findings", "status", "a", "closed", "--reason", "false_positive")
    assert "     0     1     0 " in said("verdicts", "--at", AT)
    said("report", "--day", START.isoformat(), "--out", str(place / "report.html"))
    said("shift", "handover", "--at", AT, "--out", str(place / "sheet.html"))
    assert incident[:12] in (place / "report.html").read_text("utf-8")
    assert incident[:12] in (place / "sheet.html").read_text("utf-8")
    outbox = f"json://127.0.0.1:{free_port()}"  # nobody is there
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOC_NOTIFY__URLS", f'["{outbox}"]')
        assert main(["notify", "--at", AT]) == 3
    assert "didn't arrive" in capsys.readouterr().err
    said("incident", "status", incident, "closed", "--reason", "issue_resolved")
    later = {**attack()[2], "event.id": "d", "@timestamp": START + timedelta(hours=5), "soc.level": "critical"}
    written(elasticsearch_server, admin, frame(later))
    lines = said("incident", "list", "--at", AT).splitlines()
    (after,) = {line.split()[0] for line in lines} - {incident}
    assert f"Goes on from {incident}" in said("incident", "show", after)


def test_the_matches_under_a_finding_are_bounded_and_fetched_when_looked_at(
    elasticsearch_server: Elasticsearch, admin: Client, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = elasticsearch_server
    written(server, admin, frame({**attack()[0], "event.id": "with-matches"}))
    rows = [
        {"@timestamp": START + timedelta(seconds=n), "soc.match.id": f"m{n}", "rule.id": "r", "event.id": [f"e{n}"],
         "soc.source": "web", "soc.group": None, "soc.finding.id": "with-matches" if n < 5 else "another",
         "soc.silenced": None}
        for n in range(8)
    ]  # fmt: skip
    found = pl.DataFrame(rows, schema=MATCH, orient="row")
    for bound, created in ((0, 0), (3, 6), (None, 2)):
        client = connect(Cluster((server.url,), "writer", server.passwords["writer"], server.ca))
        sink = ElasticSink(client, Nowhere(), matches=bound)
        assert sink.matches(found).created == created
        sink.close()
    admin.indices.refresh(index="soc-*")
    by_one_filter = {"term": {"soc.finding.id": "with-matches"}}
    assert admin.count(index="soc-matches", query=by_one_filter)["count"] == 5
    assert admin.count(index="soc-findings", query=by_one_filter)["count"] == 1
    assert main(["findings", "show", "with-matches"]) == 0
    told = json.loads(capsys.readouterr().out)["soc"]["matches"]
    assert [line.partition(": ")[2] for line in told] == [f"web, e{n}" for n in range(5)]
    store = Store(place / "store.sqlite")
    assert store.matches_of("with-matches").height == 5
    store.close()


def test_hostile_words_in_every_field_are_kept_and_steer_nothing(
    elasticsearch_server: Elasticsearch, admin: Client, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cleared(admin)
    setup(admin, templates.bodies(templates.read()))
    texts = [name for name, kind in FINDING.items() if kind in (pl.String, pl.List(pl.String)) and name not in KEPT]
    rows = []
    for number, text in enumerate(HOSTILE):
        names = LONG if len(text) > 999 else texts
        words = {name: text if FINDING[name] == pl.String else [text] for name in names}
        rows.append({**attack()[2], **words, "soc.level": "critical", "event.id": f"h{number}"})
    written(elasticsearch_server, admin, frame(*rows))

    def said(*words: str) -> str:
        assert main([*words]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert said("findings", "list", "--ids").count("\n") == len(HOSTILE)
    incidents = [line.split()[0] for line in said("incident", "list", "--at", AT).splitlines()]
    assert len(incidents) == len(HOSTILE)  # a critical finding is one alone, and these share nothing that links
    sheet, csv = str(place / "sheet.html"), str(place / "out.csv")
    told = [
        *(["findings", "show", f"h{n}"] for n in range(len(HOSTILE))), ["findings", "list"],
        *(["incident", "show", each] for each in incidents),
        ["risk", "--at", AT], ["shift", "plan", "--at", AT], ["verdicts", "--at", AT],
        ["dashboards", "show", "finding", "--since", "2020-01-01", "--until", "2030-01-01"],
        ["report", "--day", AT, "--out", sheet], ["findings", "export", "--out", csv],
    ]  # fmt: skip
    for each in told:
        shown = said(*each)
        assert all(line.isprintable() for line in shown.splitlines()), each
        assert len(shown) < 30_000_000
    assert not re.search(r"<(script|img)", Path(sheet).read_text("utf-8"))
    lines = Path(csv).read_text("utf-8-sig")
    assert not re.search(r'(^|[,"])[=+@-]', lines.partition("\n")[2], re.MULTILINE)  # below the names of columns
    assert not set("\x1b\u202e\x07") & set(lines + Path(sheet).read_text("utf-8"))
    kept = {row["event"]["id"]: row["rule"]["description"] for row in sources(admin)}
    assert kept == {f"h{n}": text for n, text in enumerate(HOSTILE)}  # as it was sent: only what is shown is changed


@pytest.mark.usefixtures("place")
def test_a_server_that_is_away_is_told_and_nothing_is_made_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOC_ELASTIC__URL", f"https://127.0.0.1:{free_port()}")
    assert main(["shift", "plan"]) == 3
    told = capsys.readouterr()
    assert "Elasticsearch can't read soc-findings" in told.err
    assert told.out == ""
