"""`soc doctor`: each line says OK or what to do."""

from __future__ import annotations

import json
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
