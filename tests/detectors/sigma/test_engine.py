"""A frame in, hits out: routes, names of fields, types of columns, and hostile sizes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from detectors.contracts import Dialect, LogSource
from detectors.errors import RuleError
from detectors.sigma import vocabulary
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.predicates import Predicate
from detectors.sigma.rule import Rule
from detectors.sigma.truth import holds
from tests.detectors.sigma.asking import DIALECT, compiled, frame, which

WINDOWS = Dialect(
    "windows", LogSource(product="windows"), {"CommandLine": ("cmd", "process.command_line")}, structured=True
)


def made(logsource: str, item: str) -> Rule:
    text = f"title: t\nlogsource: {{{logsource}}}\ndetection:\n  sel: {{{item}}}\n  condition: sel\n"
    (found,) = rules(text, "r.yml")
    assert not isinstance(found, RuleError), str(found)
    return found


def test_a_rule_sees_only_the_rows_of_its_log_source() -> None:
    rule = made("category: process_creation, product: windows", "Image: x")
    sysmon = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": "1", "Image": "x"}
    events = [
        sysmon,
        {**sysmon, "EventID": "3"},
        {**sysmon, "Channel": "Other"},
        {**sysmon, "EventID": "1", "Image": "y"},
    ]
    assert which(rule, events, WINDOWS) == [0]


def test_a_rule_of_another_product_is_not_run() -> None:
    engine = Engine([made("product: linux", "a: x"), made("product: windows", "a: x")])
    assert engine.covered(WINDOWS) == [1]


def test_wanted_names_every_column_that_rules_and_routes_look_at() -> None:
    engine = Engine([made("category: process_creation, product: windows", "CommandLine|fieldref: Other")])
    assert {"CommandLine", "cmd", "process.command_line", "Other", "EventID", "Channel"} <= engine.wanted(WINDOWS)


def test_a_field_is_its_own_column_then_its_aliases_row_by_row() -> None:
    rule = made("product: windows", "CommandLine: x")
    events = [
        {"CommandLine": "x"},
        {"cmd": "x"},
        {"process.command_line": "x"},
        {"CommandLine": "y", "cmd": "x"},
        {"CommandLine": "", "cmd": "x"},
        {"z": "x"},
    ]
    assert which(rule, events, WINDOWS) == [0, 1, 2]
    events[1] = {"cmd": ["x", "q"]}  # type: ignore[dict-item]  # one of the columns is a list now
    assert which(rule, events, WINDOWS) == [0, 1, 2]


@pytest.mark.parametrize(
    ("item", "values"),
    [
        ("f: 5", [5, 6, None]),
        ("f: 5", [5.0, 5.5, None]),
        ("f: true", [True, False, None]),
        ("f: 'True'", [True, False, None]),
        ("f|gt: 4", [5, 4, None]),
        ("f|hour: 10", [datetime(2024, 1, 1, 10, tzinfo=UTC), datetime(2024, 1, 1, 11, tzinfo=UTC), None]),
    ],
)
def test_typed_columns(item: str, values: list[object]) -> None:
    events = pl.DataFrame({"event.original": ["{}"] * 3, "f": values})
    assert Engine([compiled(item)]).detect(DIALECT, events).row.tolist() == [0]


def test_an_empty_frame_and_no_rules() -> None:
    assert Engine([compiled("f: x")]).detect(DIALECT, frame([{"f": "x"}])[:0]).row.size == 0
    assert Engine([]).detect(DIALECT, frame([{"f": "x"}])).row.size == 0


def test_hits_are_ordered_by_rule_then_row_and_repeatable() -> None:
    engine = Engine([compiled("f: [x, y]"), compiled("f: x"), compiled("f|neq: x")])
    events = frame([{"f": value} for value in "yxzxy"])
    hits = engine.detect(DIALECT, events)
    assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == [
        *((0, row) for row in (0, 1, 3, 4)), *((1, row) for row in (1, 3)), *((2, row) for row in (0, 2, 4))
    ]  # fmt: skip
    again = engine.detect(DIALECT, events)
    assert np.array_equal(hits.rule, again.rule)
    assert np.array_equal(hits.row, again.row)
    assert (str(hits.rule.dtype), str(hits.row.dtype)) == ("int32", "int64")


@pytest.mark.parametrize("border", [1 << 12, 1 << 13, 1 << 17, 1 << 20])
def test_a_text_is_found_across_the_borders_of_the_search_windows(border: int) -> None:
    for offset in range(-8, 3):
        text = "x" * (border + offset) + "needle" + "x" * 10
        assert which(compiled("f|contains: needle"), [{"f": text}]) == [0], offset
    assert which(compiled("f|endswith: needle"), [{"f": "x" * border + "needle"}, {"f": "needle"}]) == [0, 1]
    assert which(compiled("f|startswith: needle"), [{"f": "needle" + "x" * border}, {"f": "xneedle" * border}]) == [0]


def test_each_value_is_found_by_its_own_row_however_many_there_are() -> None:
    rule = compiled("f|contains: [needle, '7x']")
    values = [f"{number}x" + ("needle" if number % 5000 == 0 else "") + "y" * 40 for number in range(12_000)]
    expected = [number for number in range(12_000) if number % 10 == 7 or number % 5000 == 0]
    assert which(rule, [{"f": value} for value in values]) == expected


def test_nothing_is_found_across_two_values() -> None:
    assert which(compiled("f|contains: ab"), [{"f": "a"}, {"f": "b"}, {"f": "a\0b"}, {"f": "ab"}]) == [3]
    assert which(compiled('f|contains: "a\\0b"'), [{"f": "a"}, {"f": "b"}, {"f": "a\0b"}]) == [2]


def test_a_field_full_of_finds_stays_bounded() -> None:
    hostile = "a" * 10_000_000
    begin = time.process_time()
    rule = compiled("f|contains: [a, aa, aaa, 'a*?*?*?b']")
    assert which(rule, [{"f": hostile}, {"f": "b"}]) == [0]
    assert which(compiled("f|endswith: [aa, b]"), [{"f": hostile}, {"f": hostile + "c"}, {"f": "b"}]) == [0, 2]
    assert time.process_time() - begin < 10


def test_thousands_of_columns_cost_nothing_unless_asked() -> None:
    names = {f"c{number}": "x" for number in range(10_000)}
    assert which(compiled("c77: x"), [names, {}]) == [0]


@pytest.mark.parametrize("broken", ["f|re: 'broken|x'", "f|contains|cased: broken", "f|re: broken", "f|lt: 666"])
def test_a_rule_that_fails_does_not_stop_the_others(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(predicate: Predicate, texts: Sequence[str]) -> list[bool]:
        if {"broken", "broken|x", "666"} & set(predicate.values):
            raise RuntimeError("out of order")
        return holds(predicate, texts)

    monkeypatch.setattr(vocabulary, "holds", fail)
    engine = Engine([compiled("f|contains: b"), compiled(broken), compiled("f|re: 'b|x'"), compiled("f|neq: a")])
    for events in (frame([{"f": "a"}, {"f": "broken"}]), frame([{"f": "a"}, {"f": "broken"}])):
        hits = engine.detect(DIALECT, events)
        assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == [(0, 1), (2, 1), (3, 1)]
    assert engine.failures == {1: "RuntimeError: out of order"}


def test_a_column_that_can_not_be_read_costs_its_rules_only() -> None:
    engine = Engine([compiled("f: x"), compiled("g: x")])
    events = frame([{"f": "x"}]).with_columns(g=pl.Series([b"\xff"]))
    assert engine.detect(DIALECT, events).rule.tolist() == [0]
    assert list(engine.failures) == [1]
