from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from connectors.store import Store
from connectors.store_cases import Cases
from flows.cli import main
from flows.triage.duties import read
from flows.triage.notices import LONGEST, Matter, Quiet, Told, pause, to_tell
from flows.triage.notifying import _matters, message
from tests.flows.triage.test_cases import AT, attack
from tests.sample_findings import START, finding, frame

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
NIGHT = Quiet(time(22), time(6))


def test_repeats_become_ever_rarer() -> None:
    pauses = [pause(times) for times in range(1, 12)]
    assert pauses[:3] == [timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST


@pytest.mark.parametrize(
    ("matter", "told", "now", "still", "over"),
    [
        (Matter("a", "high", 1, "new"), None, NOW, True, False),
        (Matter("a", "medium", 1, "new"), None, NOW, False, False),
        (Matter("a", "high", 1, "new"), Told(1, NOW - timedelta(minutes=29)), NOW, False, False),
        (Matter("a", "high", 1, "new"), Told(1, NOW - timedelta(minutes=30)), NOW, True, False),
        (Matter("a", "high", 1, "new"), Told(2, NOW - timedelta(minutes=30)), NOW, False, False),
        (Matter("a", "high", 1, "in_progress"), Told(1, NOW - timedelta(days=3)), NOW, False, False),
        (Matter("a", "high", 1, "closed"), Told(1, NOW), NOW, False, True),
        (Matter("a", "high", 1, "closed"), Told(2, NOW, resolved=True), NOW, False, False),
        (Matter("a", "high", 1, "closed"), None, NOW, False, False),
        (Matter("a", "high", 1, "new"), None, NOW.replace(hour=23), False, False),
        (Matter("a", "high", 1, "new"), None, NOW.replace(hour=5), False, False),
        (Matter("a", "high", 1, "new"), None, NOW.replace(hour=6), True, False),
        (Matter("a", "critical", 1, "new"), None, NOW.replace(hour=23), True, False),
    ],
)
def test_what_is_told_when(matter: Matter, told: Told | None, now: datetime, still: bool, over: bool) -> None:
    known = {} if told is None else {"a": told}
    found = to_tell([matter], known, now, NIGHT, "high")
    assert (bool(found[0]), bool(found[1])) == (still, over)


class Received(BaseHTTPRequestHandler):
    messages: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Say nothing on stderr."""


@pytest.fixture
def webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    Received.messages = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Received)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SOC_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("SOC_NOTIFY__URLS", json.dumps([f"json://127.0.0.1:{server.server_port}/x"]))
    store = Store(tmp_path / "store.sqlite")
    store.findings(frame(*attack()))
    store.close()
    assert main(["incident", "list", "--at", AT]) == 0
    yield Received.messages
    server.shutdown()
    server.server_close()


def test_a_message_arrives_once_names_nobody_and_tells_the_end(
    webhook: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "list", "--at", AT]) == 0
    incident = capsys.readouterr().out.split()[0]
    assert main(["notify", "--at", AT]) == 0
    assert main(["notify", "--at", AT]) == 0
    (told,) = webhook
    assert incident[:12] in told["message"]
    assert "H21.09" in told["message"]
    assert "critical" in told["message"]
    for name in ("web01", "dc01", "www-data", "203.0.113.9", "shell"):
        assert name not in json.dumps(told)
    assert main(["incident", "status", incident, "closed", "--reason", "issue_resolved"]) == 0
    assert main(["notify"]) == 0
    assert main(["notify"]) == 0
    assert len(webhook) == 2
    assert "resolved" in webhook[1]["message"]
    assert [each["title"] for each in webhook] == ["SOC incidents: 1 to look at", "SOC incidents: 1 resolved"]


@pytest.mark.usefixtures("webhook")
def test_what_did_not_arrive_is_told_again(
    webhook: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = os.environ["SOC_NOTIFY__URLS"]
    monkeypatch.setenv("SOC_NOTIFY__URLS", '["json://s3cret@127.0.0.1:1/x"]')
    assert main(["notify", "--at", AT]) == 3
    monkeypatch.setenv("SOC_NOTIFY__URLS", '["nonsense"]')
    assert main(["notify", "--at", AT]) == 2
    monkeypatch.setenv("SOC_NOTIFY__URLS", "[]")
    assert main(["notify", "--at", AT]) == 2
    assert "s3cret" not in capsys.readouterr().err
    assert webhook == []
    monkeypatch.setenv("SOC_NOTIFY__URLS", right)
    assert main(["notify", "--at", AT]) == 0
    assert len(webhook) == 1


def test_what_a_log_claims_as_organisation_is_told_only_if_it_is_a_code(tmp_path: Path) -> None:
    names = ["H21.09", "000.01.H21", "Nguyễn Văn A", "\x1b[2J\u202eH21", "<script>", "M" * 1_000_000]
    store = Store(tmp_path / "h.sqlite")
    store.findings(frame(finding(**{"organization.id": names})))
    Cases(store).open("i1", START, None, ["f1"])
    (matter,) = _matters(store, Cases(store), read())
    assert matter.organisations == ("000.01.H21", "H21.09")
    store.close()


def test_a_message_says_what_is_overdue_and_stays_short() -> None:
    now = START.astimezone(ZoneInfo("Asia/Ho_Chi_Minh"))
    still = [
        Matter("late", "high", 2, "new", until=START - timedelta(hours=1)),
        Matter("due", "high", 2, "new", until=START + timedelta(hours=1)),
    ]
    over = [Matter(f"over{number}", "high", 2, "closed") for number in range(1_000)]
    _, text = message(still, over, "en", now)
    lines = text.split("\n")
    assert lines[0] == "[high] late: 2 findings; REPORT OVERDUE since 20/07 23:00"
    assert lines[1] == "[high] due: 2 findings; report due 21/07 01:00"
    assert (len(lines), lines[-1]) == (23, "resolved: +980")
    assert message(still, [], "vi", now)[1].startswith("[cao] late: 2 cảnh báo; QUÁ HẠN")
