"""Tests and exceptions offered from verdicts, as an analyst asks for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from flows.cli import main
from flows.triage.exception import shared
from flows.triage.pseudonyms import Pseudonyms

RULE = """title: Password of a service account refused
id: 00000000-0000-4000-8000-0000000000f1
status: test
level: medium
logsource: {product: linux, service: sshd}
detection:
  selection: {user.name|startswith: svc_}
  words: [Failed password]
  condition: selection and words
soc: {group-by: [user.name, source.ip], window: 1h}
tests:
    - {name: another, match: false, source: auth, lines: ['<86>1 2026-03-09T08:00:00Z web01 sshd 71 - - x']}
"""
LINE = "<86>1 2026-03-{day:02d}T08:00:00Z dc-noi-bo sshd 71 - - Failed password for {user} from {ip} port 22 ssh2"
HARMLESS = [LINE.format(day=day, user="svc_backup", ip="10.20.30.40") for day in range(1, 6)]
REAL = [LINE.format(day=9, user="svc_backup", ip="198.51.100.77"), LINE.format(day=9, user="svc_web", ip="10.20.30.41")]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("rules/r.yml").write_text(RULE)
    Path("auth.log").write_text("\n".join([*HARMLESS, *REAL]) + "\n")
    Path("soc.yml").write_text("{own_rules: false, rules: [rules]}")
    assert main(["scan", "auth.log", "--source", "auth", "--keep"]) == 0
    capsys.readouterr()
    return tmp_path


def close(capsys: pytest.CaptureFixture[str], needle: str, reason: str) -> list[str]:
    capsys.readouterr()
    assert main(["findings", "list", "--ids"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines() if needle in line]
    for name in names:
        assert main(["findings", "status", name, "closed", "--reason", reason]) == 0
    capsys.readouterr()
    return names


@pytest.mark.usefixtures("place")
def test_what_was_real_becomes_a_test_that_names_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = close(capsys, "198.51.100.77", "true_positive")
    assert main(["verdicts", "fixture", name]) == 0
    told = capsys.readouterr()
    (case,) = yaml.safe_load(told.out)
    (line,) = case["lines"]
    assert (case["match"], case["source"]) == (True, "auth")
    assert not re.search("198.51.100.77|noi-bo", line)
    assert "svc_backup" in line  # what the rule looks for
    assert "svc_backup" in told.err
    rule = Path("rules/r.yml")
    rule.write_text(rule.read_text() + told.out)
    assert main(["rules", "test", "rules/r.yml"]) in {0, 1}
    assert "does not match" not in capsys.readouterr().out


@pytest.mark.usefixtures("place")
def test_only_what_somebody_found_real_becomes_a_test(capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = close(capsys, "198.51.100.77", "false_positive")
    assert main(["verdicts", "fixture", name]) == 2
    assert "nobody said" in capsys.readouterr().err
    assert main(["verdicts", "fixture", "absent"]) == 2


@pytest.mark.usefixtures("place")
def test_false_alarms_become_an_exception_that_hides_nothing_real(capsys: pytest.CaptureFixture[str]) -> None:
    close(capsys, "10.20.30.40", "false_positive")
    close(capsys, "198.51.100.77", "true_positive")
    close(capsys, "svc_web", "issue_resolved")
    assert main(["verdicts", "exception", "00000000-0000-4000-8000-0000000000f1", "--by", "lan"]) == 0
    told = capsys.readouterr()
    made = yaml.safe_load(told.out)
    assert made["filter"]["harmless"]["source.ip"] == "10.20.30.40"
    assert made["soc"]["owner"] == "lan"
    assert "takes 5 of 5 false alarms whole" in told.err
    assert "takes 5 of 7 matches" in told.err
    assert main(["verdicts", "exception", made["filter"]["rules"][0], "--into", "rules/e.yml"]) == 0
    assert main(["rules", "check", "rules"]) == 0
    assert main(["rules", "try", "rules/e.yml"]) == 0


@pytest.mark.usefixtures("place")
def test_without_anything_in_common_nothing_is_proposed(capsys: pytest.CaptureFixture[str]) -> None:
    close(capsys, "svc_web", "false_positive")
    assert main(["verdicts", "exception", "Password of a service account refused"]) == 2
    assert "nothing in common" in capsys.readouterr().err


def test_what_is_shared_is_true_of_nothing_real() -> None:
    alarms = [[{"user.name": "a", "source.ip": "1"}], [{"user.name": "a", "source.ip": "1"}], [{"user.name": "b"}]]
    assert shared(alarms, []) == {"user.name": "a", "source.ip": "1"}
    assert shared(alarms, [[{"user.name": "a", "source.ip": "2"}]]) == {"source.ip": "1", "user.name": "a"}
    assert shared(alarms, [[{"user.name": "a", "source.ip": "1"}, {"user.name": "b"}]]) == {}
    assert shared([], []) == {}


def test_what_happened_alone_is_no_exception() -> None:
    alarms = [[{"host.name": f"esx{number}", "event.action": "ssh.enabled"}] for number in range(3)]
    assert "host.name" in shared(alarms, [])  # else it would take whatever the rule looks for
    assert shared(alarms, [[{"event.action": "shell.enabled"}]]) == {"event.action": "ssh.enabled"}


def test_pseudonyms_keep_what_an_address_is() -> None:
    names = Pseudonyms()
    assert names.of("address", "10.1.2.3") == names.of("address", "10.1.2.3") == "10.0.0.1"
    assert names.of("address", "8.8.8.8") == "203.0.113.2"
    assert names.of("address", "2a00::1") == "2001:db8::1"
    assert names.of("host", "dc01.tinh.vn") == "host1.example"
    assert len(names.of("number", "0912345678")) == 10
