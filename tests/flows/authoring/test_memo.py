"""What is remembered of files."""

from __future__ import annotations

from pathlib import Path

from connectors.kept import contents
from flows.authoring.memo import Memo


def test_an_answer_lasts_as_long_as_the_content(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a")
    memo = Memo(tmp_path / "cache", "test")
    assert memo.answer(str(file), lambda: [1]) == [1]
    assert memo.answer(str(file), lambda: [2], "another question") == [2]
    memo.save()
    again = Memo(tmp_path / "cache", "test")
    assert again.answer(str(file), lambda: [3]) == [1]
    file.write_text("b")
    assert again.answer(str(file), lambda: [3]) == [3]


def test_what_answers_depend_on_belongs_to_them(tmp_path: Path) -> None:
    file, source = tmp_path / "a.yml", tmp_path / "sources"
    source.mkdir()
    (source / "s.yml").write_text("1")
    file.write_text("a")
    memo = Memo(tmp_path, "test", contents([source]))
    memo.answer(str(file), lambda: 1)
    memo.save()
    (source / "s.yml").write_text("2")
    assert Memo(tmp_path, "test", contents([source])).answer(str(file), lambda: 2) == 2


def test_a_damaged_memo_knows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a")
    memo = Memo(tmp_path / "cache", "test")
    memo.answer(str(file), lambda: 1)
    memo.save()
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(b"{")
    assert Memo(tmp_path / "cache", "test").answer(str(file), lambda: 2) == 2


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    memo = Memo(tmp_path / "taken", "test")
    file = tmp_path / "a.yml"
    file.write_text("a")
    assert memo.answer(str(file), lambda: 1) == 1
    memo.save()
