"""Another process matches as this one does, or is gone and nothing is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.parsers import Parsers
from detectors.contracts import Batch
from detectors.schema import RECORD
from flows import assembly, match_process
from flows.assembly import Parts
from flows.match_process import Beside, processes
from flows.match_worker import Job, named
from flows.matching import Matched, matched
from flows.settings import Settings
from flows.sharing import GoneError
from tests.flows.guesses import lay_out

LINE = "Mar  9 08:00:{:02} srv01 sshd[7]: Failed password for invalid user root from 203.0.113.9 port 5"


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    place = lay_out(tmp_path_factory.mktemp("beside"))
    return Job(Settings(cache=place / "cache"), [place / "rules"], 2026, "Asia/Ho_Chi_Minh")


@pytest.fixture(scope="module")
def parts(job: Job) -> Parts:
    return assembly.assemble(job.settings, job.folders)


@pytest.fixture
def beside(job: Job) -> Iterator[Beside]:
    with Beside(job) as beside:
        yield beside


def batch(number: int) -> Batch:
    lines = [LINE.format(second) if second % 3 else "no time here" for second in range(60)]
    columns = {"event.original": lines, "log.offset": range(number, number + 60), "soc.index": [0] * 60}
    return Batch("auth", f"file:{number}", f"{number}.log", pl.DataFrame(columns, schema=RECORD))


def here(job: Job, parts: Parts, batch: Batch) -> Matched:
    parser = Parsers(parts.definitions, year=job.year, zone=job.zone)[batch.source]
    parsed = parser.parse(batch, parts.engine.wanted(parser.dialect))
    return matched(batch, parsed, parts.engine.detect(parser.dialect, parsed.events, parsed.encoded))


def test_it_finds_what_is_found_here(job: Job, parts: Parts, beside: Beside) -> None:
    match = beside.ready(parts.rules.rules)
    for number in range(3):
        theirs, ours = match(batch(number)), here(job, parts, batch(number))
        assert ours.struck.hits.row.size == 40
        assert np.array_equal(theirs.struck.hits.rule, ours.struck.hits.rule)
        assert np.array_equal(theirs.rows, ours.rows)
        assert_frame_equal(theirs.struck.events, ours.struck.events)
        assert_frame_equal(theirs.times, ours.times)
        assert (theirs.bytes, theirs.lost.height, theirs.struck.batch.label) == (
            ours.bytes,
            ours.lost.height,
            f"{number}.log",
        )
    assert beside.seconds.keys() == {"parse", "match"}
    assert beside.failures == {}
    assert beside.memory > 20


def test_rules_that_were_changed_meanwhile_are_not_matched(parts: Parts, beside: Beside) -> None:
    assert named(parts.rules.rules) != named(parts.rules.rules[1:])
    with pytest.raises(GoneError):
        beside.ready(parts.rules.rules[1:])


def test_one_that_was_killed_is_gone(parts: Parts, beside: Beside) -> None:
    match = beside.ready(parts.rules.rules)
    os.kill(beside._process.pid, signal.SIGKILL)
    beside._process.wait()
    with pytest.raises(GoneError):
        match(batch(0))


@pytest.mark.parametrize("script", ["", "raise SystemExit(3)", "import time; time.sleep(60)"])
def test_one_that_does_not_start_is_gone_and_one_that_hangs_ends(job: Job, parts: Parts, script: str) -> None:
    with Beside(job, (sys.executable, "-c", script)) as beside:
        if "sleep" not in script:
            with pytest.raises(GoneError):
                beside.ready(parts.rules.rules)
    assert beside._process.returncode is not None


def test_it_ends_with_whoever_asked(job: Job, parts: Parts) -> None:
    beside = Beside(job)
    beside.ready(parts.rules.rules)
    beside._end.close()
    assert beside._process.wait(10) == 0


def test_small_logs_and_event_logs_are_left_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_process, "LARGE", 1_000)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    (tmp_path / "a.evtx").write_bytes(bytes(5_000))
    (tmp_path / "b.log").write_bytes(bytes(999))
    assert processes([tmp_path]) == 1
    (tmp_path / "c.json").write_bytes(bytes(1))
    assert processes([tmp_path]) == 2
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert processes([tmp_path]) == 1
