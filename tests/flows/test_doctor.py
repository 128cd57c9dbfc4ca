"""`soc doctor`: each line says OK or what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from flows.cli import main


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_defaults_are_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "FAIL" not in out
    assert "embedded mode: OK" in out


def test_each_fault_says_what_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "rules").mkdir()
    (place / "rules" / "bad.yml").write_text("title: x\nid: y\n")
    (place / "soc.yml").write_text(
        "rules: [rules]\nkafka: {servers: ['127.0.0.1:1']}\nelastic: {url: 'http://127.0.0.1:1'}\n"
    )
    assert main(["doctor"]) == 3
    failed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 3
    assert any("bad.yml" in line for line in failed)
    assert any(line.startswith("FAIL  Kafka") for line in failed)
    assert any(line.startswith("FAIL  Elasticsearch") for line in failed)
    assert all("→" in line for line in failed)


def test_settings_that_cannot_be_read_are_the_first_thing_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "soc.yml").write_text("rulez: []\n")
    assert main(["doctor"]) == 3
    assert "rulez" in capsys.readouterr().out


def test_the_schema_is_json_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--schema"]) == 0
    assert "kafka" in json.loads(capsys.readouterr().out)["properties"]


def test_maintenance_windows_are_looked_at(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "soc.yml").write_text("maintenance: m.yml\n")
    window = "maintenance: [{name: a, begin: 2026-03-09, end: 2026-03-10, everything: true}]\n"
    (place / "m.yml").write_text(window)
    assert main(["doctor"]) == 0
    assert "1 maintenance windows: OK" in capsys.readouterr().out
    (place / "m.yml").write_text(window.replace("everything", "evrything"))
    assert main(["doctor"]) == 3
    assert "FAIL  0 maintenance windows" in capsys.readouterr().out


def test_what_is_collected_is_looked_at(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "a.log").write_text("a\n")
    (place / "tokens").write_text("lab short\n")
    (place / "tokens").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (place / "soc.yml").write_text(
            "kafka: {servers: ['127.0.0.1:1']}\n"
            "collect:\n"
            "  spool_bytes: 1048576\n"
            f"  syslog: [{{listen: '127.0.0.1:{port}', transport: tcp, source: syslog}},\n"
            "    {listen: '127.0.0.1:0', transport: udp, source: syslog},\n"
            "    {listen: '127.0.0.1:0', transport: tls, source: syslog, certificate: a.log, key: a.log}]\n"
            "  http: {listen: '0.0.0.0:0', sources: [portal], token_file: tokens}\n"
            f"  files: [{{path: '{place}/a.log', source: nginx}}, {{path: '{place}/b.log', source: nginx}}]\n"
            f"  folders: [{{path: '{place}/none'}}]\n"
        )
        assert main(["doctor"]) == 3
    out = [line for line in capsys.readouterr().out.splitlines() if "collect:" in line]
    failed = [line for line in out if line.startswith("FAIL")]
    for part in (
        f"tcp 127.0.0.1:{port}",
        "certificate",
        "tokens: the token",
        "others may read",
        "TLS",
        "b.log",
        "none",
    ):
        assert any(part in line for line in failed), part
    assert all("→" in line for line in failed)
    assert any(line.startswith("ok") and "a.log, 1 there" in line for line in out)
    assert any(line.startswith("ok") and "udp" in line for line in out)
    assert any(line.startswith("ok") and "spool" in line for line in out)


def test_a_source_nobody_knows_is_told_of(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "soc.yml").write_text(
        "kafka: {servers: ['127.0.0.1:1']}\ncollect: {files: [{path: /a.log, source: ngnix}]}\n"
    )
    assert main(["doctor"]) == 3
    assert "did you mean `nginx`" in capsys.readouterr().out
