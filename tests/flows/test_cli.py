"""The command line as a whole."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

import pytest

from detectors.errors import UsageError
from flows.cli import COMMANDS, main
from flows.commands.options import moment
from flows.commands.rules import VERBS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    assert COMMANDS[verb].partition(":")[0].lower()[:20] in " ".join(capsys.readouterr().out.lower().split())


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_has_one_module_with_its_two_functions(verb: str) -> None:
    module = import_module(f"flows.commands.{verb}")
    assert callable(module.configure)
    assert callable(module.run)


def test_every_command_of_the_readme_is_a_command() -> None:
    shown = re.findall(r"^soc (\w+)", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert len(shown) > 10
    assert set(shown) <= COMMANDS.keys()


def test_every_verb_of_rules_in_the_docs_is_one() -> None:
    texts = "".join((ROOT / name).read_text("utf-8") for name in ("README.md", "docs/authoring.md"))
    shown = set(re.findall(r"soc rules (\w+)", texts))
    assert shown == VERBS.keys()


def test_a_time_may_be_so_long_ago() -> None:
    assert timedelta(days=29) < datetime.now(UTC) - moment("30d") < timedelta(days=31)
    assert moment("90m") > moment("2h") > moment("1w")
    with pytest.raises(UsageError, match="30d for 30 days ago"):
        moment("30 days")


def test_an_unknown_verb_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nonesuch"])
    assert ended.value.code == 2


def test_checking_rules_imports_neither_prefect_nor_pyod_nor_pysigma() -> None:
    # `soc rules check` answers in under a second once the rules are compiled
    one = "rules/backup/backup_job_deleted.yml"
    code = (
        f"import sys; from flows.cli import main; main(['rules', 'check']); main(['rules', 'test', {one!r}]);"
        "print([m for m in ('prefect', 'pyod', 'elasticsearch', 'kafka', 'jinja2', 'sigma') if m in sys.modules])"
    )
    for _ in range(2):  # the first time all is worked out, and remembered
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_the_makefile_has_the_targets_of_the_readme() -> None:
    shown = set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text("utf-8")))
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert shown <= targets
    assert {"demo", "test", "check", "up", "bench", "help"} <= targets
