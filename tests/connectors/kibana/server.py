"""A small HTTP server that speaks the parts of Kibana's APIs we use, for their protocol: Kibana itself can't run here.

It keeps objects per space, moves them up as Kibana does (it adds what Kibana adds), and answers 200 to failed imports.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]


class State:
    """What the server holds, what it was asked, and how it is to fail."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[tuple[str, str], Json]] = defaultdict(dict)
        self.rules: dict[str, Json] = {}
        self.lists: dict[str, set[str]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.starting = 0  # so many requests more are answered by 503
        self.refuses: dict[str, str] = {}  # id of an object → why its import fails
        self.rule_fault = ""
        self.user: str | None = None  # the Authorization that is wanted
        self.page = False  # a proxy's page instead of Kibana


class Handler(BaseHTTPRequestHandler):
    state: State

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        state, url = self.state, urlsplit(self.path)
        state.asked.append((self.command, url.path, dict(self.headers)))
        space, path = re.fullmatch(r"(?:/s/([^/]+))?(/.*)", url.path).groups()  # type: ignore[union-attr]
        if state.starting > 0:
            state.starting -= 1
            return self._say(503, {"message": "License is not available."})
        if state.page:
            return self._say(200, b"<html>Log in</html>")
        if state.user and self.headers.get("Authorization") != state.user:
            return self._say(401, {"message": "security_exception: unable to authenticate"})
        if not self.headers.get("kbn-xsrf"):
            return self._say(400, {"message": "Request must contain a kbn-xsrf header."})
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        handlers = {
            "/api/saved_objects/_import": lambda: self._import(space or "default", self._file(body)),
            "/api/saved_objects/_export": lambda: self._export(space or "default", json.loads(body)),
            "/api/detection_engine/index": lambda: self._say(200, {"acknowledged": True}),
            "/api/detection_engine/rules/_import": lambda: self._rules(self._file(body)),
            "/api/lists/index": lambda: self._say(409, {"message": "index exists"}),
            "/api/lists": lambda: self._list(json.loads(body)),
            "/api/lists/items/_import": lambda: self._items(query["list_id"], self._file(body)),
            "/api/lists/items/_export": lambda: self._say(
                200, "\n".join(sorted(state.lists[query["list_id"]])).encode()
            ),
            "/api/lists/items": lambda: self._forget(query),
        }
        handlers.get(path, lambda: self._say(404, {"message": "Not Found"}))()
        return None

    def _say(self, status: int, body: Json | bytes) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _file(self, body: bytes) -> bytes:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        (part,) = (each for each in message_from_bytes(head + body).walk() if each.get_filename())
        assert str(part.get_filename()).endswith((".ndjson", ".txt"))
        found = part.get_payload(decode=True)
        assert isinstance(found, bytes)
        return found

    def _import(self, space: str, data: bytes) -> None:
        faults, done = [], 0
        for line in data.splitlines():
            each = json.loads(line)
            if why := self.state.refuses.get(each["id"]):
                faults.append({"type": each["type"], "id": each["id"], "error": {"type": why}})
                continue
            kept = {**each, "typeMigrationVersion": "10.9.0", "updated_at": "2026-07-20T00:00:00Z", "version": "Wz"}
            kept["attributes"] = {**each["attributes"], "projectRouting": "added by Kibana"}
            self.state.objects[space][each["type"], each["id"]] = kept
            done += 1
        body: Json = {"success": not faults, "successCount": done}
        self._say(200, body | ({"errors": faults} if faults else {}))

    def _export(self, space: str, asked: Json) -> None:
        there = self.state.objects[space]
        if "objects" in asked:
            keys = [(each["type"], each["id"]) for each in asked["objects"]]
            lost = [{"type": kind, "id": name, "error": {"statusCode": 404}} for kind, name in keys
                    if (kind, name) not in there]  # fmt: skip
            if lost:
                return self._say(400, {"message": "Error fetching objects to export", "attributes": {"objects": lost}})
            found = [there[key] for key in keys]
        else:
            tag = asked["hasReference"][0]
            found = [each for each in there.values() if each["type"] in asked["type"]
                     and tag["id"] in {one["id"] for one in each["references"]}]  # fmt: skip
        return self._say(200, "\n".join(json.dumps(each) for each in found).encode())

    def _rules(self, data: bytes) -> None:
        rule = json.loads(data)
        if self.state.rule_fault:
            error = {"rule_id": rule["rule_id"], "error": {"status_code": 403, "message": self.state.rule_fault}}
            return self._say(200, {"success": False, "success_count": 0, "rules_count": 1, "errors": [error]})
        self.state.rules[rule["rule_id"]] = rule
        return self._say(200, {"success": True, "success_count": 1, "rules_count": 1, "errors": []})

    def _list(self, described: Json) -> None:
        if described["id"] in self.state.lists:
            return self._say(409, {"message": "list id exists"})
        self.state.lists[described["id"]] = set()
        return self._say(200, described)

    def _items(self, name: str, data: bytes) -> None:
        self.state.lists[name] |= set(data.decode().splitlines())
        self._say(200, {"id": name})

    def _forget(self, query: dict[str, str]) -> None:
        self.state.lists[query["list_id"]].discard(query["value"])
        self._say(200, {})


@contextmanager
def serving(certificate: tuple[Path, Path] | None = None) -> Iterator[tuple[str, State]]:
    """Serve on a free port until the block ends; yield the address and the state."""
    state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}", state
    finally:
        server.shutdown()
        server.server_close()
