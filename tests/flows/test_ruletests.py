"""The tests inside rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import assembly, ruletests
from flows.settings import Settings

RULE = """title: Root guessed
id: 00000000-0000-4000-8000-000000000001
logsource: {{product: linux, service: sshd}}
detection:
  keywords: ['Failed password for root']
  condition: keywords
tests:
{tests}
"""
POSITIVE = (
    "  - {name: guessed, match: true, lines: ['Mar  9 08:00:01 a sshd[1]: Failed password for root'], source: auth}"
)
NEGATIVE = "  - {name: quiet, match: false, events: [{message: Accepted publickey}]}"


def run(folder: Path, *tests: str) -> list[str]:
    (folder / "r.yml").write_text(RULE.format(tests="\n".join(tests)))
    parts = assembly.assemble(Settings(cache=folder / "cache"), [folder / "r.yml"])
    return [str(failure).replace(f"{folder}/", "") for failure in ruletests.run(parts)]


def test_a_rule_that_does_what_its_tests_say_passes(tmp_path: Path) -> None:
    assert run(tmp_path, POSITIVE, NEGATIVE) == []


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        ([POSITIVE], "r.yml:8:3: `Root guessed` needs a test that matches and one that doesn't"),
        ([POSITIVE.replace("true", "false"), NEGATIVE], "r.yml:8:5: `guessed`: number 1 matches, and should not"),
        ([POSITIVE, NEGATIVE.replace("false", "true")], "r.yml:9:5: `quiet`: number 1 does not match"),
        ([POSITIVE, NEGATIVE.replace("events", "evnts")], "tests: `evnts` is not known there; did you mean `events`?"),
        ([POSITIVE.replace("auth", "nonesuch"), NEGATIVE], "no source is called 'nonesuch'"),
        (
            ["  guessed: {match: true, events: [{message: a}]}"],
            "r.yml:7:1: tests: it is no list; begin each test with `- name: …`",
        ),
        ([POSITIVE, NEGATIVE, "  - {name: both, match: true}"], "give either `events` or `lines`"),
    ],
)
def test_a_failure_names_the_test_and_its_place(tmp_path: Path, tests: list[str], told: str) -> None:
    assert any(told in failure for failure in run(tmp_path, *tests)), run(tmp_path, *tests)
