"""Findings that clocks or zones are wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.definitions import load_definitions
from connectors.parser import DefinedParser
from connectors.store import Store
from detectors.contracts import Batch, Written
from detectors.errors import UnavailableError
from detectors.maintenance import Calendar, Window
from detectors.schema import RECORD, TIME
from detectors.sigma.engine import Engine
from flows.misdated import Misdated
from flows.pipeline import Pipeline

CAME = datetime(2026, 3, 9, 1, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LINE = "{:%Y-%m-%dT%H:%M:%SZ} web01 sshd[71]: Failed password for root from 203.0.113.9 port 22 ssh2"
PARSER = DefinedParser(load_definitions()["auth"])


def batch(
    offsets: Sequence[timedelta],
    *,
    sender: str | None = "10.1.2.3",
    every: timedelta = SECOND,
    came: datetime = CAME,
    first: int = 0,
) -> Batch:
    """Return lines that came one after the other, and are dated otherwise by these offsets."""
    arrived = [came + n * every for n in range(len(offsets))]
    rows = [
        (LINE.format(time + offset), first + n, 0, time, sender)
        for n, (time, offset) in enumerate(zip(arrived, offsets, strict=True))
    ]
    schema = pl.Schema([*RECORD.items(), ("event.created", TIME), ("log.source.address", pl.String)])
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return of(frame if sender else frame.drop("log.source.address"))


def of(frame: pl.DataFrame) -> Batch:
    return Batch("auth", "kafka:soc.raw.auth:0", "soc.raw.auth[0]", frame, received=CAME.date())


def found(misdated: Misdated, each: Batch, calendar: Calendar | None = None) -> Iterator[dict[str, Any]]:
    for part in misdated.take(each, PARSER.parse(each, frozenset()).events, PARSER, calendar or Calendar()):
        assert part.matches.is_empty()
        yield from part.findings.iter_rows(named=True)


def test_another_zone_is_a_finding_of_its_sender_and_day() -> None:
    (one,) = found(Misdated(), batch([-7 * HOUR] * 30))
    assert (one["rule.id"], one["soc.level"], one["soc.source"]) == ("clock", "medium", "auth")
    assert one["soc.group"] == "soc.source=auth | log.source.address=10.1.2.3"
    assert one["message"] == (
        "Events of auth from 10.1.2.3 are dated 7 h behind when they came: their zone is another."
    )
    assert one["soc.message.vi"].startswith("Sự kiện của auth từ 10.1.2.3 ghi giờ chậm hơn 7 giờ so với lúc nhận")
    assert one["soc.title.vi"] == "Đồng hồ hoặc múi giờ của nguồn gửi nhật ký bị sai"
    assert one["soc.runbook"].startswith("[vi] Điều gì:")
    assert "\n\n[en] What:" in one["soc.runbook"]
    assert (one["host.name"], one["user.name"], one["source.ip"]) == (["web01"], [], [])  # who stands there isn't meant
    assert (one["soc.window.start"], one["@timestamp"]) == (datetime(2026, 3, 9, tzinfo=UTC), CAME)
    first, *_ = shown = json.loads(one["soc.evidence"])
    assert len(shown) == 5
    assert first["@timestamp"] == "2026-03-08T18:00:00+00:00"
    assert first["fields"]["event.created"] == "2026-03-09T01:00:00+00:00"
    assert first["event.original"].startswith("2026-03-08T18:00:00Z web01")


@pytest.mark.parametrize(
    ("offsets", "every", "told"),
    [
        ([timedelta(0)] * 40, SECOND, None),
        ([7 * HOUR] * 40, timedelta(0), ("medium", "7 h ahead")),  # it can't have been read late
        ([-7 * HOUR] * 40, timedelta(0), None),  # it can: a file of an instant seven hours ago
        ([-7 * HOUR + n * SECOND for n in range(40)], 0.01 * SECOND, None),  # a line was held back, and is free again
        ([-7 * HOUR] * 19, SECOND, None),
        ([timedelta(minutes=-12)] * 40, SECOND, ("low", "12 min behind")),
        ([timedelta(days=-20_000)] * 40, SECOND, ("medium", "20000 d behind")),
        ([timedelta(0)] * 30 + [-7 * HOUR] * 30, SECOND, None),
        ([timedelta(0)] * 30 + [timedelta(days=400)], SECOND, ("medium", "still to come")),
        ([timedelta(0)] * 30 + [timedelta(days=1)], SECOND, None),  # one line alone, but of tomorrow
    ],
)
def test_what_is_a_finding(offsets: list[timedelta], every: timedelta, told: tuple[str, str] | None) -> None:
    assert [
        (one["soc.level"], told is not None and told[1] in one["message"])
        for one in found(Misdated(), batch(offsets, every=every))
    ] == ([(told[0], True)] if told else [])


WHOLE = pl.concat(
    [
        batch([7 * HOUR] * 30).records,
        batch([timedelta(minutes=-12)] * 30, sender="10.1.2.4", first=100).records,
        batch([timedelta(0)] * 30, sender="10.1.2.5", first=200).records,
        batch([7 * HOUR] * 30, came=CAME + 24 * HOUR, first=300).records,
    ]
)
IDS = {one["event.id"] for one in found(Misdated(), of(WHOLE))}


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(WHOLE.height)), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_other_batches_and_orders_give_the_same_findings(order: list[int], sizes: list[int]) -> None:
    misdated, seen, at = Misdated(), list[str](), 0
    shuffled = WHOLE[order]
    for size in [*sizes, *sizes, WHOLE.height]:  # the last one reads what is left, and some once more
        seen += [one["event.id"] for one in found(misdated, of(shuffled[max(at - 5, 0) : at + size]))]
        at += size
        if at >= WHOLE.height:
            break
    assert len(IDS) == 3
    assert sorted(seen) == sorted(IDS)


@pytest.mark.parametrize(("damaged", "told"), [(False, [0, 0, 1]), (True, [0, 0, 0])])
def test_a_device_that_writes_little_is_known_after_some_runs(
    tmp_path: Path, *, damaged: bool, told: list[int]
) -> None:
    whole, counts = batch([-7 * HOUR] * 27, every=600 * SECOND).records, []
    for first in (0, 9, 18):
        misdated = Misdated(tmp_path / "clocks")
        counts.append(len(list(found(misdated, of(whole[first : first + 9])))))
        misdated.keep()
        if damaged:
            (tmp_path / "clocks" / "auth.parquet").write_bytes(b"PAR1")
    assert counts == told


def test_nothing_is_told_where_nobody_knows_when_it_came_or_it_was_looked_at_before() -> None:
    records = batch([7 * HOUR] * 30).records
    assert not list(found(Misdated(), of(records.drop("event.created"))))
    archived = records.with_columns((pl.col("event.created") + 7 * HOUR).alias("@timestamp"))
    assert not list(found(Misdated(), of(archived)))


def test_a_sender_that_nobody_knows_is_left_out_of_the_words() -> None:
    (one,) = found(Misdated(), batch([7 * HOUR] * 30, sender=None))
    assert one["message"] == "Events of auth are dated 7 h ahead of when they came: their zone is another."
    assert one["soc.group"] == "soc.source=auth"


def test_dead_letters_between_shift_nothing() -> None:
    whole = batch([-7 * HOUR] * 60)
    odd = pl.when(pl.col("log.offset") % 2 == 1).then(pl.lit("no syslog")).otherwise("event.original")
    half = of(whole.records.with_columns(odd.alias("event.original")))
    (one,) = found(Misdated(), half)
    assert "7 h behind" in one["message"]


def test_a_sender_is_no_template_and_breaks_no_line() -> None:
    (one,) = found(Misdated(), batch([7 * HOUR] * 30, sender="{user.name}\n%(source)s"))
    assert one["message"].startswith("Events of auth from {user.name}\N{REPLACEMENT CHARACTER}%(source)s are dated")


def test_maintenance_mutes_it_by_the_time_it_came() -> None:
    mute = Calendar([Window("NTP moves", CAME, CAME + HOUR)])
    assert not list(found(Misdated(), batch([7 * HOUR] * 30), mute))
    late = batch([7 * HOUR] * 30, came=CAME + 2 * HOUR)
    assert len(list(found(Misdated(), late, mute))) == 1


def test_what_a_log_says_of_its_receipt_is_not_when_it_came() -> None:
    parser = DefinedParser(load_definitions()["windows"])
    times = [CAME + n * SECOND for n in range(30)]
    sysmon = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Computer": "PC1.example"}
    rows = [
        (
            json.dumps({**sysmon, "UtcTime": f"{said:%Y-%m-%d %H:%M:%S.000}", "TimeCreated": said.isoformat()}),
            n,
            0,
            time,
        )
        for n, time in enumerate(times)
        for said in [time + 7 * HOUR]
    ]
    frame = pl.DataFrame(rows, schema=pl.Schema([*RECORD.items(), ("event.created", TIME)]), orient="row")
    each = Batch("windows", "kafka:soc.raw.windows:0", "soc.raw.windows[0]", frame)
    parts = list(Misdated().take(each, parser.parse(each, None).events, parser, Calendar()))
    assert [message for part in parts for message in part.findings["message"]] == [
        "Events of windows are dated 7 h ahead of when they came: their zone is another."
    ]


def test_the_pipeline_stores_it_once_and_again_after_the_store_was_away(tmp_path: Path) -> None:
    class Away(Store):
        away = True

        def findings(self, frame: pl.DataFrame) -> Written:
            if self.away:
                raise UnavailableError("the disk is away")
            return super().findings(frame)

    store, each = Away(tmp_path / "s.sqlite"), batch([-7 * HOUR] * 30)
    line = Pipeline(load_definitions(), Engine([]), [], store)
    with pytest.raises(UnavailableError):
        line.process(each)
    store.away = False
    for again in (each, each):
        line.process(again)
    Pipeline(load_definitions(), Engine([]), [], store).process(each)
    (one,) = store.select().iter_rows(named=True)
    assert (one["rule.name"], one["soc.level"]) == ("Clock or time zone of a log sender is wrong", "medium")
    assert (line.statistics.findings, line.statistics.known_findings, line.statistics.events) == (1, 0, 60)
