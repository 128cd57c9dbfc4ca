"""Events that tests lack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flows.authoring.conftest import RULE, Soc

HEAD = """title: A rule
logsource: {product: windows, category: process_creation}
detection:
"""
TESTS = """tests:
    - {name: base, match: true, events: [{Image: 'C:\\a.exe', CommandLine: one two, User: lan}]}
    - {name: other, match: false, events: [{User: minh}]}
"""


def proposed(soc: Soc, path: Path) -> list[str]:
    """Return what is still not noticed after the proposed events were put at the end of the rule."""
    _, out, _ = soc("rules", "test", path, "--propose")
    path.write_text(path.read_text() + "".join(f"{line}\n" for line in out.splitlines() if not line.startswith("#")))
    _, left, err = soc("rules", "test", path, "--mutate")
    assert "0 failed" in err, left
    return left.splitlines()


@pytest.mark.parametrize(
    "detection",
    [
        "{a: {CommandLine|contains: [one, three, four*x]}, condition: a}",
        "{a: {CommandLine|contains|all: [one, two]}, b: {Image|endswith: \\a.exe}, condition: a and b}",
        "{a: {CommandLine|startswith: one}, f: {User: [x, y]}, g: {Image: z}, condition: a and not 1 of f and not g}",
        "{a: {Image|endswith: .exe, CommandLine|contains: one}, b: {User|exists: true}, condition: a and b}",
        "{a: {CommandLine|contains: one}, b: {User: system}, condition: a or b}",
        "{a: {CommandLine|re: 'o.e'}, b: {ParentImage: null}, c: {User|neq: root}, condition: all of them}",
        "{keywords: [one, three], b: {User: lan}, condition: keywords and b}",
    ],
)
def test_proposed_events_make_tests_notice_everything(soc: Soc, tmp_path: Path, detection: str) -> None:
    path = tmp_path / "r.yml"
    path.write_text(HEAD.replace("detection:\n", f"detection: {detection}\n") + TESTS)
    assert proposed(soc, path) == []


def test_tests_of_raw_lines_serve_as_well(soc: Soc, rule: Path) -> None:
    rule.write_text(
        RULE.partition("    - name: from inside")[0] + "    - {name: another, match: false, events: [{a: b}]}\n"
    )
    assert len(soc("rules", "test", rule, "--mutate")[1].splitlines()) == 1
    assert proposed(soc, rule) == []


def test_nothing_is_proposed_where_nothing_is_lacking(soc: Soc, rule: Path) -> None:
    assert soc("rules", "test", rule, "--propose")[1] == ""
