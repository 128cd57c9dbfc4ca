"""What `soc rules test` says, of tests and of what they are worth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flows.authoring.conftest import RULE, Soc


def test_good_tests_notice_everything(soc: Soc, rule: Path) -> None:
    code, out, err = soc("rules", "test", rule, "--mutate")
    assert (code, out) == (0, "")
    assert "1 rules tested, 0 failed; 5 of 5 things left out were noticed (100%)" in err


ALL_BUT = "add an event that fits all but this, and must not match"


@pytest.mark.parametrize(
    ("gone", "line"),
    [
        (
            "          - {message: 'Accepted password for root from 10.0.0.9', source_ip: 10.0.0.9}\n",
            f"15:16: no test fails without `not inside` in the condition; {ALL_BUT}",
        ),
        (
            "          - {message: 'Accepted password for lan from 203.0.113.9', source_ip: 203.0.113.9}\n",
            f"15:16: no test fails without `accepted` in the condition; {ALL_BUT}",
        ),
        (
            "          - 'Mar  9 08:00:02 web01 sshd[7]: Accepted publickey for root from 203.0.113.9 port 2 "
            "ssh2: RSA x'\n",
            "12:15: no test fails without the value `Accepted publickey for root ` of `message|startswith`; "
            "add an event that matches by this alone",
        ),
    ],
)
def test_what_no_test_notices_is_told_with_its_place(soc: Soc, rule: Path, gone: str, line: str) -> None:
    assert gone in RULE
    rule.write_text(RULE.replace(gone, ""))
    code, out, _ = soc("rules", "test", rule, "--mutate")
    assert code == 3
    assert out.splitlines() == [f"{rule}:{line}"]
    assert soc("rules", "test", rule)[0] == 0  # of others' rules that is asked for only on demand


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("severity: 73", "severity: 47", "`from outside`: event.severity is `73`, not `47`"),
        ("findings: 1", "findings: 2", "`from outside`: findings is `1`, not `2`"),
        ("user.name=root |", "user.name=lan |", "soc.group is `host.name=web01 | user.name=root"),
        ("      source: auth\n", "", "`lines` need the `source`"),
        ("      match: false\n", "      match: false\n      severity: 3\n", "needs `match: true` and the `source`"),
        ("source: auth", "source: auth\n      message: Nothing", "message is `Root logged in (host.name=web01"),
    ],
)
def test_findings_are_what_the_test_says(soc: Soc, rule: Path, old: str, new: str, part: str) -> None:
    rule.write_text(RULE.replace(old, new))
    code, out, _ = soc("rules", "test", rule)
    assert code == 3
    assert part in out


def test_events_with_a_source_are_its_json_lines(soc: Soc, tmp_path: Path) -> None:
    path = tmp_path / "r.yml"
    path.write_text("""title: Ticket opened
logsource: {product: gialai, service: hotline_1022}
detection: {selection: {action: open}, condition: selection}
tests:
    - name: opened
      match: true
      source: hotline_1022
      group: user.name=lan
      events: [{time: '2026-03-09T08:00:00Z', user: lan, action: open}]
    - name: closed
      match: false
      source: hotline_1022
      events: [{time: '2026-03-09T08:00:00Z', user: lan, action: close}]
""")
    assert soc("rules", "test", path)[:2] == (0, "")
    path.write_text(
        path.read_text().replace("source: hotline_1022", "source: auth").replace("      group: user.name=lan\n", "")
    )
    assert "auth does not write JSON; give `lines`" in soc("rules", "test", path)[1]


def test_results_as_json(soc: Soc, rule: Path) -> None:
    (result,) = json.loads(soc("rules", "test", rule, "--mutate", "--json")[1])
    assert result["title"] == "Root logged in"
    assert (result["failures"], result["tried"], result["survivors"]) == ([], 5, [])


def test_answers_are_remembered_until_the_file_changes(soc: Soc, rule: Path) -> None:
    first = soc("rules", "test", rule, "--mutate")
    assert soc("rules", "test", rule, "--mutate") == first
    rule.write_text(RULE.replace("for root '", "for nobody '"))
    assert "does not match" in soc("rules", "test", rule, "--mutate")[1]


COUNTED = """title: Root refused
id: 00000000-0000-4000-8000-0000000000b1
name: root_refused
logsource: {product: linux, service: sshd}
detection: {sel: {message|contains|expand: '%refusals%'}, condition: sel}
"""
COUNTING = """title: Root refused twice
id: 00000000-0000-4000-8000-0000000000b2
correlation: {type: event_count, rules: root_refused, timespan: 5m, condition: {gte: 2}}
tests:
  - name: twice
    match: true
    events:
      - {'@timestamp': '2026-03-09T00:00:00Z', message: Failed password for root}
      - {'@timestamp': '2026-03-09T00:00:01Z', message: Failed password for root}
  - {name: once, match: false, events: [{'@timestamp': '2026-03-09T00:00:00Z', message: Failed password for root}]}
"""


def test_a_kept_verdict_hides_no_failure_of_what_stands_elsewhere(
    soc: Soc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, lists = tmp_path / "counted", tmp_path / "lists"
    for made in (folder, lists):
        made.mkdir()
    (tmp_path / "soc.yml").write_text("lists: lists\n")
    (lists / "refusals.txt").write_text("Failed password for root\n")
    (folder / "counted.yml").write_text(COUNTED)
    (folder / "counting.yml").write_text(COUNTING)
    assert "`twice`" not in soc("rules", "test", folder)[1]
    (folder / "counted.yml").write_text(COUNTED.replace("service: sshd", "service: sudo").replace("%refusals%", "%no%"))
    assert "counting.yml:5:5: `twice`: no alert" in soc("rules", "test", folder)[1]
    (folder / "counted.yml").write_text(COUNTED)
    assert "`twice`" not in soc("rules", "test", folder)[1]
    (lists / "refusals.txt").write_text("something else\n")
    assert "counting.yml:5:5: `twice`: no alert" in soc("rules", "test", folder)[1]
