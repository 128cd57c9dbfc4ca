"""Finished files are read once, and what is added to them later."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.collect import folder as module
from connectors.collect.block import Mark
from connectors.collect.folder import Folders, Watched


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.0)


def watched(folder: Path, marks: Mapping[str, Mark] | None = None, notes: list[str] | None = None) -> Folders:
    heard = notes if notes is not None else []
    return Folders([Watched(folder, "app", "*.json*")], marks or {}, lambda action, _text, _count: heard.append(action))


def take(folders: Folders, marks: dict[str, Mark], *, at_most: int = 100) -> list[str]:
    lines: list[str] = []
    for _ in range(at_most):
        pieces = folders.poll(1)
        for piece in pieces:
            lines += [line.decode() for line in piece.lines]
            marks.update(piece.marks)
            for key in [key for key, mark in marks.items() if mark is None]:
                del marks[key]
    return lines


def test_a_file_is_read_when_it_has_rested_and_only_once(tmp_path: Path) -> None:
    marks: dict[str, Mark] = {}
    (tmp_path / "a.json").write_text('{"a":1}\n{"a":2}\n')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.json.gz").write_bytes(gzip.compress(b'{"b":1}\n'))
    (tmp_path / "other.txt").write_text("no\n")
    folders = watched(tmp_path)
    assert folders.poll(1) == []
    assert sorted(take(folders, marks)) == ['{"a":1}', '{"a":2}', '{"b":1}']
    assert take(watched(tmp_path, marks), marks) == []


def test_of_a_file_that_grew_only_what_is_new_comes(tmp_path: Path) -> None:
    marks: dict[str, Mark] = {}
    path = tmp_path / "a.json"
    path.write_text('{"a":1}\n')
    folders = watched(tmp_path)
    assert take(folders, marks) == ['{"a":1}']
    path.write_text('{"a":1}\n{"a":2}\n')
    assert take(folders, marks) == ['{"a":2}']
    path.write_text('{"b":1}\n{"b":2}\n{"b":3}\n')
    assert len(take(watched(tmp_path, marks), marks)) == 3


def test_after_a_kill_half_way_the_rest_comes(tmp_path: Path) -> None:
    marks: dict[str, Mark] = {}
    (tmp_path / "a.json").write_text("".join(f'{{"a":{number}}}\n' for number in range(12_000)))
    folders = watched(tmp_path)
    first = take(folders, marks, at_most=3)  # one look, and two pieces of 5,000
    assert len(first) == 10_000
    rest = take(watched(tmp_path, marks), marks)
    assert first + rest == [f'{{"a":{number}}}' for number in range(12_000)]


def test_what_can_not_be_read_is_told_of_and_gone_files_are_forgotten(tmp_path: Path) -> None:
    marks: dict[str, Mark] = {}
    notes: list[str] = []
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"a":1}\n' * 1000)[:-20])
    folders = watched(tmp_path, notes=notes)
    take(folders, marks)
    assert notes == ["file_unreadable"]
    assert len(marks) == 1
    path.unlink()
    take(folders, marks)
    assert marks == {}
