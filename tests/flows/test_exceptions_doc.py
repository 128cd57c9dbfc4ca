"""What docs/exceptions.md shows is what happens."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detectors.content import contents
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from flows.cli import main
from flows.doubts import doubts
from flows.ruleset import own_rules
from tests.flows.guesses import lay_out

DOC = Path(__file__).resolve().parents[2] / "docs" / "exceptions.md"
EXAMPLES = sorted((own_rules() / "exceptions").glob("*.yml.example"))


def test_every_command_of_the_document_runs_on_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path)
    Path("soc.yml").write_text("lists: lists\nmaintenance: null\n")
    blocks = re.findall(r"```(\w+)\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    for _, text in blocks:
        if text.startswith("# file: "):
            path = Path(text.partition("\n")[0].removeprefix("# file: "))
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    commands = [line for kind, text in blocks if kind == "sh" for line in text.splitlines()]
    for command in commands:
        assert main(shlex.split(command)[1:]) == 0, command
    out, err = capsys.readouterr()
    shown = next(text for kind, text in blocks if kind == "text" and " takes " in text)
    assert shown in out
    assert "Password guessed at: by Vulnerability scanner of the SOC" in out
    assert "exceptions took 10 matches" in err
    Path("soc.yml").write_text("maintenance: maintenance.yml\n")
    main(["scan", "logs", "--rules", "rules", "--year", "2026"])
    assert "5 matches without a finding: maintenance: Patches of the web servers" in capsys.readouterr().err


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_right_and_take_only_what_they_name(path: Path) -> None:
    (found,) = contents(path.read_text("utf-8"), path.name, {"vulnerability_scanners": ["203.0.113.9"]})
    assert isinstance(found, Filter), str(found)
    assert [*doubts([found], datetime(2026, 6, 1, tzinfo=UTC), UTC)] == []
    own = [each for rule in own_rules().rglob("*.yml") for each in contents(rule.read_text("utf-8"), rule.name)]
    assert all(reference.rule in {rule.id for rule in own if isinstance(rule, Rule)} for reference in found.rules)


def test_examples_are_not_active() -> None:
    assert len(EXAMPLES) == 2
    assert not any(each.suffix in (".yml", ".yaml") for each in EXAMPLES)
