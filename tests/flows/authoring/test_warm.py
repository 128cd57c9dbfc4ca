"""What a second start of a verb does without: long imports, and reading again what hasn't changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.definitions import load_definitions
from tests.flows.authoring.conftest import RULE, Soc

ALL = ("numba", "pyod", "sklearn", "scipy", "prefect", "elasticsearch", "kafka", "matplotlib", "jinja2", "sqlite3")
READING = ("sigma", "connectors.definitions", "connectors.formats", "connectors.enrichment", "connectors.archive")
RUNNING = (*(name for name in ALL if name != "sqlite3"), "cryptography", "pyparsing", "pydantic_settings")
STRANGE = ("connectors.formats.cef", "connectors.formats.w3c", "connectors.formats.haproxy", "connectors.recognise")
LINE = "Mar  9 08:00:01 web01 sshd[7]: Accepted password for root from 203.0.113.9 port 2 ssh2\n"
ASK = """import sys
from flows.cli import main
main(sys.argv[2:])
print([name for name in sys.argv[1].split() if name in sys.modules])"""


def imported(names: tuple[str, ...], where: Path, *words: str) -> str:
    """Return which modules of these names a verb imports, in a process of its own."""
    command = [sys.executable, "-c", ASK, " ".join(names), *words]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_a_second_start_reads_again_what_has_changed_only(soc: Soc, rule: Path) -> None:
    folder = rule.parents[1]
    (folder / "soc.yml").write_text("own_rules: false\nrules: [rules]\n")
    soc("rules", "check")
    assert imported(ALL + READING, folder, "rules", "check") == "[]"
    rule.write_text(RULE.replace("Somebody", "Anybody"))
    assert imported(ALL + READING, folder, "rules", "check") == "['sigma']"


def test_a_second_question_for_what_is_blind_asks_no_definitions(soc: Soc, rule: Path) -> None:
    first = soc("rules", "blind", rule)
    told = imported(("numba", *READING), rule.parents[1], "rules", "blind", str(rule))
    assert (told, soc("rules", "blind", rule)) == ("[]", first)


def test_tests_of_rules_that_have_not_changed_load_nothing_that_runs_them(soc: Soc, rule: Path) -> None:
    first = soc("rules", "test", rule, "--mutate")
    told = imported(("numba", *READING), rule.parents[1], "rules", "test", str(rule), "--mutate")
    assert (told, soc("rules", "test", rule, "--mutate")) == ("[]", first)


def test_a_second_layer_of_attack_asks_no_definitions(soc: Soc, rule: Path) -> None:
    soc("rules", "coverage", rule, "--layer", "layer.json")
    told = imported(("numba", *READING), rule.parents[1], "rules", "coverage", str(rule), "--layer", "layer.json")
    assert told == "[]"


@pytest.mark.parametrize(
    "words", [("explain", "rules/root_logged_in.yml", "a.log"), ("new", "A login", "--from", "a.log", "--into", "made")]
)
def test_verbs_that_read_events_bring_nothing_that_they_do_without(
    soc: Soc, rule: Path, words: tuple[str, ...]
) -> None:
    folder = rule.parents[1]
    (folder / "a.log").write_text(LINE)
    soc("rules", "check", rule)
    assert imported(RUNNING, folder, "rules", *words) == "[]"


@pytest.mark.parametrize("words", [("try",), ("promote", "--dry-run")])
def test_verbs_that_read_the_archive_bring_no_format_but_its_own(soc: Soc, rule: Path, words: tuple[str, ...]) -> None:
    folder = rule.parents[1]
    (folder / "a.log").write_text(LINE)
    rule.write_text(RULE.replace("status: experimental", "status: test"))
    soc("scan", "a.log", "--rules", "rules", "--year", "2026", "--keep", "--no-anomaly")
    words = ("rules", *words, "rules/root_logged_in.yml", "--since", "2026-03-01")
    assert "1 events" in "".join(soc(*words)[1:])
    assert imported(RUNNING + STRANGE, folder, *words) == "[]"


def test_definitions_are_kept_as_long_as_no_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, cache = tmp_path / "sources", tmp_path / "cache"
    folder.mkdir()
    definition = folder / "portal.yml"
    definition.write_text("name: portal\ntitle: Portal\nformat: keyvalue\nfields: {user.name: who}\n")
    (fresh,) = load_definitions([folder], cache).values()
    monkeypatch.setattr("connectors.definitions.load_definition", None)  # reading would fail
    assert load_definitions([folder], cache) == {"portal": fresh}
    monkeypatch.undo()
    definition.write_text(definition.read_text().replace("who", "account"))
    assert load_definitions([folder], cache)["portal"].mapped == {"account"}


@pytest.mark.parametrize("body", [b"", b"00000000\n[]", b"deadbeef\n[{}]", b"\xff\xfe"])
def test_kept_definitions_that_are_damaged_are_read_again(tmp_path: Path, body: bytes) -> None:
    folder, cache = tmp_path / "sources", tmp_path / "cache"
    folder.mkdir()
    (folder / "portal.yml").write_text("name: portal\ntitle: Portal\nformat: keyvalue\n")
    load_definitions([folder], cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(body)
    assert list(load_definitions([folder], cache)) == ["portal"]
