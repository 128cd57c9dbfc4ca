"""Compiled rules on disk: never stale, never read for nothing, only slow when damaged."""

from __future__ import annotations

import copy
import os
import pickle
import time
from dataclasses import replace
from pathlib import Path

import pytest

from detectors.errors import Place
from detectors.sigma.parse import rules as parsed
from detectors.sigma.rule import Rule
from flows import rulecache, ruleset
from tests.flows.test_ruleset import write

DAY = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two rules and a broken one, all written long ago."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for path in (write(rules, 1), write(rules, 2, value="worse")):
        long_ago(path)
    (rules / "broken.yml").write_text("title: x\n")
    return rules


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files be read long after they were last changed: no call sets that time back."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 10 * rulecache.SETTLED)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record which rule files are read."""
    names: list[str] = []
    content = rulecache._content

    def recorded(path: str, size: int) -> bytes:
        names.append(Path(path).name)
        return content(path, size)

    monkeypatch.setattr(rulecache, "_content", recorded)
    return names


def long_ago(path: Path) -> None:
    os.utime(path, (time.time() - DAY,) * 2)


def values(loaded: ruleset.RuleSet) -> list[str]:
    return [str(rule.condition) for rule in loaded.rules]


@pytest.mark.usefixtures("later")
def test_an_unchanged_file_is_not_read_again(folder: Path, tmp_path: Path, read: list[str]) -> None:
    cold = ruleset.load([folder], store=tmp_path)
    assert sorted(read) == ["broken.yml", "r0001.yml", "r0002.yml"]
    read.clear()
    warm = ruleset.load([folder], store=tmp_path)
    assert read == []
    assert warm.rules == cold.rules
    assert list(map(str, warm.faults)) == list(map(str, cold.faults))


def test_a_file_written_just_now_is_read_again(folder: Path, tmp_path: Path, read: list[str]) -> None:
    # its times can't tell it from what is written into it next, within one tick of the file system's clock
    for _ in range(2):
        read.clear()
        ruleset.load([folder], store=tmp_path)
        assert sorted(read) == ["broken.yml", "r0001.yml", "r0002.yml"]


@pytest.mark.usefixtures("later")
def test_a_change_of_equal_length_with_its_old_time_is_seen(folder: Path, tmp_path: Path, read: list[str]) -> None:
    before = ruleset.load([folder], store=tmp_path)
    path = folder / "r0001.yml"
    old = path.stat()
    path.write_bytes(path.read_bytes().replace(b"evil", b"good"))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (old.st_size, old.st_mtime_ns)
    read.clear()
    after = ruleset.load([folder], store=tmp_path)
    assert read == ["r0001.yml"]
    assert values(after)[0] == values(before)[0].replace("evil", "good")
    assert values(after)[1] == values(before)[1]


@pytest.mark.usefixtures("later")
def test_a_file_put_in_the_place_of_another_is_seen(folder: Path, tmp_path: Path) -> None:
    before = ruleset.load([folder], store=tmp_path)
    other = write(tmp_path, 1, value="good")
    long_ago(other)
    other.rename(folder / "r0001.yml")
    assert values(ruleset.load([folder], store=tmp_path)) == [
        values(before)[0].replace("evil", "good"),
        values(before)[1],
    ]


@pytest.mark.usefixtures("later")
def test_a_touched_file_is_read_but_not_compiled(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ruleset.load([folder], store=tmp_path)
    for path in folder.iterdir():
        path.touch()
    monkeypatch.setattr(rulecache, "import_module", lambda name: pytest.fail(f"{name} was imported"))
    assert ruleset.load([folder], store=tmp_path).rules == before.rules


@pytest.mark.usefixtures("later")
def test_relative_and_absolute_paths_are_one_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ruleset.load([folder], store=tmp_path)
    read.clear()
    again = ruleset.load([Path("rules")], store=tmp_path)
    assert read == []
    assert again.rules[0].place == Place("rules/r0001.yml", 1, 1)


@pytest.mark.parametrize("damage", [b"", b"x", b"00000000\n[{},{}]\n", None])
def test_a_damaged_cache_is_only_slow(folder: Path, tmp_path: Path, damage: bytes | None) -> None:
    cold = ruleset.load([folder], store=tmp_path)
    (path,) = tmp_path.glob("rules-*.cache")
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :] if damage is None else damage)
    assert ruleset.load([folder], store=tmp_path).rules == cold.rules
    assert path.read_bytes() == whole


@pytest.mark.usefixtures("later")
def test_what_no_file_holds_any_more_is_forgotten(folder: Path, tmp_path: Path) -> None:
    ruleset.load([folder], store=tmp_path)
    (path,) = tmp_path.glob("rules-*.cache")
    size = path.stat().st_size
    (folder / "r0002.yml").unlink()
    long_ago(write(folder, 1, value="changed"))
    assert len(ruleset.load([folder], store=tmp_path).rules) == 1
    assert path.stat().st_size < size
    assert b"changed" in path.read_bytes()
    assert b"evil" not in path.read_bytes()
    assert b"worse" not in path.read_bytes()


@pytest.mark.usefixtures("later")
def test_folders_share_a_cache(folder: Path, tmp_path: Path, read: list[str]) -> None:
    other = tmp_path / "other"
    other.mkdir()
    long_ago(write(other, 7))
    for each in (folder, other):
        ruleset.load([each], store=tmp_path)
    read.clear()
    assert len(ruleset.load([folder, other], store=tmp_path).rules) == 3
    assert read == []


def test_a_cache_that_can_not_be_written_costs_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(ruleset.load([folder], store=tmp_path / "file").rules) == 2


@pytest.mark.usefixtures("later")
def test_a_file_may_be_named_with_any_bytes(folder: Path, tmp_path: Path) -> None:
    (folder / "r0001.yml").rename(folder / os.fsdecode(b"r\xff.yml"))
    for _ in range(2):
        assert len(ruleset.load([folder], store=tmp_path).rules) == 2
    assert len(list(tmp_path.glob("rules-*.cache"))) == 1


def test_a_stored_rule_is_the_rule_that_was_compiled(folder: Path) -> None:
    path = folder / "r0001.yml"
    (rule,) = parsed(path.read_text(), str(path))
    stored = ruleset.load([path]).rules[0]
    assert isinstance(rule, Rule)
    names = ("meta", "logsource", "condition", "place", "semantics", "waits_for")
    assert [getattr(stored, name) for name in names] == [getattr(rule, name) for name in names]


def test_a_stored_rule_is_a_value_like_any_rule(folder: Path) -> None:
    one, other = ruleset.load([folder]).rules
    assert one == copy.copy(one) == pickle.loads(pickle.dumps(one))  # noqa: S301 - what we made ourselves
    assert one != other
    assert hash(one) == hash(copy.copy(one))
    moved = replace(one, place=Place("elsewhere.yml"))
    assert (moved.place, moved.condition) == (Place("elsewhere.yml"), one.condition)
    with pytest.raises(AttributeError):
        one.nothing  # type: ignore[attr-defined]  # noqa: B018
