"""Which hits filters take: what they describe, where and while they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
import yaml

from detectors.content import contents
from detectors.contracts import Dialect, Hits, LogSource
from detectors.schema import TIME
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions, resolve
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 3, 9, 5, tzinfo=UTC)  # 12:00 at home
LINUX = Dialect("auth", LogSource(product="linux"), {}, structured=True)
IDS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(9)]


def rule(number: int = 1, value: str = "evil", **more: object) -> Rule:
    document = {
        "title": f"Rule {number}",
        "id": IDS[number],
        "logsource": {"product": "linux"},
        "detection": {"sel": {"f": value}, "condition": "sel"},
    }
    (made,) = contents(yaml.safe_dump(document | more), "r.yml")
    assert isinstance(made, Rule), str(made)
    return made


def exception(rules: object = "any", condition: str = "not sel", **more: Any) -> Filter:
    section = {"rules": rules, "sel": {"by": "lan"}, "condition": condition} | more.pop("filter", {})
    document = {"title": "An exception", "logsource": {"product": "linux"}, "filter": section}
    (made,) = contents(yaml.safe_dump(document | more), "f.yml")
    assert isinstance(made, Filter), str(made)
    return made


def events(
    *rows: tuple[str, str | None], times: list[datetime | None] | None = None, **more: list[str]
) -> pl.DataFrame:
    columns = {"event.original": [""] * len(rows), "f": [row[0] for row in rows], "by": [row[1] for row in rows]}
    when = pl.Series("@timestamp", times or [NOON] * len(rows), TIME)
    return pl.DataFrame(columns | more).with_columns(when)


def taken(rules: list[Rule], filters: list[Filter], frame: pl.DataFrame, dialect: Dialect = LINUX) -> list[Any]:
    """Return (rule, row, filter) of what is taken."""
    hits = Engine(rules).detect(dialect, frame)
    found = Exceptions(filters, rules, HOME).take(dialect, frame, hits)
    return [*zip(hits.rule[found.hit].tolist(), hits.row[found.hit].tolist(), found.filter.tolist(), strict=True)]


THREE = events(("evil", "lan"), ("evil", "hoa"), ("evil", None))


def test_a_filter_takes_what_it_describes() -> None:
    assert taken([rule()], [exception()], THREE) == [(0, 0, 0)]


def test_the_condition_is_joined_to_the_rule_by_and() -> None:
    """Without `not` all else is excepted: as pySigma has it."""
    assert taken([rule()], [exception(condition="sel")], THREE) == [(0, 1, 0), (0, 2, 0)]


def test_only_rules_that_are_named_are_excepted_from() -> None:
    rules = [rule(1), rule(2), rule(3, name="third")]
    assert taken(rules, [exception([IDS[2].upper(), "third"])], THREE) == [(1, 0, 0), (2, 0, 0)]


def test_any_reaches_the_rules_whose_log_source_it_covers() -> None:
    rules = [rule(1), rule(2, logsource={"product": "linux", "service": "x"}), rule(3, logsource={"category": "y"})]
    dialect = Dialect("auth", LogSource("y", "linux", "x"), {}, structured=True)
    assert taken(rules, [exception()], THREE, dialect) == [(0, 0, 0), (1, 0, 0)]


def test_several_filters_may_take_the_same() -> None:
    assert taken([rule()], [exception(), exception([IDS[1]])], THREE) == [(0, 0, 0), (0, 0, 1)]


def test_a_filter_of_no_hit_takes_nothing() -> None:
    assert taken([rule()], [exception()], events(("good", "lan"))) == []
    assert taken([], [exception()], THREE) == []
    assert taken([rule()], [], THREE) == []


@pytest.mark.parametrize(
    ("terms", "rows"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"valid_from": "2026-03-09"}, [1, 2, 3]),
        ({"valid_to": "2026-03-09"}, [0, 1, 2]),
        ({"valid_from": "2026-03-09", "valid_to": "2026-03-09"}, [1, 2]),
        ({"valid_from": "2026-03-09T05:00+00:00", "valid_to": "2026-03-09T12:00:00.000001"}, [1]),
    ],
)
def test_the_time_of_the_event_decides(terms: dict[str, str], rows: list[int]) -> None:
    """Today plays no part: the same events give the same matches whenever they are looked at."""
    midnight = datetime(2026, 3, 8, 17, tzinfo=UTC)  # of 9 March at home
    end = midnight + timedelta(days=1)
    times = [midnight - timedelta(microseconds=1), NOON, end - timedelta(microseconds=1), end, None]
    frame = events(*[("evil", "lan")] * 5, times=times)
    assert [row for _, row, _ in taken([rule()], [exception(soc=terms)], frame)] == rows


def test_an_organisation_excepts_its_own_events_only() -> None:
    frame = THREE.with_columns(by=pl.lit("lan"))
    of = exception(soc={"organisation": "SoTP"})
    assert taken([rule()], [of], frame) == []
    named = frame.with_columns(pl.Series("organization.name", ["sotp", "sonv", None]))
    assert taken([rule()], [of], named) == [(0, 0, 0)]
    numbered = named.with_columns(pl.Series("organization.id", [None, None, "SOTP"]))
    assert taken([rule()], [of], numbered) == [(0, 0, 0), (0, 2, 0)]


def test_a_filter_that_waits_for_a_list_takes_nothing() -> None:
    waiting = exception(filter={"sel": {"by|expand": "%staff%"}})
    assert waiting.waits_for == ("staff",)
    assert taken([rule()], [waiting], THREE) == []


def test_fields_mean_what_they_mean_to_the_rule() -> None:
    """A rule on web servers reads `cs-uri-query` in two ways; what a filter describes in either is excepted."""
    web = Dialect("access", LogSource("webserver"), {}, structured=False)
    made = rule(
        logsource={"category": "webserver"}, detection={"s": {"cs-uri-query|contains": "x=1"}, "condition": "s"}
    )
    known = exception(logsource={"category": "webserver"}, filter={"sel": {"cs-uri-query|contains": "/probe?"}})
    frame = events(("", ""), ("", "")).with_columns(
        pl.Series("cs-uri", ["/probe?x=1", "/a?x=1"]), pl.lit("x=1").alias("cs-uri-query")
    )
    assert taken([made], [known], frame, web) == [(0, 0, 0)]


def test_columns_that_filters_look_at_are_wanted() -> None:
    assert Exceptions([exception()], [rule()]).wanted(LINUX) >= {"by", "organization.name"}
    assert Exceptions([], [rule()]).wanted(LINUX) == frozenset()


def test_a_filter_that_fails_takes_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Exceptions([exception(filter={"sel": {"by|re": "l.n"}}), exception()], [rule()])
    hits = Hits(np.zeros(1, np.int32), np.zeros(1, np.int64))

    def failing(*_: object) -> list[bool]:
        raise MemoryError("too much")

    monkeypatch.setattr("detectors.sigma.truth._regex", failing)
    assert made.take(LINUX, THREE, hits).filter.tolist() == [1]
    assert made.failures == {0: "MemoryError: too much"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ([IDS[8]], "no rule `00000000-0000-4000-8000-000000000008` to except from; name a rule that is loaded"),
        (["thrid"], "there is no rule `thrid` to except from; did you mean `third`?"),
        (["qqqqqq"], "name a rule that is loaded by its id or its `name:`"),
        ([IDS[2]], f"the rule `{IDS[2]}` is of windows, which linux does not cover; give the filter the log source"),
    ],
)
def test_a_reference_that_leads_nowhere_costs_itself(rules: list[str], told: str) -> None:
    known = [rule(1), rule(2, logsource={"product": "windows"}), rule(3, name="third")]
    found = resolve([exception([IDS[1], *rules])], known)
    (fault,) = found.faults
    assert told in str(fault)
    assert str(fault).startswith("f.yml:")
    assert found.filters == {0: (0,)}
