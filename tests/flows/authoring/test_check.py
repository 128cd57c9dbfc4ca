"""What `soc rules check` says of rule files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.authoring import check
from flows.authoring.fields import Fields
from flows.authoring.memo import Memo
from flows.ruleset import RuleSet, own_rules
from tests.flows.authoring.conftest import RULE, Soc


def told(soc: Soc, path: Path, text: str, *more: str) -> tuple[int, list[str]]:
    path.write_text(text)
    code, out, _ = soc("rules", "check", path, *more)
    return code, [line.removeprefix(f"{path}:") for line in out.splitlines()]


def test_a_good_rule_has_nothing_against_it(soc: Soc, rule: Path) -> None:
    code, out, err = soc("rules", "check", rule)
    assert (code, out) == (0, "")
    assert "1 rules can run (1 high); 0 faults, 0 warnings" in err


@pytest.mark.parametrize(("logsource", "written", "meant"), [
    ("{category: webserver}", "cs-uri-quey", "cs-uri-query"),
    ("{category: dns}", "source_adress", "source.address"),
    ("{category: firewall}", "destination.prt", "destination.port"),
    ("{product: aws, service: cloudtrail}", "errorCod", "errorCode"),
    ("{product: linux, service: auditd}", "CommandLin", "CommandLine"),
    ("{category: webserver}", "x_application_word", None),
    ("{product: aws, service: cloudtrail}", "requestParameters.anything.at.all", None),
])  # fmt: skip
def test_where_events_may_have_any_field_a_slip_of_the_pen_is_told(
    soc: Soc, rule: Path, logsource: str, written: str, meant: str | None
) -> None:
    text = RULE.partition("tests:")[0].replace("{product: linux, service: sshd}", logsource)
    code, lines = told(soc, rule, text.replace("message|startswith", written).replace("source_ip|cidr", "source.ip"))
    assert code == 0
    slips = [line for line in lines if "is known to have" in line]
    assert [line.partition("; ")[2] for line in slips] == ([f"did you mean `{meant}`?"] if meant else [])
    assert all(line.startswith("10:9: warning: ") for line in slips)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "source_ip|cidr",
            "sorce_ip|cidr",
            "14:9: events of linux/sshd have no field `sorce_ip`; did you mean `source_ip`?",
        ),
        ("t1078.003", "t1078.093", "6:31: ATT&CK v19 has no `t1078.093`; did you mean `t1078.003`?"),
        (
            "attack.initial-access",
            "attack.inital-access",
            "6:8: ATT&CK v19 has no `inital-access`; did you mean `initial-access`?",
        ),
        (
            "accepted and not inside",
            "accepted",
            "13:5: the condition doesn't ask for `inside`; name it there, or take it out",
        ),
        (
            "status: experimental",
            "status: exprimental",
            "3:9: status 'exprimental' is not known; did you mean `experimental`?",
        ),
        (
            "level: high",
            "level: high\nsoc: {group-by: [user.nmae]}",
            "6:18: findings can't be grouped by `user.nmae`, which no event has; did you mean `user.name`?",
        ),
        ("level: high", "levle: high", "5:1: `levle` is no key of rules; did you mean `level`?"),
        ("level: high", "level: high\ndate: yesterday", "6:7: date `yesterday` is no day; write 2026-03-31"),
        ("6a5b1c2e-0f3d-4a7b-9c8d-1e2f3a4b5c6d", "abc", "2:5: the id 'abc' is not a UUID; make one with `uuidgen`"),
    ],
)
def test_a_fault_names_place_and_fix(soc: Soc, rule: Path, old: str, new: str, line: str) -> None:
    code, lines = told(soc, rule, RULE.replace(old, new))
    assert code == 3
    assert lines == [line]


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("attack.t1078.003", "attack.t1562.001", "warning: ATT&CK v19 has withdrawn T1562.001; write `attack.t1685`"),
        ("attack.initial-access", "attack.defense-evasion", "has split the tactic `defense-evasion`"),
        ("attack.initial-access", "atack.execution", "has no namespace that is known; did you mean `attack`?"),
        ("'Accepted publickey for root '", "'Accepted password for root from '", "to `accepted password for root `"),
        ("'Accepted publickey for root '", "'accepted password for root '", "stands there twice"),
        ("accepted and not inside", "not inside and not accepted", "asked of every event"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_a_warning(soc: Soc, rule: Path, old: str, new: str, part: str) -> None:
    code, lines = told(soc, rule, RULE.replace(old, new))
    assert code == 0
    assert len(lines) == 1
    assert part in lines[0]


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ("tags: attack.t1110", "`tags` is no list of texts; write `- ` and a text"),
        ("references: {a: b}", "`references` is no list of texts"),
        ("description: [a]", "`description` is no text; write one text"),
        ("runbook: [a]", "`runbook` is no text; write `vi:` and `en:` under it"),
        ("related: x", "`related` is no list of rules; write `- id: …`"),
        ("soc: {group-by: {a: b}}", "`group-by` has {'a': 'b'}, which is no name; write names of fields"),
        ("soc: {message: {en: 'by {usr.nme}'}}", "have no field `usr.nme`; did you mean `user.name`?"),
        ("detection: [a, b]", "`detection` is not a map; write its parts and `condition:` under it"),
        ("detection: {s: {message|expand: abc}, condition: s}", "warning: `abc` names no value list; write `%abc%`"),
        ("detection: {s: {user.name|fieldref: usr.nam, message: a}, condition: s}", "have no field `usr.nam`; did you"),
        ("title: [a, b]", "`title` is not a text; write one"),
        ("logsource: [linux]", "`logsource` is not a map; write `category:`, `product:` or `service:` under it"),
        (
            "correlation: {type: event_count, rules: x, timespan: 5m}",
            "one document is a rule and a correlation; put",
        ),
        ("filter: [a]\ndetection:", "`filter` is not a map; write its keys under it"),
        ("correlation: 5\ndetection:", "`correlation` is not a map; write its keys under it"),
    ],
)
def test_a_value_of_another_kind_is_told_where_it_stands(soc: Soc, rule: Path, extra: str, told: str) -> None:
    """Each stands alone for its key, after everything else."""
    keys = [line.partition(":")[0] for line in extra.splitlines()]
    whole: dict[str, Any] = {"title": "A rule", "level": "high", "logsource": "{product: linux, service: sshd}",
                             "detection": "{s: {message: abc}, condition: s}"}  # fmt: skip
    text = "".join(f"{key}: {value}\n" for key, value in whole.items() if key not in keys)
    rule.write_text(text + extra.removesuffix("\ndetection:") + "\n")
    out = soc("rules", "check", rule)[1]
    (line,) = [line for line in out.splitlines() if told in line]
    assert int(line.removeprefix(f"{rule}:").partition(":")[0]) == len(text.splitlines()) + 1


def test_strict_asks_for_the_style_of_our_own(soc: Soc, rule: Path) -> None:
    code, lines = told(soc, rule, RULE.replace("Somebody logged in as root.", "logged in"), "--strict")
    assert code == 3
    assert any("no runbook; say in `vi` and `en`" in line for line in lines)
    assert any("a description is a sentence" in line for line in lines)
    assert any("`level` stands before `tags`" in line for line in lines)


def test_all_faults_of_all_files_as_json(soc: Soc, rule: Path) -> None:
    rule.write_text(RULE.replace("t1078.003", "t1"))
    (rule.parent / "b.yml").write_text("title: [\n")
    (rule.parent / "c.yml").write_text(RULE)
    code, out, _ = soc("rules", "check", rule.parent, "--json")
    assert code == 3
    remarks = json.loads(out)
    assert [(Path(each["file"]).name, each["code"]) for each in remarks] == [
        ("b.yml", "invalid"),
        ("root_logged_in.yml", "invalid"),
        ("root_logged_in.yml", "attack-unknown"),
    ]
    assert remarks[2] == {
        "file": str(rule), "line": 6, "column": 31, "severity": "error", "code": "attack-unknown",
        "message": "ATT&CK v19 has no `t1`", "fix": remarks[2]["fix"],
    }  # fmt: skip


def test_a_file_that_has_not_changed_is_not_looked_at_again(rule: Path, tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting(Memo):
        def answer(self, path: str, work_out: Callable[[], Any], question: str = "") -> Any:
            def counted() -> Any:
                asked.append(path)
                return work_out()

            return super().answer(path, counted, question)

    for text in (RULE, RULE, RULE + "# changed\n"):
        rule.write_text(text)
        check.check(RuleSet((), ()), [str(rule)], Fields(dict), Counting(tmp_path, "check"))
    assert len(asked) == 2


def test_two_rules_that_ask_the_same_are_told(soc: Soc, rule: Path) -> None:
    again = rule.with_name("again.yml")
    again.write_text(RULE.replace("6a5b1c2e", "7a5b1c2e").replace("Root logged in", "Other words"))
    code, out, _ = soc("rules", "check", rule.parent)
    assert code == 0
    assert out == f"{rule}:1:1: warning: it asks the same as {again}:1:1; keep one of them\n"


def test_a_field_in_other_letters_is_told(soc: Soc, rule: Path) -> None:
    text = """title: A command
logsource: {product: windows, service: security}
detection: {selection: {commandline|contains: x}, condition: selection}
"""
    assert told(soc, rule, text) == (
        0,
        ["3:25: warning: the case of names counts, and events write `CommandLine`; write `CommandLine`"],
    )


def test_what_a_correlation_refers_to_may_stand_anywhere_among_the_rules(soc: Soc) -> None:
    names = ("ssh_passwords_tried_in_mass", "scanner_storm")
    code, out, err = soc("rules", "check", *(own_rules() / "correlation" / f"{name}.yml" for name in names))
    assert (code, out) == (0, "")
    assert "2 files; 4 rules can run" in err


@pytest.mark.parametrize(("written", "instead", "said"), [
    ("      match: true", "      match: yess", "18:14: tests: `match` can't be 'yess'; write `true` or `false`"),
    ("      severity: 73", "      severty: 73", "24:7: tests: `severty` is not known there; did you mean `severity`?"),
    ("      match: true\n", "", "17:7: tests: `match` is missing; write `true` or `false`"),
    ("      severity: 73", "      severity: high", "24:17: tests: `severity` can't be 'high'; write a number: 21 low"),
    ("      source: auth", "      source: auht", "19:15: no source is called 'auht'; did you mean `auth`?"),
    ("level: high", "level: high\nsoc: {windo: 5m}", "6:7: soc.windo is not known; did you mean `window`?"),
    ("      source: auth\n", "", "17:7: tests: `lines` need the `source` whose definition reads them"),
    ("product: linux", "product: linx", "7:22: warning: no source has the product `linx`; did you mean `linux`?"),
    ("status:", "date: 2026-02-31\nstatus:", "3:7: not valid YAML: day is out of range for month"),
])  # fmt: skip
def test_tests_log_sources_and_days_are_looked_at(soc: Soc, rule: Path, written: str, instead: str, said: str) -> None:
    assert written in RULE
    lines = told(soc, rule, RULE.replace(written, instead, 1))[1]
    assert [line for line in lines if line.startswith(said)], lines


def test_a_message_of_a_correlation_names_what_its_findings_have(soc: Soc, rule: Path) -> None:
    text = (own_rules() / "correlation" / "calls_abroad_in_a_row.yml").read_text("utf-8")
    asked = text.replace("en: Extension {src}", "en: Extension {process.name}")
    assert asked != text
    lines = told(soc, rule, asked)[1]
    assert [
        each for each in lines if "findings of a correlation have no `process.name` to tell of; group by it" in each
    ]


def test_a_fault_is_told_where_it_was_asked_for(soc: Soc, rule: Path) -> None:
    rule.write_text(RULE.replace("level: high", "level: hihg"))
    name = rule.relative_to(rule.parents[1])
    assert soc("rules", "check", name)[1].startswith(f"{name}:5:8: level 'hihg' is not known")


def test_a_wrong_entry_of_a_value_list_is_told(soc: Soc, rule: Path) -> None:
    Path("bad.txt").write_text("203.0.113.9\nre:(\n")
    Path("soc.yml").write_text("own_rules: false\nrules: [rules]\nlists: bad.txt\n")
    code, out, _ = soc("rules", "check", rule)
    assert (code, out.partition(" ")[0]) == (3, "bad.txt:2:1:")
