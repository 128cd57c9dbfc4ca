"""`soc setup` on a real server: twice, with conflicts, over an older installation, without rights, and back again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from elasticsearch import AuthorizationException, NotFoundError
from elasticsearch import Elasticsearch as Client

from connectors.elastic import Cluster, connect
from connectors.elastic.setup import LOWER, check
from dashboards import templates
from flows.cli import main
from tests.integration.servers import Elasticsearch

pytestmark = pytest.mark.integration
BODIES = templates.bodies(templates.read())
Soc = Callable[..., int]


@pytest.fixture
def admin(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    """A server without anything of ours."""
    server = elasticsearch_server
    client = connect(Cluster((server.url,), "admin", server.passwords["admin"], server.ca, timeout=30))
    clean(client)
    yield client
    clean(client)
    client.close()


def clean(client: Client) -> None:
    for index in client.indices.get(index="soc-*"):
        client.indices.delete(index=index)
    for path in reversed([*BODIES, "_index_template/other"]):
        client.options(ignore_status=404).perform_request("DELETE", f"/{path}", headers={"accept": "application/json"})


@pytest.fixture
def soc(elasticsearch_server: Elasticsearch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Soc:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, user: str = "admin") -> int:
        server = elasticsearch_server
        elastic = {"url": server.url, "username": user, "ca": str(server.ca)}
        Path("soc.yml").write_text(yaml.safe_dump({"elastic": elastic}), "utf-8")
        monkeypatch.setenv("SOC_ELASTIC__PASSWORD", server.passwords[user])
        return main(["setup", *arguments])

    return run


def mapped(client: Client, index: str) -> dict[str, Any]:
    return dict(client.indices.get_mapping(index=index)[index]["mappings"]["properties"])


def test_it_shows_first_installs_once_and_comes_back(
    admin: Client, soc: Soc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert soc("--dry-run") == 0
    assert "created      index template soc-findings" in capsys.readouterr().out
    with pytest.raises(NotFoundError):
        admin.indices.get_index_template(name="soc-findings")
    code = soc("--organisation", "000.01.H21")
    told = capsys.readouterr().out
    assert code == 3  # this small distribution can't keep roles, and that is said
    assert "created      component template soc-findings@mappings" in told
    assert "refused      role soc_writer" in told
    assert "not licensed role soc_reader_000.01.h21 (security_exception: current license is non-compliant" in told
    assert "not offered  lifecycle policy soc-lifecycle" in told
    assert "not offered  transform soc-entity-latest" in told
    admin.index(index="soc-findings-2026.03.01", document={"rule": {"id": "r"}}, refresh=True)
    assert admin.count(index="soc-findings")["count"] == 1  # by its alias
    assert mapped(admin, "soc-findings-2026.03.01")["event"]["properties"]["severity"] == {"type": "long"}
    soc("--no-extras")
    told = capsys.readouterr().out
    assert told.count("unchanged    ") == len(BODIES)
    assert soc("--rollback") == 0
    assert "removed      index template soc-findings" in capsys.readouterr().out
    with pytest.raises(NotFoundError):
        admin.indices.get_index_template(name="soc-findings")
    assert admin.count(index="soc-findings")["count"] == 1  # documents stay
    assert soc("--rollback") == 2
    assert "nothing is recorded" in capsys.readouterr().err


def test_an_older_installation_is_brought_up_without_loss(
    admin: Client, soc: Soc, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {"index_patterns": ["soc-findings-*"], "priority": 500, "_meta": {"fingerprint": "old"},
           "template": {"aliases": {"soc-findings": {}}, "mappings": {"dynamic": False, "properties": {
               "rule": {"properties": {"id": {"type": "text"}}}, "message": {"type": "text"}}}}}  # fmt: skip
    admin.indices.put_index_template(name="soc-findings", body=old)
    admin.index(index="soc-findings-2025.11.01", id="a", document={"rule": {"id": "r1"}}, refresh=True)
    assert soc("--dry-run") == 0
    told = capsys.readouterr().out
    assert "updated      index template soc-findings\n" in told
    assert "    + composed_of: ecs@mappings, soc@settings, soc-findings@mappings" in told
    soc("--no-extras")
    told = capsys.readouterr().out
    assert "kept         index soc-findings-2025.11.01 as it is" in told
    assert "cannot be changed from type [text] to [keyword]" in told
    assert admin.get(index="soc-findings-2025.11.01", id="a")["_source"] == {"rule": {"id": "r1"}}
    admin.index(index="soc-findings-2025.12.01", document={"rule": {"id": "r1"}}, refresh=True)
    assert mapped(admin, "soc-findings-2025.12.01")["rule"]["properties"]["id"]["type"] == "keyword"
    assert admin.count(index="soc-findings")["count"] == 2
    assert soc("--rollback") == 0
    kept = admin.indices.get_index_template(name="soc-findings")["index_templates"][0]["index_template"]
    assert kept["_meta"] == {"fingerprint": "old"}


def test_a_template_of_others_in_the_way_is_named_and_nothing_is_left_half_done(
    admin: Client, soc: Soc, capsys: pytest.CaptureFixture[str]
) -> None:
    admin.indices.put_index_template(name="other", index_patterns=["soc-mat*"], priority=500)
    assert soc() == 3
    told = capsys.readouterr().err
    assert "can't install the index template soc-matches" in told
    assert "what was done before is taken back" in told
    assert "another template takes the same indices: delete it, or give it another priority than 500" in told
    for path in BODIES:
        answer = admin.options(ignore_status=404).perform_request(
            "GET", f"/{path}", headers={"accept": "application/json"}
        )
        assert answer.meta.status == 404, path


def test_a_template_of_others_above_ours_is_named(admin: Client, soc: Soc, capsys: pytest.CaptureFixture[str]) -> None:
    admin.indices.put_index_template(name="other", index_patterns=["soc-mat*"], priority=600)
    for words in (["--dry-run"], []):
        assert soc(*words) == 3
        told = capsys.readouterr().out
        assert "overruled    index template soc-matches by other (priority 600): delete that template" in told
        assert told.count("overruled") == 1
    faults = [str(fault) for what, fault in check(admin, BODIES) if fault and "soc-matches" in what]
    assert faults == [f"it is overruled by other (priority 600); {LOWER}"]


@pytest.mark.parametrize("user", ["writer", "analyst", "verdicts"])
def test_without_the_right_nothing_is_done(
    admin: Client, soc: Soc, capsys: pytest.CaptureFixture[str], user: str
) -> None:
    assert soc(user=user) == 3
    assert "HTTP 403" in capsys.readouterr().err
    with pytest.raises(NotFoundError):
        admin.indices.get_index_template(name="soc-findings")


def test_roles_let_people_do_their_work_and_no_more(elasticsearch_server: Elasticsearch, admin: Client) -> None:
    admin.index(index="soc-findings-2026.03.01", id="a", document={"rule": {"id": "r"}}, refresh=True)
    admin.index(index=".alerts-security.alerts-default", id="x", document={"n": 1}, refresh=True)
    clients = {
        user: connect(Cluster((elasticsearch_server.url,), user, elasticsearch_server.passwords[user],
                              elasticsearch_server.ca))
        for user in ("writer", "analyst", "verdicts")
    }  # fmt: skip
    assert clients["analyst"].count(index="soc-findings-*")["count"] == 1
    assert clients["verdicts"].count(index=".alerts-security.alerts-default")["count"] >= 1
    refused: list[Callable[[], object]] = [
        lambda: clients["verdicts"].search(index="soc-suppressed-2026.03.01"),
        lambda: clients["verdicts"].index(index="soc-findings-2026.03.01", id="a", document={}),
        lambda: clients["verdicts"].index(index=".alerts-security.alerts-default", document={}),
        lambda: clients["analyst"].index(index="soc-findings-2026.03.01", id="a", document={}),
        lambda: clients["analyst"].delete(index="soc-findings-2026.03.01", id="a"),
        lambda: clients["writer"].index(index="soc-findings-2026.03.01", id="a", document={}),
        lambda: clients["writer"].search(index="soc-findings-2026.03.01"),
        lambda: clients["writer"].search(index=".alerts-security.alerts-default"),
    ]
    for act in refused:
        with pytest.raises(AuthorizationException):
            act()
    admin.indices.delete(index=".alerts-security.alerts-default")
    for client in clients.values():
        client.close()
