"""From experimental to stable, on evidence."""

from __future__ import annotations

import re
from pathlib import Path

from flows.ruleset import own_rules
from tests.flows.authoring.conftest import RULE, Soc

LINE = "Mar {:2d} 08:00:01 web01 sshd[7]: {} password for root from 203.0.113.9 port 2 ssh2\n"


def test_tests_that_notice_everything_make_it_test(soc: Soc, rule: Path) -> None:
    code, out, err = soc("rules", "promote", rule)
    assert code == 0
    assert out.splitlines() == [
        "✓ no fault: 0 faults, 0 warnings",
        "✓ tests pass: 0 fail",
        "✓ tests notice: 5 of 5 things left out",
    ]
    assert err == "is test now\n"
    *before, note, after = re.split("(# .*\n)", rule.read_text())
    assert re.match(r"# test since \d{4}-\d\d-\d\d: no fault: 0 faults, 0 warnings; tests pass: 0 fail; tests", note)
    assert "".join([*before, after]) == RULE.replace("status: experimental", "status: test")


def test_a_dry_run_and_missing_evidence_change_nothing(soc: Soc, rule: Path) -> None:
    assert soc("rules", "promote", rule, "--dry-run")[0] == 0
    assert rule.read_text() == RULE
    weak = RULE.replace(
        "    condition: accepted and not inside",
        "    unseen:\n        x: y\n    condition: accepted and not inside and not unseen",
    )
    rule.write_text(weak)
    code, out, _ = soc("rules", "promote", rule)
    assert code == 3
    assert re.search(r"✗ tests notice: \d of \d things left out; see soc rules test --mutate ", out)
    assert rule.read_text() == weak


def test_stable_takes_days_of_events_and_little_noise(soc: Soc, rule: Path) -> None:
    tested = RULE.replace("status: experimental", "'status':   'test' # since then").replace(
        "level: high", "level: medium"
    )
    tested = tested.replace("'status'", "# test since 2026-01-02: no fault\n'status'")
    rule.write_text("modified: 2026-01-02\n" + tested.replace("severity: 73", "severity: 47"))
    Path("few.log").write_text("".join(LINE.format(day, "Failed") for day in (1, 2)))
    soc("scan", "few.log", "--source", "auth", "--year", "2026", "--keep", "--no-anomaly")
    code, out, _ = soc("rules", "promote", rule, "--since", "2020-01-01")
    assert code == 3
    assert "✗ tried on 7 days: 2 days, 2 events; wait until the archive holds" in out
    Path("more.log").write_text("".join(LINE.format(day, "Accepted") for day in range(3, 13)))
    soc("scan", "more.log", "--source", "auth", "--year", "2026", "--keep", "--no-anomaly")
    code, out, _ = soc("rules", "promote", rule, "--since", "2020-01-01")
    assert "✓ tried on 7 days: 12 days, 12 events" in out
    assert "✓ at most 5 findings a day: 0.83" in out
    assert code == 0
    lines = rule.read_text().splitlines()
    at = lines.index("'status':   stable # since then")
    assert lines[at - 1].startswith("# stable since ")
    assert lines[at - 1].endswith("tried on 7 days: 12 days, 12 events; at most 5 findings a day: 0.83")
    assert "2026-01-02" not in rule.read_text()
    assert lines[0] > "modified: 2026-01-02"
    assert soc("rules", "promote", rule)[0] == 3  # nothing comes after stable


def test_a_rule_without_status_gets_one(soc: Soc, rule: Path) -> None:
    rule.write_text(RULE.replace("status: experimental\n", ""))
    assert soc("rules", "promote", rule)[0] == 0
    title, note, status = rule.read_text().splitlines()[:3]
    assert (title, status) == ("title: Root logged in", "status: experimental")
    assert note.startswith("# experimental since ")


def test_what_a_template_left_to_the_author_keeps_a_rule_where_it_is(soc: Soc) -> None:
    assert soc("rules", "new", "A thing", "--logsource", "category=webserver")[0] == 0
    code, out, err = soc("rules", "promote", "a_thing.yml")
    assert (code, err) == (3, "stays experimental\n")
    assert "✗ said what only you know: 4 blanks; see soc rules check a_thing.yml" in out.splitlines()


def test_a_correlation_rises_without_the_rules_that_it_puts_together(soc: Soc, tmp_path: Path) -> None:
    own = (own_rules() / "correlation" / "ssh_password_guessed.yml").read_text("utf-8")
    *rules, last = own.split("\n---\n")
    assert last.count("status: ") == 1
    file = tmp_path / "guessed.yml"
    file.write_text("\n---\n".join([*rules, re.sub("(?m)^status: .*", "status: experimental", last)]))
    code, out, err = soc("rules", "promote", file)
    assert (code, err) == (0, "is test now\n")
    assert "✓ tests pass: 0 fail" in out
    risen = re.sub("(?m)^# test since .*\n", "", file.read_text())
    assert risen == "\n---\n".join([*rules, re.sub("(?m)^status: .*", "status: test", last)])
