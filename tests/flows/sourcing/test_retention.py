"""What is older than its retention is told, and deleted when asked to; how each source is doing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import polars as pl
import pytest

from connectors.archive import Archive
from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.spans import span
from detectors.contracts import Batch
from detectors.schema import EVENT, RECORD, TIME
from flows.cli import main
from flows.sourcing.health import health, report
from flows.sourcing.retention import clean, delete, expired, words

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def keep(archive: Archive, source: str, times: list[datetime | None]) -> None:
    rows = [(f"{source} {place}", place, 0) for place in range(len(times))]
    batch = Batch(source, f"file:{source}", source, pl.DataFrame(rows, schema=RECORD, orient="row"))
    events = batch.records.with_columns(pl.Series("@timestamp", times, dtype=TIME)).select(EVENT.names())
    archive.write(batch, events)


def defined(name: str, **more: object) -> Definition:
    return Definition.model_validate({"name": name, "title": name, "format": "text", **more})


def test_days_older_than_the_retention_expire_and_no_others(tmp_path: Path) -> None:
    archive, known = Archive(tmp_path), {"a": defined("a", retention="7d"), "b": defined("b", retention="1y")}
    for source in ("a", "b", "unknown"):
        keep(archive, source, [NOW - timedelta(days=days) for days in (30, 8, 7, 0)] + [None])
    (old,) = expired(archive, known, NOW)
    assert (old.source, [str(day.day) for day in old.days]) == ("a", ["2026-02-08", "2026-03-02"])
    delete(archive, old)
    assert list(expired(archive, known, NOW)) == []
    assert [str(day.day) for day in archive.days("a")] == ["2026-03-03", "2026-03-10"]
    assert sum(batch.records.height for batch in archive.read("a")) == 3  # that without a time is kept
    assert len(archive.days("unknown")) == len(archive.days("b")) == 4


def test_it_deletes_only_where_it_is_told_to(tmp_path: Path) -> None:
    archive, known = Archive(tmp_path), {"a": defined("a", retention="7d")}
    keep(archive, "a", [NOW - timedelta(days=30), NOW])
    (old,) = clean(archive, known, NOW, remove=False)
    assert words(old, deleted=False).startswith("to delete: a, 1 days from 2026-02-08 to 2026-02-08")
    assert len(archive.days("a")) == 2
    (old,) = clean(archive, known, NOW, remove=True)
    assert words(old, deleted=True).startswith("deleted: a, 1 days")
    assert len(archive.days("a")) == 1


def test_a_deletion_that_was_interrupted_is_finished(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    keep(archive, "a", [NOW])
    left = tmp_path / "a" / ".date=2026-03-10.deleted"
    left.mkdir()
    archive.delete("a", NOW.date())
    assert not left.exists()
    assert archive.sources() == []


def test_spans() -> None:
    assert [span(text) for text in ("30m", "2h", "7d", "2w")] == [
        timedelta(minutes=30), timedelta(hours=2), timedelta(days=7), timedelta(days=14)
    ]  # fmt: skip
    assert span("1y") >= timedelta(days=366)


def test_sources_are_ok_low_silent_or_were_never_heard(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    keep(archive, "busy", [NOW - timedelta(minutes=minutes) for minutes in range(1, 241)])
    keep(archive, "slow", [NOW - timedelta(minutes=5), NOW + timedelta(days=3)])  # one clock is wrong
    keep(archive, "still", [NOW - timedelta(days=3)])
    known = {
        "busy": defined("busy", expected={"events_per_hour": 10}),
        "slow": defined("slow", expected={"events_per_hour": 10}),
        "still": defined("still", expected={"silence": "2h"}),
        "other": defined("other", expected={"events_per_hour": 1}),
        "unasked": defined("unasked"),
    }
    found = {one.source: one for one in health(archive, known, NOW)}
    assert {name: one.state for name, one in found.items()} == {
        "busy": "ok", "slow": "low", "still": "silent", "other": "never"
    }  # fmt: skip
    assert {one.source for one in found.values() if one.poor} == {"slow", "still"}
    table = report([found["busy"]], ZoneInfo("Asia/Ho_Chi_Minh")).splitlines()
    assert table[2] == "| busy | ok | 2026-03-10 18:59+07:00 | 10.0 | 10.0 | 1d | - |"
    assert found["busy"].rate == 10
    assert found["slow"].last == NOW - timedelta(minutes=5)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    retention = span(load_definitions()["auth"].retention)
    archive = Archive(tmp_path)
    keep(archive, "auth", [NOW - retention - timedelta(days=2), NOW])
    told = ["--archive", str(tmp_path), "--at", NOW.isoformat()]
    assert main(["sources", "clean", *told]) == 0
    assert "to delete: auth, 1 days" in capsys.readouterr().out
    assert len(archive.days("auth")) == 2
    assert main(["sources", "clean", *told, "--delete"]) == 0
    assert len(archive.days("auth")) == 1
    assert main(["sources", "clean", *told]) == 0
    assert "nothing is older" in capsys.readouterr().out
    assert main(["sources", "clean", "--archive", str(tmp_path), "--at", "2999-01-01", "--delete"]) == 2
    capsys.readouterr()
    assert main(["sources", "health", *told, "--json"]) == 0
    states = {row["source"]: row["state"] for row in orjson.loads(capsys.readouterr().out)}
    assert states["auth"] == "ok"
