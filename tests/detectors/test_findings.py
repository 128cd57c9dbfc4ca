"""Hits to matches to findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import orjson
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from detectors import findings
from detectors.contracts import Batch, Hits
from detectors.evidence import EVIDENCE, LISTED
from detectors.findings import UNKNOWN_TIME, Detection, Found, assemble, joined, named, nothing
from detectors.meta import Meta
from detectors.schema import FINDING, MATCH, RECORD, TIME

NOON = datetime(2026, 3, 9, 12, 5, tzinfo=UTC)
RULE = Detection(Meta("rule-1", "Odd thing", "high", tags=("attack.execution", "attack.t1059")), "sem", "sigma")
OTHER = Detection(Meta("rule-2", "Other thing", "low", group_by=("user.name",), window=600), "sem2", "sigma")


def events(*rows: tuple[str, str | None, datetime | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "@timestamp": pl.Series([time for *_, time in rows], dtype=TIME),
            "event.original": [f"line {index}" for index in range(len(rows))],
            "log.offset": pl.Series(range(len(rows)), dtype=pl.Int64),
            "soc.index": pl.Series([0] * len(rows), dtype=pl.Int32),
            "host.name": [host for host, *_ in rows],
            "user.name": pl.Series([user for _, user, _ in rows], dtype=pl.String),
        }
    )


def batch(frame: pl.DataFrame) -> Batch:
    return Batch("auth", "file:aa", "auth.log", frame.select(RECORD.names()))


def hits(*pairs: tuple[int, int]) -> Hits:
    return Hits(np.array([rule for rule, _ in pairs], np.int32), np.array([row for _, row in pairs], np.int64))


def found_in(frame: pl.DataFrame, of: Hits, rules: list[Detection], entity: list[str]) -> Found:
    return joined(assemble(batch(frame), frame, of, rules, entity, whole=lambda rows: frame[rows]))


def test_nothing_has_the_schemas() -> None:
    assert nothing().matches.schema == MATCH
    assert nothing().findings.schema == FINDING


def test_events_of_one_host_and_window_are_one_finding() -> None:
    frame = events(("web01", "lan", NOON), ("web01", None, NOON + timedelta(minutes=9)), ("db01", "lan", NOON))
    found = found_in(frame, hits((0, 0), (0, 1), (0, 2)), [RULE], ["host.name"])
    assert found.findings.schema == FINDING
    assert found.matches.schema == MATCH
    counts = dict(found.findings.select("soc.group", "soc.count").iter_rows())
    assert counts == {"host.name=web01": 2, "host.name=db01": 1}
    assert set(found.matches["soc.finding.id"]) == set(found.findings["event.id"])
    assert found.matches["soc.match.id"].n_unique() == 3
    named = ["rule.id", "rule.name", "soc.level"]
    assert set(found.matches.select(named).iter_rows()) == set(found.findings.select(named).iter_rows())


def test_the_window_is_anchored_in_event_time() -> None:
    late = NOON.replace(hour=16, minute=0)  # windows of a high rule are four hours: 12:00 and 16:00
    frame = events(("web01", None, NOON), ("web01", None, late))
    found = found_in(frame, hits((0, 0), (0, 1)), [RULE], ["host.name"])
    assert found.findings["soc.window.start"].to_list() == [NOON.replace(minute=0), late]
    assert found.findings["soc.window.end"].to_list() == [late, late + timedelta(hours=4)]


def test_a_rule_may_choose_its_group_and_window() -> None:
    frame = events(("web01", "lan", NOON), ("db01", "lan", NOON + timedelta(minutes=1)), ("db01", "hoa", NOON))
    found = found_in(frame, hits((1, 0), (1, 1), (1, 2)), [RULE, OTHER], ["host.name"])
    assert dict(found.findings.select("soc.group", "soc.count").iter_rows()) == {"user.name=lan": 2, "user.name=hoa": 1}


def test_ids_do_not_depend_on_batches() -> None:
    frame = events(*((f"web0{index % 2}", None, NOON + timedelta(seconds=index)) for index in range(8)))
    whole = found_in(frame, hits(*((0, row) for row in range(8))), [RULE], ["host.name"])
    parts = [frame[:3], frame[3:]]
    split = [found_in(part, hits(*((0, row) for row in range(part.height))), [RULE], ["host.name"]) for part in parts]
    for name in ("findings", "matches"):
        column = "event.id" if name == "findings" else "soc.match.id"
        together = {each for part in split for each in getattr(part, name)[column]}
        assert together == set(getattr(whole, name)[column])


def test_without_a_group_value_the_source_is_the_group() -> None:
    frame = events(("web01", None, NOON))
    assert found_in(frame, hits((0, 0)), [RULE], ["source.ip"]).findings["soc.group"][0] == "auth"
    assert found_in(frame, hits((0, 0)), [RULE], ["user.name"]).findings["soc.group"][0] == "auth"


def test_an_unreadable_time_is_a_window_of_its_own() -> None:
    frame = events(("web01", None, None))
    found = found_in(frame, hits((0, 0)), [RULE], ["host.name"])
    assert found.findings["@timestamp"][0] is None
    assert found.findings["soc.window.start"][0] == UNKNOWN_TIME


def test_evidence_is_bounded_and_whole() -> None:
    frame = events(*(("web01", "lan", NOON + timedelta(seconds=index)) for index in range(EVIDENCE + 3)))
    frame = frame.with_columns(pl.lit("x" * 100_000).alias("event.original"))
    found = found_in(frame, hits(*((0, row) for row in range(frame.height))), [RULE], ["host.name"])
    evidence = orjson.loads(found.findings["soc.evidence"][0])
    assert len(evidence) == EVIDENCE
    assert evidence[0]["fields"]["user.name"] == "lan"
    assert "(100000 characters)" in evidence[0]["event.original"]
    assert len(evidence[0]["event.original"]) < 20_000
    assert evidence[0]["event.id"] in found.matches["event.id"].explode().to_list()


def test_only_evidence_is_read_whole() -> None:
    frame = events(*[("web01", None, NOON + timedelta(seconds=second)) for second in range(100)])
    read: list[int] = []

    def whole(rows: Sequence[int]) -> pl.DataFrame:
        read.extend(rows)
        return frame[rows].with_columns(own=pl.lit("x"))

    of = hits(*((0, row) for row in range(100)))
    found = joined(assemble(batch(frame), frame, of, [RULE], ["host.name"], whole=whole))
    assert read == list(range(EVIDENCE))
    assert [shown["fields"]["own"] for shown in orjson.loads(found.findings["soc.evidence"][0])] == ["x"] * EVIDENCE


def test_columns_for_groups_and_entities_are_named() -> None:
    assert {"host.name", "source.ip", "user.name"} <= named(hits((1, 0)), [RULE, OTHER], ["host.name"])
    assert "dossier" in named(hits((0, 0)), [RULE], ["dossier"])


@pytest.mark.parametrize(("level", "severity"), [("informational", 21), ("medium", 47), ("critical", 99)])
def test_levels_are_the_severities_kibana_maps(level: str, severity: int) -> None:
    frame = events(("web01", None, NOON))
    rule = Detection(Meta("r", "t", level), "s", "sigma")
    assert found_in(frame, hits((0, 0)), [rule], []).findings["event.severity"][0] == severity


def test_what_is_not_named_is_said() -> None:
    frame = events(*((f"web{index:02d}", "lan", NOON) for index in range(LISTED + 1)))
    (finding,) = found_in(
        frame, hits(*((0, row) for row in range(frame.height))), [RULE], ["user.name"]
    ).findings.iter_rows(named=True)
    assert len(finding["host.name"]) == len(finding["related.hosts"]) == LISTED
    assert finding["soc.capped"] == ["host.name"]
    assert finding["soc.count"] == LISTED + 1


def test_long_groups_are_bounded_and_stay_apart() -> None:
    long = "x" * 100_000
    frame = events((long + "a", None, NOON), (long + "b", None, NOON), (long + "a", None, NOON))
    found = found_in(frame, hits((0, 0), (0, 1), (0, 2)), [RULE], ["host.name"])
    assert sorted(found.findings["soc.count"]) == [1, 2]
    assert all(len(group) < 1_100 for group in found.findings["soc.group"])


def test_a_match_may_make_no_finding() -> None:
    frame = events(("web01", None, NOON), ("web01", None, NOON), ("web01", None, NOON))
    signal = Detection(Meta("rule-3", "A signal", signal=True), "s", "sigma")
    of = hits((0, 0), (0, 1), (1, 2))
    silenced = {1: "maintenance: x"}
    found = joined(
        assemble(batch(frame), frame, of, [RULE, signal], [], whole=lambda rows: frame[rows], silenced=silenced)
    )
    assert found.findings["soc.count"].to_list() == [1]
    assert sorted(found.matches["soc.silenced"].to_list(), key=str) == [None, "maintenance: x", "signal"]
    assert found.matches["soc.finding.id"].null_count() == 2
    assert found.matches["soc.match.id"].n_unique() == 3


def test_a_known_finding_gets_matches_only() -> None:
    frame = events(("web01", "lan", NOON), ("db01", "lan", NOON), ("web01", "lan", NOON))
    of = hits((0, 0), (0, 1), (0, 2))
    first = found_in(frame, of, [RULE], ["host.name"])
    web = first.findings.filter(pl.col("soc.group") == "host.name=web01")
    read: list[int] = []

    def whole(rows: Sequence[int]) -> pl.DataFrame:
        read.extend(rows)
        return frame[rows]

    known = frozenset(web["event.id"])
    second = joined(assemble(batch(frame), frame, of, [RULE], ["host.name"], whole=whole, known=known))
    assert second.matches.equals(first.matches)
    assert second.findings.equals(first.findings.filter(pl.col("soc.group") == "host.name=db01"))
    assert (second.known, read) == (1, [1])
    every = {*first.findings["event.id"]}
    third = joined(assemble(batch(frame), frame, of, [RULE], ["host.name"], whole=whole, known=every))
    assert third.findings.equals(FINDING.to_frame())
    assert (third.known, read) == (2, [1])


@pytest.mark.parametrize("together", [1, 2, 3, 7, 1_000])
def test_findings_made_in_parts_are_those_made_at_once(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"web{index % 7}", "lan", NOON + timedelta(seconds=index)) for index in range(40)]
    frame, signal = events(*rows), Detection(Meta("rule-3", "A signal", signal=True), "s", "sigma")
    of = hits(*((0, row) for row in range(40)), *((1, row) for row in range(0, 40, 3)), (2, 5))
    silenced = dict.fromkeys(range(3, 40, 4), "maintenance: x")

    def parts() -> list[Found]:
        whole, known = lambda rows: frame[rows], first[:1]
        made = assemble(
            batch(frame), frame, of, [RULE, OTHER, signal], ["host.name"], whole=whole, silenced=silenced, known=known
        )
        return list(made)

    first: list[str] = []
    (whole,) = parts()
    first = whole.findings["event.id"].to_list()
    (whole,) = parts()
    monkeypatch.setattr(findings, "TOGETHER", together)
    found = parts()
    assert max(part.findings.height for part in found) <= together
    assert len(found) == -(-whole.findings.height // together)
    told = joined(found)
    assert_frame_equal(told.findings.sort("event.id"), whole.findings.sort("event.id"))
    assert_frame_equal(told.matches.sort("soc.match.id"), whole.matches.sort("soc.match.id"))
    assert told.known == whole.known == 1
