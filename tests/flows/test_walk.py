"""The walk of docs/walk.md, command by command: what it shows is what the program says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from flows.cli import main

WALK = Path(__file__).resolve().parents[2] / "docs" / "walk.md"
CUT = "…"
# What differs from run to run: when people said something, digests that hold such times, hours until it was closed.
VARIES = re.compile(r"^[0-9a-f]{64}(?=  )|(?<=^  )\d\d/\d\d/\d{4} \d\d:\d\d(?= lan:)| {1,6}\d{4}\.\d(?=  )")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", WALK.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def run(command: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    words = shlex.split(command.partition(" | ")[0])
    assert words[0] == "soc"
    assert main(words[1:]) == 0
    said = capsys.readouterr()
    return [*said.out.splitlines(), *said.err.splitlines()]


def is_there(line: str, said: list[str]) -> bool:
    """Say whether a line of the walk was printed; it may be cut."""
    wanted = VARIES.sub("~", line)
    told = (VARIES.sub("~", each) for each in said)
    if CUT in line:
        return any(each.startswith(wanted.partition(CUT)[0]) for each in told)
    return wanted in told


def test_the_walk_shows_what_the_program_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "lan")
    (begin,) = blocks("sh")
    for command in begin.splitlines():
        run(command, capsys)
    (line,) = blocks("text")
    assert line in (tmp_path / "logs" / "veeam" / "veeam.log").read_text("utf-8")
    walked = [part for block in blocks("console") for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part]
    assert len(walked) > 10
    for part in walked:
        command, *shown = part.splitlines()
        said = run(command, capsys)
        lost = [line for line in shown if line and line != CUT and not is_there(line, said)]
        assert not lost, command
