"""`soc rules try EXCEPTION`, and what people say of findings, as their users call them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.store import Store
from connectors.store_cases import Cases, Verdict
from flows.cli import main
from tests.flows.guesses import lay_out

EXCEPTION = """title: Scanner of the centre
id: 00000000-0000-4000-8000-00000000000a
logsource: {product: linux}
filter:
  rules: [00000000-0000-4000-8000-000000000001]
  selection: ['from 203.0.113.9 ']
  condition: not selection
"""


GUESSING = """title: Guessing from one address
name: guessing
id: 00000000-0000-4000-8000-0000000000c1
level: high
correlation:
  type: event_count
  rules: 00000000-0000-4000-8000-000000000001
  group-by: source.ip
  timespan: 1h
  condition: {gte: 5}
"""
OF_CORRELATION = EXCEPTION.replace("00000000-0000-4000-8000-000000000001", "guessing").replace(
    "['from 203.0.113.9 ']", "{source.ip|cidr: 203.0.113.0/24}"
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store and an archive with one finding, and an exception that would have hidden it."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    Path("scanner.yml").write_text(EXCEPTION)
    assert main(["scan", "logs", "--rules", "rules", "--year", "2026", "--keep"]) == 0
    return tmp_path


def tried(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["rules", "try", "scanner.yml", "--rules", "rules", *more])
    return code, capsys.readouterr().out


def finding(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    main(["findings", "list", "--ids"])
    return capsys.readouterr().out.split()[0]


def close(capsys: pytest.CaptureFixture[str], reason: str) -> str:
    name = finding(capsys)
    assert main(["findings", "status", name, "closed", "--reason", reason, "--by", "lan"]) == 0
    return name


def test_what_would_go_is_told_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = tried(capsys)
    assert code == 0
    assert "Scanner of the centre takes 10 of 10 matches of Password guessed at, and 1 of its findings whole" in out
    assert out.count("e.g. 2026-03-09T") == 3
    assert finding(capsys)  # nothing was taken


def test_a_time_bounds_what_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert "takes nothing" in tried(capsys, "--since", "2026-03-10")[1]


def test_an_exception_that_would_hide_something_real_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    name = close(capsys, "true_positive")
    code, out = tried(capsys)
    assert code == 1
    assert f"REFUSED: Scanner of the centre would hide a finding that is true_positive: {name}" in out


def test_what_kibana_calls_real_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    name = finding(capsys)
    store = Store(Path(".soc/store.sqlite"))
    said = Verdict(name, "alert", datetime(2026, 3, 12, tzinfo=UTC), "closed", "true_positive", ("true_positive",))
    Cases(store).verdicts([said], "kibana")  # as `soc verdicts` keeps what it reads
    store.close()
    code, out = tried(capsys)
    assert code == 1
    assert f"would hide a finding that is true_positive: {name}" in out


def test_evidence_speaks_where_the_archive_is_gone(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    name = close(capsys, "true_positive")
    shutil.rmtree(place / ".soc" / "archive")
    code, out = tried(capsys)
    assert code == 1
    assert name in out


def test_evidence_is_judged_at_the_time_of_its_events(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    close(capsys, "true_positive")
    shutil.rmtree(place / ".soc" / "archive")
    Path("scanner.yml").write_text(EXCEPTION + "soc: {valid_from: 2026-03-10}\n")
    assert tried(capsys)[0] == 0


@pytest.mark.parametrize("reason", ["false_positive", "expected_activity"])
def test_what_was_not_real_may_go(capsys: pytest.CaptureFixture[str], reason: str) -> None:
    close(capsys, reason)
    assert tried(capsys)[0] == 0


def test_the_latest_word_counts(capsys: pytest.CaptureFixture[str]) -> None:
    close(capsys, "true_positive")
    close(capsys, "false_positive")
    assert tried(capsys)[0] == 0


def test_what_other_exceptions_take_is_no_effect_of_this_one(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    other = EXCEPTION.replace("000a", "000b").replace("Scanner", "Other")
    (place / "rules" / "other.yml").write_text(other)
    assert "Scanner of the centre takes nothing" in tried(capsys)[1]


def test_an_exception_that_is_in_use_can_be_tried_where_it_is(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    (place / "rules" / "scanner.yml").write_text(EXCEPTION)
    assert main(["rules", "try", "rules/scanner.yml", "--rules", "rules"]) == 0
    assert "takes 10 of 10 matches" in capsys.readouterr().out


def test_faults_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scanner.yml").write_text(EXCEPTION.replace("not selection", "not selectoin"))
    code, out = tried(capsys)
    assert code == 3
    assert "scanner.yml:7:18: condition: there is no `selectoin`" in out


def test_a_folder_of_rules_is_tried_as_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "try", "rules", "--since", "2000-01-01"]) == 0
    assert "matches in" in capsys.readouterr().out


def test_what_exceptions_took_is_listed(capsys: pytest.CaptureFixture[str], place: Path) -> None:
    shutil.copy("scanner.yml", place / "rules")
    shutil.rmtree(place / ".soc")
    assert main(["scan", "logs", "--rules", "rules", "--year", "2026", "--keep"]) == 0
    assert "exceptions took 10 matches" in capsys.readouterr().err
    assert main(["findings", "list", "--suppressed"]) == 0
    out, err = capsys.readouterr()
    assert "10 high" in out
    assert "Password guessed at: by Scanner of the centre (00000000-0000-4000-8000-00000000000a)" in out
    assert "10 matches were taken by exceptions" in err


def test_what_was_said_of_a_finding_is_shown_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    main(["findings", "status", finding(capsys), "in_progress", "--note", "calls web01's owner"])
    name = close(capsys, "false_positive")
    assert main(["findings", "show", name]) == 0
    said = json.loads(capsys.readouterr().out)["soc"]["triage"]
    assert [(each["status"], each["reason"]) for each in said] == [("in_progress", None), ("closed", "false_positive")]
    assert said[0]["note"] == "calls web01's owner"
    assert said[1]["actor"] == "lan"


def test_a_finding_is_closed_for_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "status", finding(capsys), "closed"]) == 2
    assert "a finding is closed for a reason" in capsys.readouterr().err
    assert main(["findings", "status", "nobody", "new"]) == 2


@pytest.fixture
def correlated(place: Path) -> None:
    """A finding of a correlation instead."""
    (place / "rules" / "guessing.yml").write_text(GUESSING)
    shutil.rmtree(place / ".soc")
    assert main(["scan", "logs", "--rules", "rules", "--year", "2026", "--keep"]) == 0
    Path("scanner.yml").write_text(OF_CORRELATION)


@pytest.mark.usefixtures("correlated")
def test_an_exception_to_a_correlation_is_tried_by_its_groups(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = tried(capsys)
    assert code == 0
    assert out.splitlines() == [
        "Scanner of the centre takes 10 of 10 matches of Guessing from one address, and 1 of its findings whole",
        "  e.g. source.ip=203.0.113.9  (10 matches)",
    ]


@pytest.mark.usefixtures("correlated")
@pytest.mark.parametrize("gone", [False, True])
def test_a_real_finding_of_a_correlation_is_not_hidden(
    capsys: pytest.CaptureFixture[str], place: Path, *, gone: bool
) -> None:
    name = close(capsys, "true_positive")
    if gone:  # its group speaks
        shutil.rmtree(place / ".soc" / "archive")
    code, out = tried(capsys)
    assert code == 1
    assert f"hide a finding that is true_positive: {name} Guessing from one address" in out
    Path("scanner.yml").write_text(OF_CORRELATION + "soc: {valid_to: 2026-03-08}\n")
    assert tried(capsys)[0] == 0


@pytest.mark.usefixtures("correlated")
def test_what_an_exception_takes_from_what_is_counted_is_told_and_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("scanner.yml").write_text(EXCEPTION)
    code, out = tried(capsys)
    assert code == 0
    assert (
        "Scanner of the centre takes what Guessing from one address counts, 10 of 10 matches, "
        "and 1 of its findings whole"
    ) in out
    close(capsys, "true_positive")
    assert tried(capsys)[0] == 1


@pytest.mark.usefixtures("correlated")
def test_what_an_exception_took_of_a_correlation_is_counted_and_listed(
    capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    shutil.copy("scanner.yml", place / "rules")
    shutil.rmtree(place / ".soc")
    assert main(["scan", "logs", "--rules", "rules", "--year", "2026", "--keep", "--stats", "s.json"]) == 0
    assert "exceptions took 10 matches" in capsys.readouterr().err
    assert json.loads(Path("s.json").read_text())["suppressed"] == {"00000000-0000-4000-8000-00000000000a": 10}
    main(["findings", "list", "--suppressed"])
    assert "Guessing from one address: by Scanner of the centre" in capsys.readouterr().out
    assert main(["rules", "check", "rules"]) == 0
