"""Correlations from log lines to stored findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.parser import DefinedParser
from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Batch
from detectors.identity import GROUP
from detectors.schema import RECORD
from flows import assembly
from flows.assembly import Parts
from flows.correlating import Correlating, remembering
from flows.hunting import hunt
from flows.pipeline import Pipeline
from flows.scanning import scan
from flows.settings import Settings

RULES = """title: Password refused
name: refused
id: 00000000-0000-4000-8000-000000000001
logsource: {product: linux, service: sshd}
detection:
  selection: {message|startswith: 'Failed password for '}
  condition: selection
---
title: Password accepted
name: accepted
id: 00000000-0000-4000-8000-000000000002
logsource: {product: linux, service: sshd}
detection:
  selection: {message|startswith: 'Accepted password for '}
  condition: selection
---
title: Password guessing
name: guessing
id: 00000000-0000-4000-8000-000000000003
correlation: {type: event_count, rules: refused, group-by: source.ip, timespan: 1m, condition: {gte: 5}}
---
title: Password guessed
id: 00000000-0000-4000-8000-000000000004
level: critical
correlation:
  {type: temporal_ordered, rules: [guessing, accepted], group-by: source.ip, timespan: 10m, generate: true}
---
title: Many users tried
id: 00000000-0000-4000-8000-000000000005
correlation:
  {type: value_count, rules: refused, group-by: source.ip, timespan: 5m, condition: {gte: 3, field: user.name}}
---
title: Guessing that ended
id: 00000000-0000-4000-8000-000000000006
correlation: {type: temporal, group-by: source.ip, timespan: 10m, condition: refused and not accepted}
"""
TITLES = {"Password accepted", "Password guessing", "Password guessed", "Many users tried", "Guessing that ended"}


def lines() -> list[str]:
    """Return a guesser who gets in, one who gives up, somebody who errs, and a late line."""
    told = [(second, f"Failed password for u{second % 4} from 192.0.2.7") for second in range(0, 40, 5)]
    told += [(300, "Accepted password for u1 from 192.0.2.7")]
    told += [(second, "Failed password for root from 192.0.2.8") for second in range(100, 140, 6)]
    told += [(500, "Failed password for lan from 192.0.2.9"), (505, "Accepted password for lan from 192.0.2.9")]
    told += [(3000, "Connection closed by 192.0.2.9")]
    times = [(f"08:{second // 60:02d}:{second % 60:02d}", text) for second, text in sorted(told)]
    return [f"Mar  9 {time} srv sshd[7]: {text} port 22 ssh2" for time, text in times]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ssh.yml").write_text(RULES)
    return assembly.assemble(Settings(cache=tmp_path / "cache"), [tmp_path / "rules"])


def batch(rows: list[tuple[int, str]]) -> Batch:
    records = {
        "event.original": [text for _, text in rows],
        "log.offset": [offset for offset, _ in rows],
        "soc.index": [0] * len(rows),
    }
    return Batch("auth", "file:x", "auth.log", pl.DataFrame(records, schema=RECORD))


def pipeline(parts: Parts, store: Store) -> Pipeline:
    parsers = {"auth": DefinedParser(parts.definitions["auth"], year=2026)}
    remembered = remembering(parts, partial(StoreMemory, store))
    return Pipeline(parts.definitions, parts.engine, parts.detections, store, parsers=parsers, correlating=remembered)


def outcome(parts: Parts, path: Path, batches: Iterable[Batch]) -> tuple[list[Any], list[Any]]:
    """Carry each batch through in a process of its own, and return what the store holds."""
    for each in batches:
        carry(parts, path, each)
    store = Store(path)
    try:
        carry(parts, path, None)
        findings = store.select(limit=1000).sort("event.id")
        matches = [store.matches_of(name) for name in findings["event.id"]]
        return (
            findings.select("event.id", "rule.id", "soc.group", "soc.window.start").rows(),
            pl.concat(matches).sort("soc.match.id").rows(),
        )
    finally:
        store.close()


def carry(parts: Parts, path: Path, each: Batch | None) -> None:
    store = Store(path)
    try:
        line = pipeline(parts, store)
        if each is None:
            line.settle()
        else:
            line.process(each)
        assert not line.statistics.failed_rules
    finally:
        store.close()


def test_one_stream_in_many_ways_is_the_same_findings(parts: Parts, tmp_path: Path) -> None:
    rows = [*enumerate(lines())]
    random = Random(1)  # noqa: S311 - no secret
    expected = outcome(parts, tmp_path / "whole.sqlite", [batch(rows)])
    assert len(expected[0]) == 7
    ways = {
        "single": [[row] for row in rows],
        "shuffled": [[row] for row in random.sample(rows, len(rows))],
        "backwards": [rows[10:], rows[:10]],
        "twice": [rows[:12], rows[5:], rows],
    }
    for way, cut in ways.items():
        assert outcome(parts, tmp_path / f"{way}.sqlite", map(batch, cut)) == expected, way


def test_a_scan_tells_what_correlates_and_not_what_only_feeds_it(parts: Parts, tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("\n".join(lines()) + "\n")
    store, archive = Store(tmp_path / "store.sqlite"), Archive(tmp_path / "archive")
    done = scan([log], parts, store, archive=archive)
    findings = store.select()
    store.close()
    assert set(findings["rule.name"]) == TITLES
    guessed = findings.row(by_predicate=pl.col("rule.name") == "Password guessed", named=True)
    assert (guessed["soc.group"], guessed["soc.count"]) == ("source.ip=192.0.2.7", 9)
    assert guessed["source.ip"] == ["192.0.2.7"]
    assert guessed["event.end"] == guessed["event.start"].replace(minute=5, second=0)
    assert "Accepted password for u1" in guessed["soc.evidence"]
    assert set(findings.filter(pl.col("rule.name") == "Guessing that ended")["soc.group"]) == {"source.ip=192.0.2.8"}
    assert done.statistics.matches["00000000-0000-4000-8000-000000000001"] == 16
    assert done.statistics.matches["00000000-0000-4000-8000-000000000003"] == 15
    hunted = pl.concat([found.findings for found in hunt(parts, archive, ["auth"], None, None)])
    assert set(hunted["event.id"]) == set(findings["event.id"])


def test_one_broken_correlation_stops_nobody(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    rule, _, correlation, *_ = RULES.split("---\n")
    for number in range(500):
        names = rule.replace("000000000001", f"{number + 10:012d}").replace("refused\n", f"refused{number}\n")
        counted = correlation.replace("000000000003", f"1{number:011d}").replace("refused", f"refused{number}")
        seen = names if number < 3 else names.replace("Failed password", f"Nobody says {number}")
        (rules / f"r{number}.yml").write_text(f"{seen}---\n{counted.replace('name: guessing', '')}")
    (rules / "z.yml").write_text(correlation.replace("rules: refused", "rules: refusd0"))
    made = assembly.assemble(Settings(cache=tmp_path / "cache"), [rules])
    assert (len(made.rules.rules), len(made.rules.correlations)) == (500, 500)
    assert [str(fault) for fault in made.rules.faults] == [
        f"{rules}/z.yml:4:41: no rule has the name or id `refusd0`; did you mean `refused0`?"
    ]
    log = tmp_path / "auth.log"
    log.write_text("\n".join(lines()) + "\n")
    store = Store(tmp_path / "store.sqlite")
    scan([log], made, store)
    assert store.counts()["findings"] == 6  # two addresses guess, for each of the correlations that see them
    store.close()


def test_one_that_fails_when_it_runs_is_named_and_the_others_go_on(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such number")

    monkeypatch.setattr("detectors.correlation.metrics.distinct", broken)
    log = tmp_path / "auth.log"
    log.write_text("\n".join(lines()) + "\n")
    store = Store(tmp_path / "store.sqlite")
    done = scan([log], parts, store)
    names = set(store.select()["rule.name"])
    store.close()
    assert names == TITLES - {"Many users tried"}
    (told,) = done.statistics.failed_rules.values()
    assert "'Many users tried'" in told
    assert "no such number" in told


def test_the_cache_gives_the_same_correlations(parts: Parts, tmp_path: Path) -> None:
    again = assembly.assemble(Settings(cache=tmp_path / "cache"), [tmp_path / "rules"])
    assert again.rules.correlations == parts.rules.correlations
    assert len(list((tmp_path / "cache").glob("rules-*"))) == 1


def test_absence_waits_for_every_source_it_needs(parts: Parts, tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    rows = [*enumerate(lines())]
    line = pipeline(parts, store)
    line.process(batch(rows[:-3]))
    line.settle()
    titles = store.select()["rule.name"]
    assert "Guessing that ended" not in set(titles)
    line.process(batch(rows[-3:]))
    line.settle(late=3000 * 1_000_000)
    assert "Guessing that ended" not in set(store.select()["rule.name"])
    line.settle()
    assert "Guessing that ended" in set(store.select()["rule.name"])
    store.close()


def test_what_a_late_line_makes_untrue_is_withdrawn(parts: Parts, tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    rows = [*enumerate(lines())]
    late = [row for row in rows if "Accepted password for u1" in row[1]]
    line = pipeline(parts, store)
    line.process(batch([row for row in rows if row not in late]))
    line.settle()
    ended = pl.col("rule.name") == "Guessing that ended"
    told = store.select().filter(ended)
    assert set(told["soc.group"]) == {"source.ip=192.0.2.7", "source.ip=192.0.2.8"}
    line.process(batch(late))
    line.settle()
    gone = store.select().filter(ended & (pl.col("event.action") == "correlation-withdrawn")).row(0, named=True)
    assert gone["soc.group"] == "source.ip=192.0.2.7"
    assert gone["soc.follows"] in told["event.id"].to_list()
    assert (gone["soc.level"], gone["message"].partition(" (")[0]) == (
        "informational",
        "Withdrawn: Guessing that ended",
    )
    assert gone["soc.message.vi"].startswith("Rút lại: Guessing that ended (")
    assert "Accepted password for u1" in gone["soc.evidence"]
    assert [each["event.id"] for each in store.successors(gone["soc.follows"])] == [gone["event.id"]]
    line.process(batch(late))
    line.settle()
    assert store.select().filter(ended).height == 3
    store.close()


def test_a_source_that_fell_silent_holds_nothing_up(parts: Parts, tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    line = pipeline(parts, store)
    line.process(batch([*enumerate(lines()[:-1])]))
    line.settle()
    assert "Guessing that ended" not in set(store.select()["rule.name"])
    StoreMemory(store, 0).pass_time({("web", ""): int(datetime(2026, 3, 9, 9, tzinfo=UTC).timestamp() * 1e6)})
    line.settle()
    assert "Guessing that ended" not in set(store.select()["rule.name"])
    line.settle(idle=3600 * 1_000_000)
    assert "Guessing that ended" in set(store.select()["rule.name"])
    store.close()


def test_what_only_signals_feeds_correlations_and_has_no_finding(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    signals = RULES.replace("condition: selection\n---", "condition: selection\nsoc: {signal: true}\n---", 1)
    signals = signals.replace("title: Many users tried\n", "title: Many users tried\nsoc: {signal: true}\n")
    (tmp_path / "rules" / "ssh.yml").write_text(signals)
    parts = assembly.assemble(Settings(cache=tmp_path / "cache"), [tmp_path / "rules"])
    log = tmp_path / "auth.log"
    log.write_text("\n".join(lines()) + "\n")
    store = Store(tmp_path / "store.sqlite")
    done = scan([log], parts, store)
    assert set(store.select()["rule.name"]) == TITLES - {"Many users tried"}
    many = store.query("SELECT DISTINCT silenced, finding FROM matches WHERE rule LIKE '%5'", ())
    assert many == [("signal", None)]
    assert done.statistics.silenced["signal"] > 0
    store.close()


@pytest.mark.parametrize(
    ("window", "gone"),
    [
        ("", set()),
        ("    hosts: [other]\n", set()),
        ("    hosts: [srv]\n", {"Password guessing", "Many users tried", "Guessing that ended"}),
        ("    rules: [Many users tried]\n", {"Many users tried"}),
    ],
)
def test_maintenance_mutes_correlations_that_count_all_the_same(tmp_path: Path, window: str, gone: set[str]) -> None:
    """Guessing falls into maintenance; what follows it does not."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ssh.yml").write_text(RULES)
    calendar = tmp_path / "maintenance.yml"
    calendar.write_text(
        "maintenance:\n  - name: Patches\n    owner: SOC\n    begin: 2026-03-09T08:00\n    end: 2026-03-09T08:04\n"
        f"{window or '    rules: [nothing]'}\n"
    )
    known = Settings(cache=tmp_path / "cache", maintenance=calendar)
    parts = assembly.assemble(known, [tmp_path / "rules"])
    assert not parts.rules.faults
    store = Store(tmp_path / "store.sqlite")
    line = pipeline(parts, store)
    rows = [*enumerate(lines())]
    for cut in (rows[:10], rows[10:]):
        line.process(batch(cut))
    line.settle()
    assert set(store.select()["rule.name"]) == TITLES - gone
    muted = store.query("SELECT DISTINCT silenced FROM matches WHERE finding IS NULL", ())
    assert muted == ([("maintenance: Patches",)] if gone else [])
    store.close()


@pytest.mark.parametrize(("dates", "passed"), [
    ([(2026, 3, 9, 1, 30)], 0),  # a clock that is fast
    ([(2099, 1, 1)], None),
    ([(2026, 3, 9, 0, 50), (2099, 1, 1), (2026, 3, 9, 0, 10)], -600),  # one wrong date makes nothing else late
    ([(1970, 1, 1)], None),  # nor does a clock that was set back
])  # fmt: skip
def test_time_passes_by_sound_clocks_only(
    parts: Parts, tmp_path: Path, dates: list[tuple[int, ...]], passed: int | None
) -> None:
    store = Store(tmp_path / "store.sqlite")
    memory = StoreMemory(store, 600_000_000)
    now = int(datetime(2026, 3, 9, 1, tzinfo=UTC).timestamp() * 1e6)
    known = {("auth", ""): now - 1_200_000_000} if dates == [(1970, 1, 1)] else {}
    memory.pass_time(known)
    times = pl.DataFrame({"@timestamp": [datetime(*date, tzinfo=UTC) for date in dates]})  # type: ignore[misc,arg-type]
    correlating = Correlating(parts, memory, lambda: now)
    correlating.pass_time(batch([]), times)
    assert memory.times() == (known if passed is None else {("auth", ""): now + passed * 1_000_000})
    store.close()


@pytest.mark.parametrize("future", [False, True])
def test_an_event_of_the_future_tells_no_absence_too_early(parts: Parts, tmp_path: Path, *, future: bool) -> None:
    """Somebody guesses; before anything else is read of the same minutes, a line says that it is 2099."""
    store, said = Store(tmp_path / "store.sqlite"), list[str]()
    now = int(datetime(2026, 3, 9, 1, 5, tzinfo=UTC).timestamp() * 1e6)
    remembered = remembering(parts, partial(StoreMemory, store), lambda: now)
    line = Pipeline(parts.definitions, parts.engine, parts.detections, store, correlating=remembered, say=said.append)
    text = "<38>1 {} srv sshd 7 - - {} password for lan from 192.0.2.7 port 22 ssh2".format
    rows = [text("2026-03-09T08:00:00+07:00", "Failed"), text("2099-01-01T00:00:00Z", "Failed")]
    line.process(batch([*enumerate(rows[: 1 + future])]))
    line.settle()
    assert store.select().is_empty()
    line.process(
        batch([(9, text("2026-03-09T08:04:00+07:00", "Accepted")), (10, text("2026-03-09T08:05:00+07:00", "x"))])
    )
    line.settle()
    assert "Guessing that ended" not in store.select()["rule.name"].to_list()
    assert [each.split(" UTC")[0] for each in said] == ["events of auth are dated 2099-01-01 00:00"] * future
    store.close()


def test_long_group_keys_are_cut_and_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "long.yml").write_text(
        RULES.split("---", maxsplit=1)[0]
        + """---
title: Password guessing
id: 00000000-0000-4000-8000-000000000003
correlation: {type: event_count, rules: refused, group-by: user.name, timespan: 1m, condition: {gte: 2}}
"""
    )
    parts = assembly.assemble(Settings(cache=tmp_path / "cache"), [tmp_path / "long.yml"])
    names = ["u" * 3_000 + end for end in ("a", "b")]
    told = [f"Mar  9 08:00:0{second} srv sshd[7]: Failed password for {name} from 192.0.2.7 port 22 ssh2"
            for second in range(2) for name in names]  # fmt: skip
    store = Store(tmp_path / "store.sqlite")
    pipeline(parts, store).process(batch([*enumerate(told)]))
    groups = store.select()["soc.group"].to_list()
    assert len(set(groups)) == 2
    assert {group[:GROUP] for group in groups} == {f"user.name={names[0]}"[:GROUP]}
    assert max(map(len, groups)) < GROUP + 50
    store.close()
