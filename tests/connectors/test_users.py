"""Users and the transform, on a small HTTP server: the Elasticsearch of the tests has no place for users of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from connectors.elastic.client import Cluster, connect
from connectors.elastic.setup import carry_out, steps
from connectors.elastic.steps import look, undo
from connectors.elastic.users import grant
from dashboards import installation

Json = dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    things: dict[str, Json]
    asked: list[str]

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        self.asked.append(f"{self.command} {path}")
        if self.command == "GET" and path not in self.things:
            return self._say(404, {})
        if self.command == "PUT":
            self.things[path] = {**self.things.get(path, {}), **body}
        if self.command == "DELETE":
            self.things.pop(path, None)
        return self._say(200, self._shown(path) if self.command == "GET" else {"acknowledged": True})

    def _shown(self, path: str) -> Json:
        name, thing = path.rpartition("/")[2], self.things[path]
        if path.startswith("/_transform"):
            return {"count": 1, "transforms": [{"id": name, "version": "9.5.0", **thing}]}
        if path.startswith("/_security/user"):
            thing = {key: value for key, value in thing.items() if key != "password"} | {"enabled": True}
        return {name: thing}

    def _say(self, status: int, body: Json) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("X-Elastic-Product", "Elasticsearch"), ("Content-Type", "application/json"),
                            ("Content-Length", str(len(data)))):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the names are the library's


@pytest.fixture
def served() -> Iterator[tuple[Elasticsearch, type[Handler]]]:
    handler = type("Bound", (Handler,), {"things": {}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    client = connect(Cluster((f"http://127.0.0.1:{server.server_address[1]}",)))
    yield client, handler
    client.close()
    server.shutdown()
    server.server_close()


def test_a_user_gets_a_password_once_and_roles_beside_those_it_has(served: tuple[Elasticsearch, type[Handler]]) -> None:
    client, server = served
    made = grant(client, "minh", "soc_analyst")
    assert (made.outcome, len(made.password) > 20) == ("created", True)
    assert server.things["/_security/user/minh"]["roles"] == ["soc_analyst"]
    assert grant(client, "minh", "soc_analyst").outcome == "unchanged"
    again = grant(client, "minh", "soc_verdicts")
    assert (again.outcome, again.password) == ("updated", "")
    kept = server.things["/_security/user/minh"]
    assert kept["roles"] == ["soc_analyst", "soc_verdicts"]
    assert kept["password"] == made.password


def test_roles_policy_and_transform_are_known_again(served: tuple[Elasticsearch, type[Handler]]) -> None:
    client, server = served
    access = installation.read()
    whole = steps(installation.roles(access) | installation.readers(access, ["H21.1"]) | installation.latest(access))
    assert {found.outcome for found in carry_out(client, look(client, whole)).things} == {"created"}
    assert {found.outcome for found in look(client, whole)} == {"unchanged"}
    changed = steps(installation.latest(access.model_copy(update={"latest": {**access.latest, "frequency": "1m"}})))
    assert [found.outcome for found in look(client, changed)] == ["updated"]
    anew = [  # a transform is never changed: it is stopped, deleted and made anew
        "POST /_transform/soc-entity-latest/_stop",
        "DELETE /_transform/soc-entity-latest",
        "PUT /_transform/soc-entity-latest",
    ]
    done = carry_out(client, look(client, changed))
    assert server.asked[-3:] == anew
    assert undo(client, done.before) == []
    assert server.asked[-3:] == anew
    assert server.things["/_transform/soc-entity-latest"]["frequency"] == "5m"
