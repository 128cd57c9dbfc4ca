"""Value lists: what files hold, what is wrong in them, and that rules see what they hold now."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from detectors.contracts import Dialect, LogSource
from detectors.errors import UsageError
from detectors.sigma.engine import Engine
from detectors.sigma.valuelist import ValueList
from flows import assembly, lists, rulecache, ruleset
from flows.settings import Settings

RULE = """title: Asked by somebody known
id: 00000000-0000-4000-8000-000000000001
logsource: {{category: test}}
detection:
  sel: {{by{}: '%staff%'}}
  condition: sel
"""
DIALECT = Dialect("test", LogSource("test"), {}, structured=True)


def matches(loaded: ruleset.RuleSet, *values: str) -> list[str]:
    frame = pl.DataFrame({"event.original": [""] * len(values), "by": values})
    return [values[row] for row in Engine(loaded.rules).detect(DIALECT, frame).row]


def test_a_text_file_is_a_list_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "staff.txt"
    path.write_text("# who works here\n\n  lan  # of the desk\nadm-*\n10.0.0.0/8\nre:^svc-\\d+$\ntext:50*2\nlan\na#b\n")
    (found,) = lists.read([path]).lists.items()
    assert found == ("staff", ValueList(("lan", "adm-*", r"50\*2", "a#b"), ("10.0.0.0/8",), (r"^svc-\d+$",)))


def test_a_yaml_file_holds_lists_by_name_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "lists.yml"
    path.write_text("staff: [lan, 010, no, '2001:db8::/32']\nhosts:\n  - web*\n")
    assert dict(lists.read([path]).lists) == {
        "staff": ValueList(("lan", "010", "no"), ("2001:db8::/32",)),
        "hosts": ValueList(("web*",)),
    }


def test_a_wrong_entry_costs_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("lan\n 10.0.0.1/8\nre:(\n")
    (tmp_path / "b.yml").write_text("b: [x, 're:(?=x)']\nc: 5\na: [y]\n")
    found = lists.read([tmp_path])
    assert dict(found.lists) == {"a": ValueList(("lan",)), "b": ValueList(("x",))}
    told = [str(fault).removeprefix(f"{tmp_path}/") for fault in found.faults]
    assert [each.partition(": ")[0] for each in told] == [
        "a.txt:2:2",
        "a.txt:3:1",
        "b.yml:1:8",
        "b.yml:2:1",
        "b.yml:3:1",
    ]
    assert told[0].endswith("`10.0.0.1/8` is not a network; write `10.0.0.0/8`")
    assert "already in" in told[4]


def test_a_file_that_cannot_be_read_costs_its_lists_and_one_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    (tmp_path / "b.txt").write_text("x\n")
    loaded = lists.read([tmp_path])
    assert [*loaded.lists] == ["b"]
    assert [str(fault).endswith("save it as UTF-8") for fault in loaded.faults] == [True]
    with pytest.raises(UsageError, match="there are no lists at"):
        lists.read([tmp_path / "c.txt"])


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.txt", "*\n", "a.txt:1:1: `*` fits every value; name the values; `text:*` is the sign itself"),
        ("a.txt", "x\nre:.*\n", "a.txt:2:1: the pattern `.*` fits every value; say what must stand there"),
        ("a.txt", "re:\n", "a.txt:1:1: the pattern `` fits every value"),
        (
            "a.yml",
            "- x\n",
            "a.yml:1:1: not a mapping of keys to values; write `name: [value, …]`; a list alone",
        ),
        ("a.yml", "x: [ok, 10.0.0.0/33]\n", "a.yml:1:9: `10.0.0.0/33` is not a network; write a network such as"),
    ],
)
def test_an_entry_that_is_hardly_meant_is_told(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    (fault,) = lists.read([tmp_path]).faults
    assert told in str(fault)


def test_every_kind_of_entry_matches(tmp_path: Path) -> None:
    (tmp_path / "staff.txt").write_text("Lan\nadm-*\n192.0.2.0/24\n2001:db8::/32\nre:^svc-\\d+$\ntext:50*2\n")
    (tmp_path / "r.yml").write_text(RULE.format("|expand"))
    loaded = ruleset.load([tmp_path / "r.yml"], lists=lists.read([tmp_path / "staff.txt"]).lists)
    yes = ["LAN", "ADM-x", "192.0.2.77", "2001:DB8:0::1", "svc-12", "50*2"]
    assert matches(loaded, *yes, "lan2", "192.0.3.1", "svc-x", "5002") == yes


def test_networks_and_patterns_are_no_part_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "staff.txt").write_text("10.0.0.0/8\n")
    (tmp_path / "r.yml").write_text(RULE.format("|contains|expand"))
    (fault,) = ruleset.load([tmp_path / "r.yml"], lists=lists.read([tmp_path / "staff.txt"]).lists).faults
    assert "holds networks, which can't be a part of a text" in str(fault)
    assert str(fault.place).endswith("r.yml:5:29")


def test_a_long_list_is_fast(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(RULE.format("|expand"))
    (tmp_path / "staff.txt").write_text(
        "".join(f"user-{number}@example.vn\n10.{number >> 8 & 255}.{number & 255}.0/24\n" for number in range(100_000))
    )
    begin = time.process_time()
    loaded = ruleset.load([tmp_path / "r.yml"], lists=lists.read([tmp_path / "staff.txt"]).lists)
    assert matches(loaded, "USER-99999@example.vn", "user-100000@example.vn", "10.9.8.7", "11.0.0.1") == [
        "USER-99999@example.vn",
        "10.9.8.7",
    ]
    assert time.process_time() - begin < 6


def test_a_changed_list_is_seen_and_costs_only_the_rules_that_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "r.yml").write_text(RULE.format("|expand"))
    (rules / "other.yml").write_text(RULE.format("").replace("0001", "0002"))
    compiled: list[str] = []
    compile_ = rulecache.RuleCache._compile

    def noted(self: rulecache.RuleCache, text: str, path: str) -> list[rulecache.Outcome]:
        compiled.append(Path(path).name)
        return compile_(self, text, path)

    monkeypatch.setattr(rulecache.RuleCache, "_compile", noted)
    settings = Settings(own_rules=False, rules=[rules], cache=tmp_path / "cache", lists=tmp_path / "staff.txt")
    for content, expected in (("lan", ["lan"]), ("hoa", ["hoa"]), ("hoa", ["hoa"]), ("lan\nhoa", ["lan", "hoa"])):
        (tmp_path / "staff.txt").write_text(content)
        assert matches(assembly.load_rules(settings), "lan", "hoa", "minh") == expected
    assert sorted(compiled) == ["other.yml", "r.yml", "r.yml", "r.yml"]


def test_a_list_that_comes_later_ends_the_waiting(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "r.yml").write_text(RULE.format("|expand"))
    assert ruleset.load([rules], store=tmp_path).rules[0].waits_for == ("staff",)
    assert ruleset.load([rules], store=tmp_path, lists={"staff": ["lan"]}).rules[0].waits_for == ()
    assert ruleset.load([rules], store=tmp_path).rules[0].waits_for == ("staff",)
