"""One batch through the pipeline, and what it promises when parts of it refuse."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.definitions import load_definitions, means
from connectors.multiline import carried
from connectors.store import Store
from detectors.content import contents
from detectors.contracts import Batch, Written
from detectors.errors import UnavailableError
from detectors.identity import event_id
from detectors.maintenance import Calendar, Window
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.parse import rules
from detectors.sigma.predicates import Predicate
from detectors.sigma.rule import Rule
from detectors.sigma.truth import holds
from flows.assembly import detection
from flows.pipeline import FLOOD, Pipeline
from flows.waiting import Waiting

RULE = """title: Root guessed
id: 00000000-0000-4000-8000-000000000001
level: high
logsource: {product: linux, service: sshd}
detection:
  keywords: ['Failed password for root']
  condition: keywords
"""
GOOD = "2026-03-09T08:00:{:02d}Z web01 sshd[71]: Failed password for root from 203.0.113.9 port 22 ssh2"


def batch(lines: list[str], first: int = 0) -> Batch:
    rows = [(line, first + number, 0) for number, line in enumerate(lines)]
    return Batch("auth", "kafka:soc.raw.auth:0", "soc.raw.auth[0]", pl.DataFrame(rows, schema=RECORD, orient="row"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.sqlite")


EXCEPTION = """title: Evening scan
id: 00000000-0000-4000-8000-00000000000a
logsource: {product: linux}
filter: {rules: any, late: [T08:00:1], condition: not late}
"""


def pipeline(
    sink: Store,
    archive: Archive | None = None,
    exception: str = "",
    rule_text: str = RULE,
    waiting: Waiting | None = None,
) -> Pipeline:
    (rule,) = rules(rule_text, "r.yml")
    assert isinstance(rule, Rule)
    filters = [each for each in contents(exception, "f.yml") if isinstance(each, Filter)]
    exceptions = Exceptions(filters, [rule])
    return Pipeline(
        load_definitions(),
        Engine([rule]),
        [detection(rule)],
        sink,
        archive=archive,
        exceptions=exceptions,
        waiting=waiting,
    )


def test_every_record_ends_as_event_or_dead_letter(store: Store, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    line = pipeline(store, archive)
    line.process(batch([GOOD.format(1), "no syslog at all", GOOD.format(2), "nor is this"]))
    seen = line.statistics
    assert seen.events + seen.parse_failures == 4
    assert store.counts()["dead"] == seen.parse_failures > 0
    assert sum(part.records.height for part in archive.read("auth")) == 4
    assert seen.matches == {"00000000-0000-4000-8000-000000000001": 2}


def test_a_batch_split_and_repeated_gives_the_same_documents(tmp_path: Path) -> None:
    lines = [GOOD.format(second) for second in range(20)]
    whole, parts = Store(tmp_path / "one.sqlite"), Store(tmp_path / "two.sqlite")
    pipeline(whole).process(batch(lines))
    line = pipeline(parts)
    for start in (10, 0, 10):
        line.process(batch(lines[start : start + 10], start))
    assert parts.counts() == whole.counts()
    assert set(parts.select()["event.id"]) == set(whole.select()["event.id"])
    assert parts.select()["soc.matches"].to_list() == [20]


def test_evidence_is_named_by_the_event_it_shows(store: Store) -> None:
    pipeline(store).process(batch([GOOD.format(7)]))
    (finding,) = store.select().iter_rows(named=True)
    assert event_id("auth", "kafka:soc.raw.auth:0", 0, 0, GOOD.format(7)) in finding["soc.evidence"]


def test_what_the_store_refuses_becomes_a_dead_letter(tmp_path: Path) -> None:
    class Picky(Store):
        def findings(self, frame: pl.DataFrame) -> Written:
            return Written(refused=tuple((name, "too odd") for name in frame["event.id"]))

    store = Picky(tmp_path / "s.sqlite")
    pipeline(store).process(batch([GOOD.format(1)]))
    (letter,) = store.letters().iter_rows(named=True)
    assert "too odd" in letter["error.message"]
    assert letter["event.original"]


def test_a_finding_is_written_once_and_one_that_was_refused_again(tmp_path: Path) -> None:
    written: list[int] = []

    class Watched(Store):
        def findings(self, frame: pl.DataFrame) -> Written:
            written.append(frame.height)
            refused = tuple((name, "too odd") for name in frame["event.id"] if len(written) == 1)
            return Written(refused=refused) if refused else super().findings(frame)

    store = Watched(tmp_path / "s.sqlite")
    line = pipeline(store)
    for first in (0, 10, 20, 30):
        line.process(batch([GOOD.format(first), GOOD.format(first + 1)], first))
    assert written == [1, 1, 0, 0]
    assert (line.statistics.findings, line.statistics.known_findings) == (1, 2)
    assert store.select().select("soc.count", "soc.matches").row(0) == (2, 8)
    assert "08:00:10" in store.select()["soc.evidence"][0]


def test_a_batch_that_could_not_be_stored_is_not_counted(tmp_path: Path) -> None:
    class Away(Store):
        def findings(self, frame: pl.DataFrame) -> Written:  # noqa: ARG002 - the sink's signature
            raise UnavailableError("the disk is away")

    line = pipeline(Away(tmp_path / "s.sqlite"))
    with pytest.raises(UnavailableError):
        line.process(batch([GOOD.format(1)]))
    assert line.statistics.events == 0


def test_a_rule_that_fails_at_run_time_is_told_once_and_the_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = list(rules(f"{RULE}---\n{RULE.replace('0001', '0002').replace('for root', 'for ro?t')}", "r.yml"))
    good, bad = (rule for rule in parsed if isinstance(rule, Rule))
    told: list[str] = []
    line = Pipeline(load_definitions(), Engine([good, bad]), [detection(good), detection(bad)], store, say=told.append)

    def failing(predicate: Predicate, texts: Sequence[str]) -> list[bool]:
        if predicate.op == "like":
            raise MemoryError("too much")
        return holds(predicate, texts)

    monkeypatch.setattr("detectors.sigma.vocabulary.holds", failing)
    for first in (0, 10):
        line.process(batch([GOOD.format(1), GOOD.format(2)], first))
    assert line.statistics.matches == {good.meta.id: 4}
    assert len(told) == 1
    assert bad.meta.id in told[0]
    assert "too much" in told[0]


def test_what_an_exception_takes_is_counted_and_kept_and_no_finding(store: Store) -> None:
    line = pipeline(store, exception=EXCEPTION)
    line.process(batch([GOOD.format(second) for second in (1, 2, 10, 11, 12)]))
    assert store.counts()["matches"] == 2
    suppressed = store.query("SELECT name, finding FROM suppressed", ())
    assert suppressed == [("Root guessed", store.select()["event.id"][0])] * 3
    assert line.statistics.matches.total() == 2
    assert line.statistics.suppressed == {"00000000-0000-4000-8000-00000000000a": 3}
    assert line.statistics.excepted == 3
    (taken,) = store.taken().iter_rows(named=True)
    assert (taken["soc.exception.title"], taken["matches"], taken["last"].second) == ("Evening scan", 3, 12)
    assert store.select()["soc.count"].to_list() == [2]


def test_hits_that_wait_are_told_of_together_at_the_end(store: Store) -> None:
    line = pipeline(store, exception=EXCEPTION, waiting=Waiting())
    for start in (0, 10, 20):
        line.process(batch([GOOD.format(start + second) for second in range(10)], start))
    assert store.counts() == {"findings": 0, "matches": 0, "suppressed": 10, "dead": 0, "triage": 0}
    line.settle()
    line.settle()
    assert store.counts() == {"findings": 1, "matches": 20, "suppressed": 10, "dead": 0, "triage": 0}
    assert store.select()["soc.count"].to_list() == [20]
    assert line.statistics.findings == 1


def test_exceptions_and_batches_split_repeated_and_in_any_order_agree(tmp_path: Path) -> None:
    lines = [GOOD.format(second) for second in range(30)]
    whole, parts = Store(tmp_path / "one.sqlite"), Store(tmp_path / "two.sqlite")
    pipeline(whole, exception=EXCEPTION).process(batch(lines))
    line = pipeline(parts, exception=EXCEPTION)
    for start in (15, 0, 15, 5):
        line.process(batch(lines[start : start + 15], start))
    assert parts.counts() == whole.counts() == {"findings": 1, "matches": 20, "suppressed": 10, "dead": 0, "triage": 0}
    assert parts.taken().equals(whole.taken())


def test_without_its_exception_what_it_took_is_a_match_again(store: Store) -> None:
    lines = batch([GOOD.format(10)])
    pipeline(store, exception=EXCEPTION).process(lines)
    assert store.counts()["matches"] == 0
    pipeline(store).process(lines)
    assert (store.counts()["matches"], store.counts()["suppressed"], store.counts()["findings"]) == (1, 1, 1)


def test_what_two_exceptions_take_is_one_match_less(store: Store) -> None:
    other = EXCEPTION.replace("000a", "000b").replace("T08:00:1", "T08:00:12")
    line = pipeline(store, exception=f"{EXCEPTION}---\n{other}")
    line.process(batch([GOOD.format(second) for second in (5, 11, 12)]))
    assert sorted(line.statistics.suppressed.values()) == [1, 2]
    assert (line.statistics.excepted, store.counts()["suppressed"], store.counts()["matches"]) == (2, 2, 1)
    assert sorted(store.taken()["matches"]) == [1, 2]


def test_exceptions_hold_however_many_records_are_hit(store: Store) -> None:
    """Few hit records are read whole, many as far as is needed."""
    lines = [GOOD.format(second % 60).replace("T08", f"T{second // 60:02d}") for second in range(200)]
    pipeline(store, exception=EXCEPTION.replace("T08:00:1", "T03:00:1")).process(batch(lines))
    assert (store.counts()["matches"], store.counts()["suppressed"]) == (190, 10)


def test_a_signal_is_a_match_without_a_finding(store: Store) -> None:
    line = pipeline(store, rule_text=RULE + "soc: {signal: true}\n")
    line.process(batch([GOOD.format(1), GOOD.format(2)]))
    assert store.query("SELECT silenced, finding FROM matches", ()) == [("signal", None)] * 2
    assert store.counts()["findings"] == 0
    assert line.statistics.matches.total() == 2


def test_a_flood_is_told_once_and_kept_whole(store: Store) -> None:
    told: list[str] = []
    line = pipeline(store)
    line._say = told.append
    lines = [GOOD.format(1).replace("203.0.113.9", f"203.0.{number >> 8}.{number & 255}") for number in range(FLOOD)]
    for first in (0, 0, len(lines)):
        line.process(batch(lines, first))
    assert store.counts()["findings"] == FLOOD
    (message,) = told
    assert "made 1,000 findings of one batch: group them by less" in message


def test_exceptions_come_before_maintenance_and_that_before_findings(store: Store) -> None:
    line = pipeline(store, exception=EXCEPTION)
    eight = datetime(2026, 3, 9, 8, tzinfo=UTC)
    line._calendar = Calendar([Window("Patches", eight, eight + timedelta(seconds=15))])
    line.process(batch([GOOD.format(second) for second in (5, 12, 25)]))
    assert [time // 1_000_000 % 60 for (time,) in store.query("SELECT time FROM suppressed", ())] == [12]
    silenced = store.query("SELECT time / 1000000 % 60, silenced FROM matches ORDER BY 1", ())
    assert silenced == [(5, "maintenance: Patches"), (25, None)]
    assert store.select()["soc.count"].to_list() == [1]
    assert line.statistics.silenced == {"maintenance: Patches": 1}


def test_the_archive_keeps_records_of_several_lines_whole(store: Store, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    begun, goes_on = batch([GOOD.format(1)]), batch(["\tand more", GOOD.format(2)], 1)
    line = pipeline(store, archive)
    for part in carried([begun, goes_on], means(load_definitions())):
        line.process(part)
    kept = pl.concat(part.records for part in archive.read("auth"))
    assert kept["event.original"].to_list() == [f"{GOOD.format(1)}\n\tand more", GOOD.format(2)]
    assert kept["@timestamp"].null_count() == 0
