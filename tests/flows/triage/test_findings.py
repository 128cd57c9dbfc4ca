from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from connectors.store import Store
from flows.cli import main
from flows.triage.exporting import CELL, cell
from tests.sample_findings import finding, frame, province

HOSTILE = '=HYPERLINK("http://192.0.2.1")\x1b[31m\u202e\x9b<script>'


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOC_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("USER", "lan")
    store = Store(tmp_path / "store.sqlite")
    store.findings(province(20))
    row = {"event.id": "bad", "rule.name": HOSTILE, "message": HOSTILE, "host.name": [HOSTILE], "soc.group": HOSTILE}
    store.findings(frame(finding(**row)))
    store.close()
    return tmp_path


@pytest.mark.usefixtures("place")
def test_all_that_is_said_is_kept_with_who_and_when(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "assign", "bad", "minh", "--note", "xem giúp"]) == 0
    assert main(["findings", "note", "bad", "đã gọi", "--by", "minh"]) == 0
    assert main(["findings", "status", "bad", "closed", "--reason", "expected_activity"]) == 0
    assert main(["findings", "show", "bad"]) == 0
    said = json.loads(capsys.readouterr().out)["soc"]["triage"]
    assert [(one["actor"], one["owner"], one["note"], one["status"], one["reason"]) for one in said] == [
        ("lan", "minh", "xem giúp", None, None),
        ("minh", None, "đã gọi", None, None),
        ("lan", None, None, "closed", "expected_activity"),
    ]
    assert main(["findings", "list", "--ids", "--owner", "minh", "--reason", "expected_activity"]) == 0
    assert capsys.readouterr().out.startswith("bad ")
    assert main(["findings", "status", "bad", "in_progress"]) == 0  # opened again: no reason any more
    assert main(["findings", "list", "--ids", "--reason", "expected_activity"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["status", "bad", "closed"],
        ["status", "bad", "new", "--reason", "duplicate"],
        ["note", "absent", "x"],
    ],
)
@pytest.mark.usefixtures("place")
def test_what_makes_no_sense_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", *words]) == 2
    assert capsys.readouterr().err.startswith("soc: ")


@pytest.mark.usefixtures("place")
def test_filters_choose(capsys: pytest.CaptureFixture[str]) -> None:
    every = province(20)
    assert main(["findings", "list", "--ids", "--text", "ĐĂNG NHẬP"]) == 0
    found = capsys.readouterr().out.splitlines()
    assert len(found) == every["rule.name"].str.to_lowercase().str.contains("đăng nhập").sum() > 0
    assert main(["findings", "list", "--ids", "--owner", ""]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 21


def test_csv_runs_nothing(place: Path) -> None:
    out = place / "out.csv"
    assert main(["findings", "export", "--out", str(out)]) == 0
    text = out.read_bytes().decode("utf-8-sig")
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 21
    (bad,) = (row for row in rows if row["event.id"] == "bad")
    assert bad["rule.name"].startswith("'=HYPERLINK")
    assert not any((value or "").lstrip(" \"'").startswith("=") and value[0] != "'" for value in bad.values())


@pytest.mark.usefixtures("place")
def test_json_holds_the_same_values_and_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    main(["findings", "note", "bad", "một \u202e hai"])
    assert main(["findings", "export", "--level", "high", "--format", "ndjson"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.isprintable() for line in lines)
    (bad,) = (row for row in map(json.loads, lines) if row["event"]["id"] == "bad")
    assert bad["message"] == HOSTILE
    assert bad["audit"][0]["note"] == "một \u202e hai"
    assert main(["findings", "export", "--rule", "none such"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", '"=1', "＝1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).startswith(("'", "\\"))


def test_a_cell_has_room_in_a_spreadsheet() -> None:
    assert len(cell("x" * 1_000_000)) < 32_767
    assert cell("x" * CELL) == "x" * CELL
