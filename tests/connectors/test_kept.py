"""Files of a cache."""

from __future__ import annotations

from pathlib import Path

from connectors.kept import VERSIONS, Kept, contents


def test_a_body_is_read_as_it_was_written(tmp_path: Path) -> None:
    Kept(tmp_path / "cache", "a", b"1").write(b"one\ntwo")
    assert Kept(tmp_path / "cache", "a", b"1").read() == b"one\ntwo"
    assert Kept(tmp_path / "cache", "a", b"2").read() is None
    assert Kept(tmp_path / "cache", "b", b"1").read() is None


def test_a_damaged_file_is_not_known(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "a")
    kept.write(b"body")
    (path,) = tmp_path.iterdir()
    for body in (b"", b"body", path.read_bytes()[:-1], path.read_bytes() + b"x"):
        path.write_bytes(body)
        assert kept.read() is None


def test_without_a_folder_or_with_one_that_can_not_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file", Path("/proc/nothing")):
        Kept(folder, "a").write(b"body")
        assert Kept(folder, "a").read() is None


def test_the_latest_versions_stay(tmp_path: Path) -> None:
    (tmp_path / "ab-0123456789abcdef.cache").write_bytes(b"another name")
    for number in range(VERSIONS + 3):
        Kept(tmp_path, "a", str(number).encode()).write(b"body")
    assert len([*tmp_path.glob("a-*.cache")]) == VERSIONS
    assert Kept(tmp_path, "a", str(VERSIONS + 2).encode()).read() == b"body"
    assert (tmp_path / "ab-0123456789abcdef.cache").is_file()


def test_contents_are_told_by_name_and_body(tmp_path: Path) -> None:
    first, second = tmp_path / "a.yml", tmp_path / "b.yml"
    first.write_text("12")
    second.write_text("3")
    before = contents([tmp_path])
    first.write_text("1")
    second.write_text("23")
    assert contents([tmp_path]) != before
    (tmp_path / "c.txt").write_text("")
    after = contents([tmp_path])
    (tmp_path / "c.txt").write_text("x")
    assert contents([tmp_path, tmp_path / "missing"]) != after == contents([tmp_path])
