from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.store import Store, Triage
from connectors.store_cases import Cases
from flows.cli import main
from tests.sample_findings import START, finding, frame

HOSTILE = "\x1b[31m\u202e<script>"
ID = re.compile(r"^[a-z0-9-]+--[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
AT = (START + timedelta(hours=12)).isoformat()

# The properties that STIX 2.1 requires beside the common ones.
REQUIRED = {
    "identity": {"name"},
    "incident": {"name"},
    "attack-pattern": {"name"},
    "observed-data": {"first_observed", "last_observed", "number_observed", "object_refs"},
    "relationship": {"relationship_type", "source_ref", "target_ref"},
    "ipv4-addr": {"value"},
    "user-account": set(),
    "domain-name": {"value"},
}
OBSERVABLES = {"ipv4-addr", "user-account", "domain-name"}


def attack() -> list[dict[str, Any]]:
    steps = [
        ("a", 0, "scan", "low", "reconnaissance", "T1595", {"source.ip": ["203.0.113.9"], "host.name": ["web01"]}),
        ("b", 1, "shell", "critical", "persistence", "T1505.003", {"host.name": ["web01"], "user.name": ["www-data"]}),
        ("c", 2, HOSTILE, "high", "lateral-movement", "T1021", {"user.name": ["www-data"], "host.name": ["dc01"]}),
    ]
    asset = json.dumps(
        [{"fields": {"soc.asset.criticality": "critical", "soc.asset.system": "portal"}}], separators=(",", ":")
    )
    return [
        finding(
            **{
                "event.id": name,
                "@timestamp": START + timedelta(hours=hour),
                "event.severity": {"low": 21, "high": 73, "critical": 99}[level],
                "rule.id": title,
                "rule.name": title,
                "message": f"{title} seen",
                "soc.level": level,
                "threat.tactic.name": [tactic],
                "threat.technique.id": [technique],
                "soc.attack": [f"{tactic} / {technique}"],
                "organization.id": ["H21.09"],
                "soc.count": 3,
                "soc.evidence": asset,
                **names,
            }
        )
        for name, hour, title, level, tactic, technique, names in steps
    ]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOC_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("USER", "lan")
    store = Store(tmp_path / "store.sqlite")
    store.findings(frame(*attack()))
    store.close()
    return tmp_path


@pytest.fixture
def incident(place: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert place.is_dir()
    assert main(["incident", "list", "--at", AT]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "critical" in line
    assert "3 findings" in line
    return line.split()[0]


@pytest.mark.usefixtures("place")
def test_risk_names_what_is_at_risk_and_through_what(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    assert main(["risk", "--at", AT]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[2] for line in lines} == {"host", "user", "address", "system", "organisation"}
    assert any("web01" in line and "critical" in line and "shell" in line for line in lines)
    assert all(line.isprintable() for line in lines)
    store = Store(place / "store.sqlite")
    when, kept = Cases(store).risks("organisation")
    assert when == datetime.fromisoformat(AT)
    assert kept["name"].to_list() == ["H21.09"]
    assert kept["risk"][0] >= 70
    store.close()


def test_what_was_not_real_counts_for_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        assert main(["findings", "status", name, "closed", "--reason", "false_positive"]) == 0
    assert main(["risk", "--at", AT]) == 0
    assert capsys.readouterr().out == ""
    assert main(["incident", "list", "--at", AT]) == 0
    assert capsys.readouterr().out == ""
    assert place.is_dir()


def test_a_story_is_told_in_order_with_its_kill_chain(incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident", "show", incident]) == 0
    said = capsys.readouterr().out
    assert all(line.isprintable() for line in said.splitlines())
    chain, story = said.split("Kill chain")[1].split("Story")
    assert [line.split("  ")[1] for line in chain.split("\n") if line.strip()] == [
        "Reconnaissance", "Persistence", "Lateral Movement",
    ]  # fmt: skip
    assert story.index("[a]") < story.index("[b]") < story.index("[c]")


def test_a_story_speaks_the_language_of_the_settings(
    incident: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "mark", incident, "personal_data"]) == 0
    monkeypatch.setenv("SOC_LANGUAGE", "vi")
    assert main(["incident", "show", incident, "--at", AT]) == 0
    said = capsys.readouterr().out
    for word in ("mới, 3 cảnh báo", "Chuỗi tấn công", "Trinh sát", "Thời hạn", "Diễn biến", "Nhật ký xử lý"):
        assert word in said
    assert not re.search(r"\b(findings|Kill|Story|reconnaissance|personal|due|host|high|left)\b", said)


@pytest.mark.parametrize("words", [["findings", "list"], ["risk", "--at", AT], ["verdicts", "--at", AT]])
def test_lists_name_rules_in_the_language_of_the_settings(
    words: list[str], place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(place / "store.sqlite")
    words_of = {"event.id": "v", "rule.id": "v", "rule.name": "Log cleared", "soc.title.vi": "Xóa nhật ký"}
    store.findings(frame(attack()[0] | words_of))
    store.close()
    for lang, told, other in (("en", "Log cleared", "Xóa nhật ký"), ("vi", "Xóa nhật ký", "Log cleared")):
        monkeypatch.setenv("SOC_LANGUAGE", lang)
        assert main(words) == 0
        said = capsys.readouterr().out
        assert told in said
        assert other not in said


def test_after_it_was_closed_it_goes_on_in_a_successor(
    incident: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident", "status", incident, "closed"]) == 2  # for no reason
    assert main(["incident", "status", incident, "closed", "--reason", "issue_resolved", "--note", "sạch"]) == 0
    store = Store(place / "store.sqlite")
    later = {
        **attack()[2],
        "event.id": "d",
        "@timestamp": START + timedelta(hours=5),
        "rule.id": "x",
        "soc.level": "critical",
    }
    store.findings(frame(later))
    store.close()
    capsys.readouterr()
    assert main(["incident", "list", "--at", AT]) == 0
    ids = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(ids) == 2
    (after,) = set(ids) - {incident}
    assert main(["incident", "show", after]) == 0
    assert f"Goes on from {incident}" in capsys.readouterr().out
    assert main(["incident", "show", incident]) == 0
    assert f"Goes on in {after}" in capsys.readouterr().out
    with pytest.raises(sqlite3.IntegrityError, match="appended"), sqlite3.connect(place / "store.sqlite") as other:
        other.execute("DELETE FROM incident_triage")


def test_stix_is_what_the_specification_wants(incident: str, place: Path) -> None:
    out = place / "case.json"
    assert main(["incident", "export", incident, "--out", str(out)]) == 0
    first = out.read_bytes()
    assert main(["incident", "export", incident, "--out", str(out)]) == 0
    assert out.read_bytes() == first  # the same again
    bundle = json.loads(first)
    assert set(bundle) == {"type", "id", "objects"}
    objects = {each["id"]: each for each in bundle["objects"]}
    assert len(objects) == len(bundle["objects"])
    for name, each in objects.items():
        assert ID.match(name)
        assert name.startswith(f"{each['type']}--")
        assert each["spec_version"] == "2.1"
        assert REQUIRED[each["type"]] <= each.keys()
        if each["type"] in OBSERVABLES:
            assert not {"created", "modified", "created_by_ref"} & each.keys()
        else:
            assert TIME.match(each["created"])
            assert each["created"] <= each["modified"]
        refs = [value for key, value in each.items() if key.endswith("_ref")] + each.get("object_refs", [])
        assert set(refs) <= objects.keys()
    kinds = [each["type"] for each in objects.values()]
    assert (kinds.count("incident"), kinds.count("observed-data"), kinds.count("attack-pattern")) == (1, 3, 3)
    for each in objects.values():
        if each["type"] == "observed-data":
            assert each["first_observed"] <= each["last_observed"]


def test_a_case_bundle_proves_that_nothing_was_changed(incident: str, place: Path) -> None:
    out = place / "case.zip"
    assert main(["incident", "export", incident, "--out", str(out)]) == 0
    first = out.read_bytes()
    assert main(["incident", "export", incident, "--out", str(out)]) == 0
    assert out.read_bytes() == first
    with zipfile.ZipFile(out) as file:
        sums = dict(line.split("  ")[::-1] for line in file.read("SHA256SUMS").decode().splitlines())
        assert set(sums) == {"incident.json", "findings.ndjson", "audit.ndjson", "stix.json"}
        assert all(hashlib.sha256(file.read(name)).hexdigest() == digest for name, digest in sums.items())
        told = [json.loads(line) for line in file.read("findings.ndjson").splitlines()]
    assert [each["event"]["id"] for each in told] == ["a", "b", "c"]


@pytest.mark.usefixtures("place")
def test_an_incident_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["show", "absent"], ["note", "absent", "x"], ["export", "absent", "--out", "x.json"]):
        assert main(["incident", *words]) == 2
        assert "absent" in capsys.readouterr().err


def test_whatever_logs_claim_is_told_and_written(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store, steers = Store(place / "store.sqlite"), "=1+1\x1b[2J\u202e<b>\x00"
    odd = [
        finding(**{"event.id": "none", "@timestamp": None, "soc.level": None}),
        finding(**{"event.id": "last", "@timestamp": datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "soc.level": steers}),
        finding(**{"event.id": "first", "@timestamp": datetime(1, 1, 1, tzinfo=UTC), "message": steers * 100_000}),
        finding(**{"event.id": "names", "rule.name": steers, "host.name": [steers], "organization.id": [steers]}),
    ]
    store.findings(frame(*odd))
    Cases(store).open("odd", START, None, [each["event.id"] for each in odd])
    Cases(store).decide(Triage("odd", START, steers, "in_progress", steers, "#mark "))
    Cases(store).decide(Triage("odd", START, steers, note="#sent "))
    store.close()
    folder = str(place / "out")
    for words in (
        "findings list", "findings list --ids", "incident list --at 2026-07-22", "incident show odd", "shift plan",
        f"shift handover --out {folder}.html", f"report --day 2026-07-21 --out {folder}.html", "verdicts",
        f"incident export odd --out {folder}.zip", f"incident export odd --out {folder}.json",
    ):  # fmt: skip
        assert main(words.split()) == 0, words
        out = capsys.readouterr().out
        assert all(line.isprintable() and len(line) < 1_000 for line in out.split("\n")), words


def test_a_file_that_can_not_be_written_is_named(incident: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("case.zip", "case.json"):
        assert main(["incident", "export", incident, "--out", f"/nowhere/at all/{name}"]) == 3
        assert f"/nowhere/at all/{name}: No such file" in capsys.readouterr().err
