"""`soc dashboards` as people use it, with Kibana's protocol at the other end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import savedobjects
from detectors.schema import SEVERITY
from flows.cli import main
from tests.connectors.kibana.server import State, serving


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    monkeypatch.chdir(tmp_path)
    with serving() as (url, state):
        Path("soc.yml").write_text(yaml.safe_dump({"kibana": {"url": url, "patience": 0}}), "utf-8")
        yield state


def changed(state: State, name: str) -> None:
    """Change a dashboard as people do in Kibana."""
    state.objects["default"]["dashboard", name]["attributes"]["title"] = "mine"


def test_build_writes_the_same_bytes_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other, rule = tmp_path / "one.ndjson", tmp_path / "other.ndjson", tmp_path / "rule.ndjson"
    assert main(["dashboards", "build", "--out", str(one), "--rule", str(rule)]) == 0
    assert main(["dashboards", "build", "--out", str(other)]) == 0
    assert one.read_bytes() == other.read_bytes() == savedobjects.ndjson(savedobjects.build())
    assert json.loads(rule.read_text("utf-8")) == savedobjects.promotion()
    assert "26 saved objects" in capsys.readouterr().err


def test_push_then_nothing_differs(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboards", "diff"]) == 0
    assert "missing: dashboard soc-shift  Shift overview" in capsys.readouterr().out
    assert main(["dashboards", "push"]) == 0
    assert "26 saved objects are in, 26 of them new or changed" in capsys.readouterr().err
    assert main(["dashboards", "diff"]) == 0
    assert capsys.readouterr().out == "26 of 26 objects are the same\n"
    assert len(state.rules) == 1
    assert main(["dashboards", "push", "--no-rule"]) == 0
    assert "0 of them new or changed" in capsys.readouterr().err


def test_what_people_changed_is_neither_hidden_nor_overwritten(
    state: State, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["dashboards", "push"])
    changed(state, "soc-shift")
    capsys.readouterr()
    assert main(["dashboards", "diff"]) == 0
    assert "changed there: dashboard soc-shift" in capsys.readouterr().out
    assert main(["dashboards", "push"]) == 2
    told = capsys.readouterr().err
    assert "people changed in Kibana what would be overwritten: dashboard soc-shift; fetch it first" in told
    assert main(["dashboards", "pull", "--out", "mine.ndjson"]) == 0
    assert '"title":"mine"' in Path("mine.ndjson").read_text("utf-8")
    assert main(["dashboards", "push", "--overwrite"]) == 0
    assert state.objects["default"]["dashboard", "soc-shift"]["attributes"]["title"] == "Shift overview"
    assert main(["dashboards", "push", "--from", str(tmp_path / ".soc/kibana/default.before.ndjson")]) == 0
    assert state.objects["default"]["dashboard", "soc-shift"]["attributes"]["title"] == "mine"


def test_pull_brings_what_people_made(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    main(["dashboards", "push"])
    own = {"type": "dashboard", "id": "x1", "attributes": {"title": "Of the \x1b[31mshift"},
           "references": [{"type": "tag", "id": "soc-tag-soc", "name": "tag-ref-soc-tag-soc"}]}  # fmt: skip
    state.objects["default"]["dashboard", "x1"] = own
    capsys.readouterr()
    assert main(["dashboards", "pull"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("of people: dashboard x1  Of the ")
    assert "\x1b" not in told


def test_value_lists_go_along(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    Path("staff.txt").write_text("lan\nminh\nsvc_*\n10.1.0.0/16\n", "utf-8")
    settings: dict[str, Any] = yaml.safe_load(Path("soc.yml").read_text("utf-8")) | {"lists": ["staff.txt"]}
    Path("soc.yml").write_text(yaml.safe_dump(settings), "utf-8")
    assert main(["dashboards", "push"]) == 0
    assert state.lists == {"soc-staff": {"lan", "minh"}, "soc-staff-networks": {"10.1.0.0/16"}}
    assert "1 patterns stay here" in capsys.readouterr().err


def test_kibana_that_refuses_is_named_with_the_fix(state: State, capsys: pytest.CaptureFixture[str]) -> None:
    state.user = "Basic nobody"
    assert main(["dashboards", "push"]) == 3
    assert "HTTP 401" in capsys.readouterr().err


def test_without_kibana_the_setting_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dashboards", "push"]) == 2
    assert "set `kibana.url` in soc.yml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "url"),
    [("push", "http://127.0.0.1:9"), ("pull", "http://127.0.0.1:9"), ("diff", "https://kibana.invalid")],
)
def test_a_kibana_that_is_away_is_named_and_files_stay(
    verb: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("soc.yml").write_text(yaml.safe_dump({"kibana": {"url": url, "patience": 0}}), "utf-8")
    Path("kibana.ndjson").write_text("of people", "utf-8")
    assert main(["dashboards", verb]) == 3
    told = capsys.readouterr()
    assert f"Kibana can't be reached at {url}" in told.err
    assert told.out == ""
    assert Path("kibana.ndjson").read_text("utf-8") == "of people"
    assert not Path(".soc").exists()  # nothing was pushed, so nothing is remembered


def test_the_promotion_rule_knows_every_severity_of_findings() -> None:
    rule = savedobjects.promotion()
    mapped = {each["value"]: each["severity"] for each in rule["severity_mapping"]}
    assert mapped == {"21": "low", "47": "medium", "73": "high", "99": "critical"}
    assert mapped.keys() == {str(severity) for severity in SEVERITY.values()}
    assert rule["rule_name_override"] == "rule.name"
    assert rule["risk_score_mapping"][0]["field"] == "event.risk_score"
