from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.store import Store, Triage
from connectors.store_schema import MIGRATIONS
from connectors.store_wanted import Wanted
from detectors.errors import InputError, UnavailableError, UsageError
from detectors.schema import COVERAGE, FINDING
from tests.connectors.test_sinks import letters, matches, suppressed
from tests.sample_findings import START, finding, frame, province

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "soc.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def test_findings_come_back_as_they_were_newest_first(store: Store) -> None:
    found = province(20)
    store.findings(found)
    kept = store.select()
    assert_frame_equal(kept.select(FINDING.names()), found.sort("@timestamp", "event.id", descending=[True, False]))


def test_a_finding_is_never_changed(store: Store, path: Path) -> None:
    store.findings(frame(finding(message="first"), finding(message="again", **{"user.name": ["lan"]})))
    store.findings(frame(finding(message="second", **{"user.name": ["lan"]})))
    assert store.select(Wanted(user="lan")).is_empty()
    kept = store.finding("f1")
    assert kept is not None
    assert kept["message"] == "first"
    with pytest.raises(sqlite3.IntegrityError, match="never changed"), sqlite3.connect(path) as other:
        other.execute("UPDATE findings SET document = '{}'")


def test_an_organisation_is_what_a_finding_names_or_else_its_first_event(store: Store) -> None:
    shown = '[{"fields": {"organization.id": "H22"}}, {"fields": {"organization.id": "H23"}}]'
    odd = (
        '{"organization.id": 1}',
        '[{"organization.id": "H22"}]',
        '["organization.id"',
        '[{"fields": {"organization.id": []}}]',
    )
    texts = (shown, None, *odd)
    rows = [finding(**{"event.id": f"f{number}", "soc.evidence": text}) for number, text in enumerate(texts)]
    store.findings(frame(*rows, finding(**{"event.id": "g", "organization.id": ["H21", "H22"], "soc.evidence": shown})))
    told = store.query("SELECT id, organisation FROM listed WHERE organisation IS NOT NULL ORDER BY id", ())
    assert told == [("f0", "H22"), ("g", "H21")]


def test_matches_of_several_findings_come_in_their_order(store: Store) -> None:
    found = matches("m1", "m2", "m3").with_columns(pl.Series("soc.finding.id", ["b", "a", "b"]))
    store.matches(found)
    assert store.matches_of("b", "c", "a")["soc.match.id"].to_list() == ["m1", "m3", "m2"]
    assert store.matches_of("b", "c", "a", limit=1)["soc.match.id"].to_list() == ["m1"]
    assert store.matches_of().is_empty()


def test_a_passing_store_answers_like_a_lasting_one(path: Path, store: Store) -> None:
    passing = Store(path.with_name("passing.db"), passing=True)
    for each in (store, passing):
        each.findings(province(20))
        each.decide(Triage(province(20)["event.id"][0], START, "lan", "closed"))
    assert_frame_equal(passing.select(), store.select())
    passing.close()
    assert [each.name for each in path.parent.iterdir() if "passing" in each.name] == ["passing.db"]


def test_columns_beyond_the_schema_are_kept(store: Store) -> None:
    store.findings(frame(finding()).with_columns(pl.lit("x").alias("soc.extra")))
    assert (store.finding("f1") or {})["soc.extra"] == "x"
    assert store.finding("absent") is None


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ({"level": "high"}, ["c", "b"]),
        ({"rule": "r-b"}, ["b"]),
        ({"rule": "name of c"}, ["c"]),
        ({"host": "dc01"}, ["b"]),
        ({"user": "lan"}, ["c", "a"]),
        ({"ip": "192.0.2.9"}, ["c"]),
        ({"source": "sshd"}, ["a"]),
        ({"since": START + timedelta(hours=1)}, ["c", "b"]),
        ({"until": START + timedelta(hours=1)}, ["a"]),
        ({"rule": "' OR 1=1 --"}, []),
        ({"status": "closed"}, []),
    ],
)
def test_findings_are_chosen_by(store: Store, asked: dict[str, Any], ids: list[str]) -> None:
    a: dict[str, Any] = {"soc.level": "low", "soc.source": "sshd", "user.name": [None, "lan"]}
    b: dict[str, Any] = {"soc.level": "high", "rule.id": "r-b", "host.name": ["dc01"]}
    c: dict[str, Any] = {
        "soc.level": "critical",
        "rule.name": "name of c",
        "related.user": ["lan"],
        "destination.ip": ["192.0.2.9"],
    }
    rows = [
        finding(**{**row, "event.id": name, "@timestamp": START + timedelta(hours=hour)})
        for hour, (name, row) in enumerate({"a": a, "b": b, "c": c}.items())
    ]
    store.findings(frame(*rows))
    assert store.select(Wanted(**asked))["event.id"].to_list() == ids


def test_an_unknown_level_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="choose one of informational"):
        store.select(Wanted(level="severe"))


def test_matches_are_found_under_their_finding(store: Store) -> None:
    store.findings(frame(finding()))
    store.matches(matches("m1", "m2"))
    assert_frame_equal(store.matches_of("f1"), matches("m1", "m2"))
    assert store.select()["soc.matches"].to_list() == [2]
    assert store.counts() == {"findings": 1, "matches": 2, "suppressed": 0, "dead": 0, "triage": 0}


def test_dead_letters_come_back_whole(store: Store) -> None:
    store.dead(letters("first", "\x00 nul and \x1b"))
    assert_frame_equal(store.letters(), letters("first", "\x00 nul and \x1b"))


def test_triage_is_a_history_and_the_last_word_counts(store: Store, path: Path) -> None:
    store.findings(frame(finding()))
    said = [
        Triage("f1", START, "lan", status="in_progress", owner="lan"),
        Triage("f1", START + timedelta(hours=1), "hung", note="xem lại với Sở Y tế"),
        Triage("f1", START + timedelta(hours=2), "lan", status="closed"),
    ]
    for entry in said:
        store.decide(entry)
    assert store.history("f1") == said
    assert store.select(Wanted(status="closed")).select("soc.triage.status", "soc.triage.owner").rows() == [
        ("closed", "lan")
    ]
    with pytest.raises(sqlite3.IntegrityError, match="appended"), sqlite3.connect(path) as other:
        other.execute("DELETE FROM triage")


def test_a_decision_about_nothing_or_of_no_known_status_is_refused(store: Store) -> None:
    with pytest.raises(UsageError, match="no finding f9"):
        store.decide(Triage("f9", START, "lan", status="closed"))
    store.findings(frame(finding()))
    with pytest.raises(UsageError, match="'done'"):
        store.decide(Triage("f1", START, "lan", status="done"))  # type: ignore[arg-type]  # what a user may type
    assert store.counts()["triage"] == 0


def test_coverage_adds_up_and_a_batch_again_adds_nothing(store: Store) -> None:
    row = dict.fromkeys(COVERAGE) | {"@timestamp": START, "soc.source": "sshd", "soc.events": 100}
    row |= {"soc.late": 3, "soc.failures": 2, "soc.matches": 1}
    whose = {"k@0": "H21.09", "k@100": "H21.10"}
    rows = [{**row, "event.id": name, "soc.batch": name, "organization.id": of} for name, of in whose.items()]
    batches = pl.DataFrame([*rows, {**row, "event.id": "w"}], schema=COVERAGE, orient="row")  # the last names rules
    store.cover(batches)
    assert store.cover(batches).known == 2
    assert store.coverage().rows() == [("sshd", START, 200, 6, 4, 2)]
    assert store.coverage(organisation="H21.10").rows() == [("sshd", START, 100, 3, 2, 1)]
    assert store.coverage(until=START).is_empty()


def test_times_beyond_pythons_calendar_are_kept(store: Store) -> None:
    beyond = pl.Series([253402300800000000], dtype=pl.Int64).cast(FINDING["@timestamp"])
    odd = frame(finding()).with_columns(beyond.alias("@timestamp"))
    store.findings(odd)
    assert_frame_equal(store.select().select(FINDING.names()), odd)


def test_threads_may_share_one_store(store: Store) -> None:
    parts = list(province(200).iter_slices(10))
    with ThreadPoolExecutor(4) as pool:
        assert sum(written.created for written in pool.map(store.findings, parts)) == 200


WRITER = """
import sys, itertools
from pathlib import Path
from connectors.store import Store
from tests.sample_findings import province
store, found = Store(Path(sys.argv[1])), province(int(sys.argv[2]))
print("ready", flush=True)
for part in found.iter_slices(5):
    store.findings(part)
"""


def _writer(path: Path, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(count)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)


def test_two_processes_write_at_once(path: Path) -> None:
    writers = [_writer(path, 300) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    for writer in writers:
        writer.communicate()
    store = Store(path)
    assert store.counts()["findings"] == 300
    store.close()


def test_a_killed_writer_leaves_a_usable_file(path: Path) -> None:
    writer = _writer(path, 4000)
    assert writer.stdout is not None
    writer.stdout.readline()
    store = Store(path)
    deadline = time.monotonic() + 20
    while store.counts()["findings"] < 50 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(writer.pid, signal.SIGKILL)
    assert writer.wait() == -signal.SIGKILL
    writer.communicate()
    kept = store.counts()["findings"]
    assert 50 <= kept < 4000
    assert kept % 5 == 0  # whole transactions only
    with sqlite3.connect(path) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert store.findings(province(4000)).created == 4000 - kept
    store.close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match=r"soc\.db: the store was made by a newer version"):
        Store(path)


def test_a_file_that_is_no_store_is_named(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be read as one" * 10)
    with pytest.raises(InputError, match=r"soc\.db: this is no usable store"):
        Store(path)
    assert path.read_bytes().startswith(b"not a database")


def test_a_store_that_is_held_says_so(store: Store, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.close()
    monkeypatch.setattr("connectors.store_file.BUSY_SECONDS", 0.05)
    waiting, other = Store(path), sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked"):
        waiting.findings(frame(finding()))
    other.execute("ROLLBACK")
    assert waiting.findings(frame(finding())).created == 1
    waiting.close()
    other.close()


def test_a_full_disk_costs_the_batch_and_not_the_store(store: Store) -> None:
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(UnavailableError, match="full"):
        store.findings(province(200))
    store._db.execute("PRAGMA max_page_count = 1000000")
    assert store.findings(province(200)).created == 200


def test_times_are_utc(store: Store) -> None:
    store.findings(frame(finding()))
    assert store.select(Wanted(since=datetime(2026, 7, 20, 17, tzinfo=UTC))).height == 1


def test_a_store_of_the_first_format_is_brought_up(path: Path) -> None:
    with sqlite3.connect(path) as old:
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("INSERT INTO matches VALUES ('m', 1, 'r', 'f', 'auth', 'g', '[\"e\"]')")
        old.execute("INSERT INTO findings VALUES ('f', 1, 3, 'r', 'n', 'g', 'auth', '{}')")
        old.execute("INSERT INTO triage (finding, time, actor, status) VALUES ('f', 1, 'lan', 'new')")
        old.execute("PRAGMA user_version = 1")
    store = Store(path)
    assert store.matches_of("f")["soc.silenced"].to_list() == [None]
    assert [each.reason for each in store.history("f")] == [None]
    assert store.suppressed(suppressed("a")).created == 1
    store.decide(Triage("f", START, "lan", "closed", reason="true_positive"))
    assert store.reasons() == {"f": "true_positive"}
    with pytest.raises(UsageError, match="reason 'sure'"):
        store.decide(Triage("f", START, "lan", "closed", reason="sure"))
    store.close()


def test_times_beyond_the_calendar_are_kept_and_are_no_first_or_last(store: Store) -> None:
    store.suppressed(
        suppressed("a", "b").with_columns(pl.lit(2**62).cast(pl.Datetime("us", "UTC")).alias("@timestamp"))
    )
    assert store.taken().select("matches", "first", "last").rows() == [(2, None, None)]
    assert store.first() is None
