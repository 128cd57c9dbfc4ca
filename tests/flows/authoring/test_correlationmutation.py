"""What tests of correlations are worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.ruleset import own_rules
from tests.flows.authoring.conftest import Soc

OLD = """title: Passwords refused
id: 1f6b1f0e-8d5e-4a2c-9d59-4b7f4c1f0a11
level: medium
logsource: {product: linux, service: sshd}
detection:
    selection: {message|startswith: ['Failed password ', 'Failed publickey ']}
    timeframe: 10m
    condition: selection | count() by source.ip >= 3
tests:
    - {name: three, match: true, source: auth, lines: [%s]}
    - {name: two, match: false, source: auth, lines: [%s]}
"""
SSH = own_rules() / "correlation" / "ssh_password_guessed.yml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ssh.yml"
    path.write_text(SSH.read_text("utf-8"))
    return path


def test_tests_that_notice_everything(soc: Soc, file: Path) -> None:
    code, out, err = soc("rules", "test", file, "--mutate")
    assert (code, out) == (0, "")
    assert "(100%)" in err


@pytest.mark.parametrize(
    ("gone", "survivor"),
    [
        ("the fifth came a second late, and one is from elsewhere", "`gte: 5`"),
        ("the fifth came a second late, and one is from elsewhere", "`source.ip` in `group-by`"),
        ("the right one half an hour and a second after the last wrong one", "the timespan"),
        ("the right one came first, and another address's later", "`source.ip` in `group-by`"),
    ],
)
def test_what_no_test_notices_is_told_with_its_place(soc: Soc, file: Path, gone: str, survivor: str) -> None:
    before, _, rest = file.read_text("utf-8").partition(f"    - name: {gone}\n")
    lines = rest.splitlines(keepends=True)
    end = next((at for at, line in enumerate(lines) if line.startswith(("    - name", "---"))), len(lines))
    file.write_text(before + "".join(lines[end:]), "utf-8")
    code, out, _ = soc("rules", "test", file, "--mutate")
    assert code == 3
    assert f"no test fails without {survivor}" in out


def test_a_rule_of_a_correlation_that_nobody_needs_is_told(soc: Soc, file: Path) -> None:
    text = file.read_text("utf-8")
    file.write_text(text[: text.index("    - name: the right one came first")], "utf-8")
    _, out, _ = soc("rules", "test", file, "--mutate")
    assert "no test fails without the rule `ssh_guessing`" in out


def test_an_exception_from_what_a_correlation_counts_is_told(soc: Soc, file: Path) -> None:
    Path("scanner.yml").write_text(
        "title: Scanner\nlogsource: {product: linux, service: sshd}\n"
        "filter: {rules: [ssh_password_refused], s: {source.ip: 192.0.2.7}, condition: not s}\n"
        "soc: {owner: a, reason: b, valid_to: 2199-12-31}\n"
    )
    soc("rules", "check", file, "scanner.yml")
    _, out, _ = soc("rules", "check", file, "scanner.yml")
    assert "is not counted by the correlation `SSH passwords guessed from one address` either" in out


def refused(*said: tuple[int, str, str]) -> str:
    line = "Mar  9 08:{:02}:00 web01 sshd[7]: Failed {} for root from 203.0.113.{} port 2 ssh2"
    return ", ".join(f"'{line.format(*each)}'" for each in said)


def test_tests_of_a_rule_that_counts_are_those_of_what_it_counts(soc: Soc, tmp_path: Path) -> None:
    file, wrong = tmp_path / "old.yml", "password"
    three = [(1, wrong, "9"), (2, wrong, "9"), (3, wrong, "9")]
    file.write_text(OLD % (refused(*three), refused(*three[1:])))
    assert soc("rules", "test", file)[:2] == (0, "")
    code, out, _ = soc("rules", "test", file, "--mutate")
    told = [line.removeprefix(str(file)).partition(";")[0] for line in out.splitlines()]
    assert (code, told) == (
        3,
        [
            ":8:5: no test fails without `source.ip` in `group-by`",
            ":7:5: no test fails without the timespan",
            ":6:58: no test fails without the value `Failed publickey ` of `message|startswith`",
        ],
    )
    mixed = [(1, wrong, "9"), (2, "publickey", "9"), (3, wrong, "9")]
    file.write_text(OLD % (refused(*mixed), refused(*three[1:], (20, wrong, "9"), (4, wrong, "8"))))
    code, out, err = soc("rules", "test", file, "--mutate")
    assert (code, out) == (0, "")
    assert "5 of 5 things left out were noticed" in err
