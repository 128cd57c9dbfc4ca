"""Every line of files that grow comes once, through rotation, truncation and restarts."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.collect import followed
from connectors.collect import tail as module
from connectors.collect.block import Mark
from connectors.collect.piece import Piece
from connectors.collect.tail import Pattern, Tail


class Collector:
    """Keeps what a collector would: lines in order, and marks."""

    def __init__(self, folder: Path, pattern: str = "*.log", *, from_end: bool = False, links: bool = False) -> None:
        self.patterns = [Pattern(str(folder / pattern), "app", from_end, links)]
        self.marks: dict[str, Mark] = {}
        self.lines: list[str] = []
        self.notes: list[str] = []
        self.restart()

    def restart(self) -> None:
        self.tail = Tail(self.patterns, self.marks, lambda action, _text, _count: self.notes.append(action))

    def poll(self) -> list[str]:
        """Return the lines that are new."""
        before = len(self.lines)
        while pieces := self.tail.poll(1 << 20):
            self.take(pieces)
        return self.lines[before:]

    def take(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            self.lines += [line.decode() for line in piece.lines]
            for key, mark in piece.marks.items():
                if mark is None:
                    self.marks.pop(key, None)
                else:
                    self.marks[key] = mark


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK", 0.0)
    monkeypatch.setattr(module, "LINGER", 0.05)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def add(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def quiet(collector: Collector) -> None:
    """Poll until what is gone is let go."""
    for _ in range(3):
        time.sleep(0.03)
        collector.poll()


def test_lines_come_as_they_are_written_and_whole(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a", "", "b\r")
    assert collector.poll() == ["a", "b"]
    with log.open("a") as file:
        file.write("half")
        file.flush()
        assert collector.poll() == []
        file.write(" and half\nc\n")
    assert collector.poll() == ["half and half", "c"]
    assert collector.poll() == []


def test_a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a")
    collector.poll()
    with log.open("a") as writer:
        log.rename(log.with_suffix(".log.1"))
        writer.write("b\n")
        writer.flush()
        add(log, "c")
        collector.poll()
        writer.write("d without an end")
        writer.flush()
        collector.poll()
    quiet(collector)
    assert sorted(collector.lines) == ["a", "b", "c", "d without an end"]
    assert collector.tail.files == 1
    assert collector.notes == []


def test_a_renamed_file_whose_new_name_is_followed_is_not_read_again(log: Path) -> None:
    collector = Collector(log.parent, "app.log*")
    add(log, "a", "b")
    collector.poll()
    log.rename(log.with_suffix(".log.1"))
    add(log, "c")
    quiet(collector)
    collector.restart()
    quiet(collector)
    assert collector.lines == ["a", "b", "c"]


@pytest.mark.parametrize("pattern", ["*.log", "app.log*"])
def test_a_copied_and_emptied_file_loses_nothing(log: Path, pattern: str) -> None:
    collector = Collector(log.parent, pattern)
    add(log, "a", "b")
    collector.poll()
    add(log, "late")
    shutil.copy(log, log.with_suffix(".log.1"))
    os.truncate(log, 0)
    add(log, "c")
    quiet(collector)
    add(log, "d", "e", "f", "g")
    quiet(collector)
    collector.restart()
    quiet(collector)
    assert sorted(collector.lines) == ["a", "b", "c", "d", "e", "f", "g", "late"]
    assert collector.notes == []


def test_a_copy_that_is_seen_before_the_emptying_is_not_read(log: Path) -> None:
    collector = Collector(log.parent, "app.log*")
    add(log, *(f"line {number}" for number in range(100)))
    collector.poll()
    copy = log.with_suffix(".log.1")
    copy.write_bytes(log.read_bytes()[:100])  # half-way
    assert collector.poll() == []
    copy.write_bytes(log.read_bytes())
    assert collector.poll() == []
    os.truncate(log, 0)
    add(log, "after")
    quiet(collector)
    assert collector.lines[100:] == ["after"]


def test_an_emptied_file_that_has_grown_again_beyond_is_seen(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a", "b")
    collector.poll()
    log.write_text("".join(f"new {number}\n" for number in range(50)))
    assert len(collector.poll()) == 50
    assert collector.notes == ["file_truncated"]


def test_over_a_restart_nothing_is_lost_and_nothing_comes_twice(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a", "b")
    collector.poll()
    collector.tail.close()
    add(log, "c")
    collector.restart()
    assert collector.poll() == ["c"]


def gzipped(path: Path) -> None:
    path.with_name("app.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


@pytest.mark.parametrize(
    "rotate",
    [lambda path: path.rename(path.with_suffix(".log.1")), gzipped],
    ids=["renamed", "packed"],
)
def test_a_file_rotated_while_nobody_looked_is_read_to_its_end(log: Path, rotate: Callable[[Path], object]) -> None:
    collector = Collector(log.parent)
    add(log, "a", "b")
    collector.poll()
    collector.tail.close()
    add(log, "c")
    rotate(log)
    add(log, "d")
    collector.restart()
    quiet(collector)
    collector.restart()
    quiet(collector)
    assert sorted(collector.lines) == ["a", "b", "c", "d"]
    assert collector.notes == []
    assert len(collector.marks) == 1


def packed(path: Path) -> Path:
    """Gzip a file as gzip does: under its time of change."""
    made, status = path.with_name(f"{path.name}.gz"), path.stat()
    made.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(made, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
    return made


@pytest.mark.parametrize("pattern", ["*.log", "app.log*"])
@pytest.mark.parametrize("pack", [False, True])
def test_files_that_came_and_went_while_nobody_looked_are_read(log: Path, pattern: str, *, pack: bool) -> None:
    collector = Collector(log.parent, pattern)
    add(log, "a")
    collector.poll()
    add(log, "b")
    for number, line in enumerate("cde"):
        time.sleep(0.01)  # so that their times differ
        away = log.rename(log.with_suffix(f".log.{9 - number}"))
        if pack:
            packed(away)
        add(log, line)
    collector.restart()
    collector.poll()
    assert sorted(collector.lines) == ["a", "b", "c", "d", "e"]
    time.sleep(0.1)
    collector.restart()
    assert collector.poll() == []
    assert collector.notes == []


def test_one_of_them_that_is_packed_otherwise_is_told_of(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a")
    collector.poll()
    log.rename(log.with_suffix(".log.2"))
    time.sleep(0.01)
    log.with_suffix(".log.1.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    add(log, "b")
    collector.restart()
    assert collector.poll() == ["b"]
    assert collector.notes == ["file_gone"]


def test_a_packed_file_is_read_on_after_a_kill_half_way(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "STEP", 100)
    collector = Collector(log.parent)
    add(log, "a")
    collector.poll()
    add(log, *(f"line {number:03}" for number in range(100)))
    packed(log.rename(log.with_suffix(".log.1")))
    collector.restart()
    for _ in range(3):
        collector.take(collector.tail.poll(1))
        collector.restart()
    collector.poll()
    assert collector.lines == ["a", *(f"line {number:03}" for number in range(100))]


def test_a_file_that_is_gone_is_told_of(log: Path) -> None:
    collector = Collector(log.parent)
    add(log, "a")
    collector.poll()
    collector.tail.close()
    log.unlink()
    collector.restart()
    quiet(collector)
    assert collector.notes == ["file_gone"]
    assert collector.marks == {}


def test_what_is_there_at_first_may_be_left_out(log: Path) -> None:
    add(log, "old")
    collector = Collector(log.parent, from_end=True)
    assert collector.poll() == []
    add(log, "new")
    add(log.with_name("other.log"), "first")
    assert sorted(collector.poll()) == ["first", "new"]
    collector.restart()
    assert collector.poll() == []


def test_a_line_too_long_costs_its_end(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.collect.followed.STEP", 100)
    collector = Collector(log.parent)
    add(log, "x" * 250, "next")
    collector.poll()
    assert collector.lines == ["x" * 100, "next"]
    assert "line_cut" in collector.notes


def test_links_pipes_and_packed_files_are_left_alone(log: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret"
    secret.write_text("secret\n")
    log.symlink_to(secret)
    os.mkfifo(log.with_name("pipe.log"))
    assert Collector(log.parent).poll() == []
    assert Collector(log.parent, links=True).poll() == ["secret"]


def test_many_files_share_the_budget(tmp_path: Path) -> None:
    for number in range(20):
        add(tmp_path / f"{number}.log", *["x" * 1000] * 20)
    tail = Tail([Pattern(str(tmp_path / "*.log"), "app")], {}, lambda *_: None)
    pieces = tail.poll(50_000)
    assert sum(len(piece.lines) for piece in pieces) < 100
    total = sum(len(piece.lines) for piece in pieces)
    while pieces := tail.poll(50_000):
        total += sum(len(piece.lines) for piece in pieces)
    assert total == 400
