"""What every sink promises. A new sink is one entry of SINKS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from connectors.store import Store
from detectors.contracts import Sink, Written
from detectors.coverage import counted
from detectors.schema import DEAD, FINDING, MATCH, SUPPRESSED, TIME
from tests.sample_findings import START, finding, frame, province

SINKS: dict[str, Callable[[Path], Sink]] = {"store": lambda folder: Store(folder / "soc.db")}


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sink]:
    opened = SINKS[request.param](tmp_path)
    yield opened
    opened.close()


def matches(*ids: str) -> pl.DataFrame:
    rows = [(START, match, "r1", None, "high", [f"e-{match}"], "sshd", "user.name=lan", "f1", None) for match in ids]
    return pl.DataFrame(rows, schema=MATCH, orient="row")


def letters(*raws: str) -> pl.DataFrame:
    rows = [(raw, offset, 0, "sshd", "kafka:soc.raw.sshd:0", "no time") for offset, raw in enumerate(raws)]
    return pl.DataFrame(rows, schema=DEAD, orient="row")


def suppressed(*ids: str) -> pl.DataFrame:
    row = dict.fromkeys(SUPPRESSED) | {"@timestamp": START, "event.id": ["e"], "rule.id": "r1", "soc.match.id": "m"}
    rows = [row | {"soc.suppressed.id": each, "soc.exception.id": "x"} for each in ids]
    return pl.DataFrame(rows, schema=SUPPRESSED)


def coverage(*batches: str) -> pl.DataFrame:
    events = pl.DataFrame({"@timestamp": [START]}, schema={"@timestamp": TIME})
    now, none = START, np.zeros(0, np.int64)
    rows = [counted("sshd", batch, events, matched=none, failures=0, newest=None, late=0, now=now) for batch in batches]
    return pl.concat(rows)


def test_what_came_in_is_entered_once_per_batch(sink: Sink) -> None:
    assert sink.cover(coverage("a", "b")) == Written(created=2)
    assert sink.cover(coverage("b", "c")) == Written(created=1, known=1)


def test_empty_frames_are_nothing_to_do(sink: Sink) -> None:
    assert sink.findings(FINDING.to_frame()) == sink.matches(MATCH.to_frame()) == Written()
    assert sink.suppressed(SUPPRESSED.to_frame()) == sink.dead(DEAD.to_frame()) == Written()


def test_what_exceptions_took_is_kept_once(sink: Sink) -> None:
    assert sink.suppressed(suppressed("a", "b")) == Written(created=2)
    assert sink.suppressed(suppressed("b", "c")) == Written(created=1, known=1)


def test_findings_written_again_are_known(sink: Sink) -> None:
    found = province(10)
    assert sink.findings(found) == Written(created=10)
    assert sink.findings(found.sample(fraction=1, shuffle=True, seed=1)) == Written(known=10)


def test_a_batch_that_overlaps_adds_only_what_is_new(sink: Sink) -> None:
    sink.findings(province(10).head(6))
    assert sink.findings(province(10)) == Written(created=4, known=6)


def test_matches_written_again_are_known(sink: Sink) -> None:
    assert sink.matches(matches("a", "b")) == Written(created=2)
    assert sink.matches(matches("b", "c")) == Written(created=1, known=1)


def test_a_match_may_come_before_its_finding(sink: Sink) -> None:
    assert sink.matches(matches("a")).created == 1
    assert sink.findings(frame(finding())).created == 1


def test_dead_letters_written_again_are_known(sink: Sink) -> None:
    assert sink.dead(letters("x", "\x00\x1b y")) == Written(created=2)
    assert sink.dead(letters("x", "\x00\x1b y")) == Written(known=2)


def test_columns_beyond_the_schema_do_no_harm(sink: Sink) -> None:
    assert sink.findings(province(2).with_columns(pl.lit("x").alias("soc.extra"))).created == 2


def test_a_row_without_an_id_is_refused_and_the_others_are_kept(sink: Sink) -> None:
    written = sink.findings(frame(finding(**{"event.id": None, "rule.id": "r9"}), finding()))
    assert written.created == 1
    assert [name for name, _ in written.refused] == ["row of rule r9"]
