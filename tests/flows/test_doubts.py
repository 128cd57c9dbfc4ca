"""What is doubtful about exceptions."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.definitions import load_definitions
from connectors.store import Store
from detectors.content import contents
from detectors.errors import Place
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from flows.cli import main
from flows.doubts import Uses, blind, correlated, doubts, uses
from flows.ruleset import load
from tests.connectors.test_sinks import matches, suppressed
from tests.sample_findings import START

CHAIN = """title: r
name: r
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux}
detection: {s: {f: x}, condition: s}
---
title: Many failures
name: many
correlation: {type: event_count, rules: r, group-by: [user, host], timespan: 1m, condition: {gte: 5}}
---
title: Many hosts
name: hosts
correlation: {type: value_count, rules: many, group-by: user, timespan: 1h, condition: {field: host, gte: 3}}
---
title: A
logsource: {product: linux}
filter: {rules: many, sel: {user: lan}, condition: not sel}
---
title: B
logsource: {product: linux}
filter: {rules: r, sel: {user: lan}, condition: not sel}
"""
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TERMS = {"owner": "SOC", "reason": "scan", "valid_to": "2026-12-31"}


def exception(condition: str = "not sel", sel: Any = None, **terms: str) -> Filter:
    section = {"rules": "any", "sel": sel or {"f": "x"}, "other": {"g": "y"}, "condition": condition}
    document = {"title": "Scanner", "logsource": {"product": "linux"}, "filter": section, "soc": TERMS | terms}
    (made,) = contents(yaml.safe_dump(document), "f.yml")
    assert isinstance(made, Filter), str(made)
    return made


def codes(each: Filter, known: Uses | None = None) -> list[str]:
    return [doubt.code for doubt in doubts([each], NOW, UTC, known)]


@pytest.mark.parametrize(
    ("condition", "sel", "doubtful"),
    [
        ("not sel", None, False),
        ("not (sel or other)", None, False),
        ("not 1 of them", None, False),
        ("not sel and not other", None, False),
        ("sel", {"f|neq": "x"}, False),
        ("sel", None, True),
        ("not (not sel)", None, True),
        ("not sel and other", None, True),
        ("1 of them", None, True),
        ("not sel", {"f": None}, True),  # events without the field are excepted as well
        ("not sel", ["keyword"], False),
    ],
)
def test_an_exception_that_takes_what_it_does_not_name_is_doubtful(condition: str, sel: Any, doubtful: bool) -> None:
    assert codes(exception(condition, sel)) == ["polarity"] * doubtful
    assert codes(exception(condition, sel, intent="narrow")) == []


def test_somebody_answers_for_an_exception_and_it_ends() -> None:
    bare = exception(owner="x", reason="x")
    (made,) = contents(
        "title: t\nlogsource: {product: linux}\nfilter: {rules: any, s: {f: x}, condition: not s}", "f.yml"
    )
    assert isinstance(made, Filter)
    assert codes(bare) == []
    assert [str(doubt) for doubt in doubts([made], NOW, UTC)] == [
        "f.yml:1:1: warning: the exception `t` has no owner, reason, valid_to; write them under `soc`"
    ]


@pytest.mark.parametrize(("day", "code"), [("2026-05-31", ["ended"]), ("2026-06-10", ["ends"]), ("2026-06-15", [])])
def test_an_end_is_told_before_it_comes(day: str, code: list[str]) -> None:
    assert codes(exception(valid_to=day)) == code


@pytest.mark.parametrize(
    ("since", "last", "valid_from", "code"),
    [
        (59, None, None, []),
        (60, None, None, ["unused"]),
        (300, 61, None, ["unused"]),
        (300, 59, None, []),
        (300, None, 59, []),  # it is new
        (300, None, 100, ["unused"]),
        (None, None, 100, []),  # nothing is known
    ],
)
def test_an_exception_that_nobody_needs(
    since: int | None, last: int | None, valid_from: int | None, code: list[str]
) -> None:
    def ago(days: int) -> datetime:
        return NOW - timedelta(days=days)

    each = exception(**({} if valid_from is None else {"valid_from": ago(valid_from).isoformat()}))
    known = Uses(None if since is None else ago(since), {} if last is None else {each.id: ago(last)})
    assert codes(each, known) == code


@pytest.mark.parametrize(("days", "code"), [(61, ["unused"]), (59, [])])
def test_an_exception_that_was_written_lately_had_no_time_to_take_anything(
    tmp_path: Path, days: int, code: list[str]
) -> None:
    path = tmp_path / "e.yml"
    path.touch()
    os.utime(path, times=(written := (NOW - timedelta(days=days)).timestamp(), written))
    each = replace(exception(), place=Place(str(path)))
    assert codes(each, Uses(NOW - timedelta(days=300), {})) == code


def test_a_store_knows_what_was_used(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.sqlite")
    assert uses(store) == Uses(None, {})
    store.matches(matches("a"))
    assert uses(store) == Uses(START, {})
    store.suppressed(suppressed("a", "b"))
    assert uses(store) == Uses(START, {"x": START})


def test_an_exception_from_what_a_correlation_counts_is_told(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(CHAIN)
    found = load([tmp_path])
    assert not found.faults
    told = "warning: what it takes of `{}` is not counted by the correlation `{}` either; see that this is meant"
    assert [str(doubt).partition(": ")[2] for doubt in sorted(correlated(found))] == [
        told.format("Many failures", "Many hosts"),
        told.format("r", "Many failures"),
    ]
    assert [*correlated(replace(found, correlations=(), filters=found.filters[1:]))] == []


def test_check_refuses_an_exception_without_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "title: t\nlogsource: {product: linux}\nfilter: {rules: any, s: {f: x}, condition: s}\n"
    text += "soc: {owner: a, reason: b, valid_to: 2199-12-31}\n"
    Path("f.yml").write_text(text)
    assert main(["rules", "check", "f.yml"]) == 3
    out, err = capsys.readouterr()
    assert "f.yml:1:1: the exception `t` takes events that have none of the fields it names; write `not`" in out
    assert "1 exception; 1 faults" in err
    Path("f.yml").write_text(text.replace("condition: s", "condition: not s"))
    assert main(["rules", "check", "f.yml"]) == 0


@pytest.mark.parametrize(("field", "doubtful"), [("source.ip", False), ("user", False), ("usr", True)])
def test_an_exception_of_a_field_that_events_lack_is_told(field: str, doubtful: bool) -> None:
    texts = (
        "title: r\nlogsource: {product: linux, service: sshd}\ndetection: {s: [x], condition: s}",
        f"title: t\nlogsource: {{product: linux}}\nfilter: {{rules: any, s: {{{field}: x}}, condition: not s}}",
    )
    (rule,), (made,) = (contents(text, "f.yml") for text in texts)
    assert isinstance(rule, Rule)
    assert isinstance(made, Filter)
    told = [str(doubt) for doubt in blind(Exceptions([made], [rule]), load_definitions().values())]
    assert [f"lack `{field}`" in each for each in told] == [True] * doubtful
    assert [*blind(Exceptions([], [rule]), load_definitions().values())] == []
