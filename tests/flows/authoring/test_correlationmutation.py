"""What tests of correlations are worth."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.ruleset import own_rules
from tests.flows.authoring.conftest import Soc

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
