"""The parts of the bench: clocks, fresh processes, clones of rules, charts and tables."""

from __future__ import annotations

import os
import time
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest
import yaml

from detectors.errors import UsageError
from detectors.sigma.parse import rules
from detectors.sigma.predicates import predicates
from detectors.sigma.rule import Rule
from flows.bench import clones, formats
from flows.bench.chart import HEIGHT, WIDTH, Chart, figure
from flows.bench.clock import Ledger, least, reference
from flows.bench.fresh import THREADS, fresh, on_one_core
from flows.bench.table import table
from flows.bench.work import Work
from flows.ruleset import own_rules

RULE = """title: A test
id: 00000000-0000-4000-8000-000000000001
logsource: {product: windows, category: process_creation}
detection:
  sel:
    Image|endswith: ['\\powershell.exe', '\\cmd.exe']
    CommandLine|re: 'power(shell)+ -enc'
    EventID: 4688
    Data|cidr: 192.0.2.0/24
  other:
    CommandLine|fieldref: ParentCommandLine
  condition: sel or other
"""


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_time_inside_a_block_inside_is_counted_there_only() -> None:
    ledger = Ledger[str]()
    with ledger.timed("outer"):
        spin(0.01)
        with ledger.timed("inner"):
            spin(0.04)
    assert 0.01 <= ledger.seconds["outer"] < 0.04 <= ledger.seconds["inner"]


def test_time_counts_when_a_block_fails() -> None:
    ledger = Ledger[str]()

    def broken() -> None:
        with ledger.timed("outer"), ledger.timed("inner"):
            spin(0.01)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    with ledger.timed("outer"):
        pass
    assert ledger.seconds["inner"] >= 0.01 > ledger.seconds["outer"] >= 0


def test_the_quickest_round_counts() -> None:
    rounds = iter((0.05, 0.001, 0.05))
    assert 0.001 <= least(lambda: spin(next(rounds))) < 0.05


def test_a_fresh_process_is_another_one() -> None:
    assert fresh(os.getpid) != os.getpid()


def test_on_one_core_polars_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS, "2")
    assert on_one_core(pl.thread_pool_size) == 1
    assert fresh(pl.thread_pool_size) == 2, "the environment is as it was"


def test_a_fault_in_a_fresh_process_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rule file or folder at nonesuch"):
        fresh(clones.write, [Path("nonesuch")], 1, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def compiled(text: str) -> Rule:
    (found,) = rules(text, "test.yml")
    assert isinstance(found, Rule), str(found)
    return found


def test_a_clone_asks_the_same_fields_for_other_texts() -> None:
    original, copy = compiled(RULE), compiled(clones.clone(RULE, 1))
    assert copy.meta.id != original.meta.id
    asked = list(zip(predicates(original.condition), predicates(copy.condition), strict=True))
    assert all((mine.field, mine.op) == (theirs.field, theirs.op) for mine, theirs in asked)
    changed = {mine.field: (mine.values, theirs.values) for mine, theirs in asked if mine.values != theirs.values}
    assert changed == {"Image": (("\\powershell.exe", "\\cmd.exe"), ("\\poweabhell.exe", "\\cmd.exe"))}


def test_clones_differ_from_one_another_and_stay_the_same() -> None:
    assert len({clones.clone(RULE, generation) for generation in range(1, 600)}) == 599
    assert clones.clone(RULE, 7) == clones.clone(RULE, 7)


def test_a_part_of_the_rules_is_spread_over_them(tmp_path: Path) -> None:
    originals = [path.read_text("utf-8") for path in clones.asking([own_rules()])]
    clones.write([own_rules()], 5, tmp_path / "few")
    chosen = [originals.index(path.read_text("utf-8")) for path in sorted((tmp_path / "few").iterdir())]
    assert chosen == [len(originals) * number // 5 for number in range(5)]


def test_more_rules_than_there_are_come_as_clones(tmp_path: Path) -> None:
    there = len(clones.asking([own_rules()]))
    clones.write([own_rules()], 2 * there + 1, tmp_path / "many")
    made = [next(yaml.safe_load_all(path.read_text("utf-8"))) for path in (tmp_path / "many").iterdir()]
    assert len({rule["id"] for rule in made}) == 2 * there + 1


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0125, "0.0125"), (12, "12"), (3754, "3.75 k"), (216_248, "216 k"), (1_000_000, "1 M")]
)
def test_figures_have_three_digits(value: float, shown: str) -> None:
    assert figure(value) == shown


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_chart_keeps_its_points_inside_and_in_order(*, logarithmic: bool) -> None:
    lines = {"a <b>": [(100, 3.0), (1_000, 40.0), (20_000, 41.0)], "c": [(100, 2.9), (20_000, 0.07)]}
    chart = Chart("t", "x", "y", lines, log_across=logarithmic, log_upward=logarithmic)
    root = ElementTree.fromstring(chart.svg())  # noqa: S314 - our own
    dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in root.iter() if dot.tag.endswith("circle")]
    assert len(dots) == 5
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in dots)
    assert dots[0][0] < dots[1][0] < dots[2][0]
    assert dots[0][1] > dots[1][1] > dots[2][1]
    assert {"a <b>", "c", "40", "0.07"} <= {text.text for text in root.iter() if text.tag.endswith("text")}


def test_a_table_aligns_figures_to_the_right() -> None:
    shown = table(("stage", "seconds", "events"), [("read", 0.5, 12_345), ("a longer one\x1b[0m", 1_234.5, 7)])
    head, first, second = shown.splitlines()
    assert len(head) == len(first) == len(second)
    assert first.endswith("0.500  12,345")
    assert "1,234       7" in second
    assert "\x1b" not in second


def test_the_pace_of_the_machine_is_told() -> None:
    assert 0.01 < reference() < 100


def test_sources_are_measured_alone_with_their_stages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(formats, "EVENTS", 400)
    work = Work((), (own_rules() / "exceptions",))
    (one,) = formats.formats(work, Path("tests/samples"), tmp_path, ["cef"])
    assert (one.source, one.format, one.structured) == ("cef", "cef", False)
    assert one.even == round(one.rules * one.reference / formats.GOOD)
    assert one.stages.keys() == formats.STAGES.keys()
    assert 0 < one.stages["read"] < 1
    assert "read" in formats.shown([one])
    with pytest.raises(UsageError, match=r"no lines of nosuch; name some of .*cef"):
        formats.formats(work, Path("tests/samples"), tmp_path, ["cef", "nosuch"])
