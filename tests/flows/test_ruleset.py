"""Rule folders to compiled rules."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from detectors.contracts import Dialect, LogSource
from detectors.errors import UsageError
from detectors.sigma.engine import Engine
from flows import rulecache, ruleset

RULE = """title: {title}
id: {id}
logsource: {{category: webserver}}
detection:
  selection: {{cs-uri-stem|contains: {value}}}
  condition: selection
"""


def write(folder: Path, number: int, *, title: str = "A rule", value: str = "evil", name: str = "") -> Path:
    path = folder / (name or f"r{number:04d}.yml")
    path.write_text(RULE.format(title=title, id=f"00000000-0000-4000-8000-{number:012d}", value=value))
    return path


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a thousand rules in `rules`, compiled into `cache`."""
    folder = tmp_path_factory.mktemp("thousand")
    (folder / "rules").mkdir()
    for number in range(1000):
        write(folder / "rules", number, value=f"evil{number}x")
    assert len(ruleset.load([folder / "rules"], store=folder / "cache").rules) == 1000
    return folder


CIRCLE = """title: Round and round
name: round
correlation: {type: event_count, rules: round, timespan: 1m, condition: {gte: 2}}
"""
FILTER = """title: From nobody
logsource: {category: webserver}
filter:
  rules:
    - no_such_rule
  known: {cs-uri-stem: x}
  condition: not known
"""
BAD = RULE.format(title="Bad", id="00000000-0000-4000-8000-00000000dead", value="x")


@pytest.mark.parametrize(("text", "place", "said"), [
    ("title: [\n", "2:1", "brackets"),
    (BAD.replace("  condition: selection\n", ""), "4:1", "condition"),
    (BAD.replace("condition: selection", "condition: selectoin"), "6:14", "selection"),
    (BAD.replace("title: Bad", "title: Bad\nlevel: hihg"), "2:8", "high"),
    (BAD.replace("contains: x", "re: '(?<=a)b'"), "5:31", "split the rule"),
    (BAD.replace("contains: x", "containz: x"), "5:27", "contains"),
    (CIRCLE, "3:41", "break the circle"),
    (FILTER, "5:7", "name"),
    (BAD.replace("0000dead", "00000001"), "1:1", "fresh UUID"),
    ("title: \x00\n", "1:8", "take it out"),
])  # fmt: skip
def test_one_broken_rule_never_stops_a_thousand_others(thousand: Path, text: str, place: str, said: str) -> None:
    """Only it is told, with file, line, column and what to do; the others find what they did."""
    path = thousand / "rules" / "zz_broken.yml"
    path.write_text(text)
    loaded = ruleset.load([thousand / "rules"], store=thousand / "cache")
    path.unlink()
    assert len(loaded.rules) == 1000
    (fault,) = loaded.faults
    assert str(fault.place) == f"{path}:{place}"
    assert fault.fix
    assert said in fault.fix
    events = pl.DataFrame({"cs-uri-stem": ["/evil7x", "/good", "/evil999x"], "event.original": ["", "", ""]})
    dialect = Dialect("web", LogSource(category="webserver"), {}, structured=False)
    hits = Engine(loaded.rules).detect(dialect, events)
    assert sorted(zip([loaded.rules[rule].id[-3:] for rule in hits.rule], hits.row, strict=True)) == [
        ("007", 0),
        ("999", 2),
    ]


def test_the_second_rule_of_an_id_is_a_fault_that_names_the_first(tmp_path: Path) -> None:
    first, second = write(tmp_path, 1), write(tmp_path, 1, title="Another", name="z.yml")
    loaded = ruleset.load([tmp_path])
    assert [rule.meta.title for rule in loaded.rules] == ["A rule"]
    (fault,) = loaded.faults
    assert str(first) in fault.message
    assert fault.place is not None
    assert fault.place.file == str(second)


def test_the_cache_gives_what_parsing_gives(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    write(rules, 1)
    (rules / "bad.yml").write_text("title: x\n")
    cold, warm = (ruleset.load([rules], store=cache) for _ in range(2))
    assert warm.rules == cold.rules == ruleset.load([rules]).rules
    assert list(map(str, warm.faults)) == list(map(str, cold.faults))
    assert len(list(cache.iterdir())) == 1


def test_a_changed_rule_is_compiled_anew(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    write(rules, 1)
    before = ruleset.load([rules], store=cache).rules[0]
    write(rules, 1, value="worse")
    after = ruleset.load([rules], store=cache).rules[0]
    assert before.semantics != after.semantics
    write(rules, 1, title="New words")
    assert ruleset.load([rules], store=cache).rules[0].semantics == before.semantics


def test_a_moved_rule_is_told_at_its_new_place(tmp_path: Path) -> None:
    old, new, cache = tmp_path / "old", tmp_path / "new", tmp_path / "cache"
    old.mkdir()
    path = write(old, 1)
    ruleset.load([old], store=cache)
    new.mkdir()
    path.rename(new / path.name)
    assert ruleset.load([new], store=cache).rules[0].place.file == str(new / path.name)


def test_a_damaged_cache_is_only_slow(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    write(rules, 1)
    cold = ruleset.load([rules], store=cache)
    for path in cache.iterdir():
        path.write_bytes(path.read_bytes()[:20])
    assert ruleset.load([rules], store=cache).rules == cold.rules


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: 1\na: 2\n", "the key `a` stands twice"),
        (b"x" * (rulecache.MAX_FILE + 1), "larger than"),
    ],
)
def test_an_unreadable_file_costs_itself(tmp_path: Path, content: bytes, told: str) -> None:
    write(tmp_path, 1)
    (tmp_path / "odd.yml").write_bytes(content)
    loaded = ruleset.load([tmp_path])
    assert len(loaded.rules) == 1
    assert told in str(loaded.faults[0])


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (tmp_path / "bomb.yml").write_text("\n".join([*lines, "title: *a9"]))
    assert "an alias counted each time" in str(ruleset.load([tmp_path]).faults[0])


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rule file or folder"):
        ruleset.load([tmp_path / "none"])


def test_lists_fill_placeholders_and_have_a_cache_of_their_own(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    write(rules, 1).write_text(
        RULE.format(title="t", id="00000000-0000-4000-8000-000000000001", value="x").replace(
            "cs-uri-stem|contains: x", "cs-uri-stem|expand: '%paths%'"
        )
    )
    assert ruleset.load([rules], store=cache).rules[0].waits_for == ("paths",)
    filled = ruleset.load([rules], store=cache, lists={"paths": ["/admin", "/phpmyadmin"]}).rules[0]
    assert filled.waits_for == ()


FILTER = """title: Known scanner
id: 00000000-0000-4000-9000-{number:012d}
logsource: {{category: webserver}}
filter:
  rules: {rules}
  selection: {{c-ip: 203.0.113.9}}
  condition: not selection
"""


def write_filter(folder: Path, number: int = 1, rules: str = "any") -> Path:
    path = folder / f"f{number:04d}.yml"
    path.write_text(FILTER.format(number=number, rules=rules))
    return path


def test_one_broken_filter_never_stops_a_rule_or_another_filter(tmp_path: Path) -> None:
    for number in range(1000):
        write(tmp_path, number)
    write_filter(tmp_path)
    broken = write_filter(tmp_path, 2)
    broken.write_text(broken.read_text().replace("not selection", "not selectoin"))
    unknown = write_filter(tmp_path, 3, "[00000000-0000-4000-8000-000000000007, nobody]")
    loaded = ruleset.load([tmp_path])
    assert len(loaded.rules) == 1000
    assert [each.place.file for each in loaded.filters] == [f"{tmp_path}/f0001.yml", str(unknown)]
    assert [str(fault.place) for fault in loaded.faults] == [f"{broken}:7:18", f"{unknown}:5:49"]


def test_filters_are_cached_beside_rules(tmp_path: Path) -> None:
    rules, cache = tmp_path / "rules", tmp_path / "cache"
    rules.mkdir()
    write(rules, 1)
    write_filter(rules)
    cold = ruleset.load([rules], store=cache)
    assert len(cold.filters) == 1
    for _ in range(2):
        warm = ruleset.load([rules], store=cache)
        assert warm.filters == cold.filters
        assert warm.rules == cold.rules
    write_filter(rules, 2)
    assert len(ruleset.load([rules], store=cache).filters) == 2


def test_the_second_filter_of_an_id_is_a_fault(tmp_path: Path) -> None:
    first = write_filter(tmp_path)
    (tmp_path / "z.yml").write_text(first.read_text())
    loaded = ruleset.load([tmp_path])
    assert len(loaded.filters) == 1
    assert f"is taken by {first}" in str(loaded.faults[0])


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_a_file_without_a_rule_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "empty.yml").write_text(text)
    (fault,) = ruleset.load([tmp_path]).faults
    assert str(fault).endswith("empty.yml:1:1: the file holds no rule; write one (soc rules new), or delete it")
