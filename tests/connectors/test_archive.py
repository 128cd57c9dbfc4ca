from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.archive import Archive
from detectors.contracts import Batch
from detectors.errors import InputError, UsageError
from detectors.identity import event_id
from detectors.schema import EVENT, RECORD, TIME

START = datetime(2026, 7, 21, 8, 30, tzinfo=UTC)
KAFKA = "kafka:soc.raw.sshd:3"


def batch(lines: list[str], first: int = 0, *, origin: str = KAFKA, source: str = "sshd") -> Batch:
    rows = [(line, first + number, 0) for number, line in enumerate(lines)]
    return Batch(source, origin, "soc.raw.sshd", pl.DataFrame(rows, schema=RECORD, orient="row"))


def timed(raw: Batch, start: datetime | None = START, minutes: int = 10) -> pl.DataFrame:
    """Give each record the time start + minutes × offset, as a parser would."""
    steps = raw.records["log.offset"].to_list()
    times = [None if start is None else start + timedelta(minutes=minutes * step) for step in steps]
    return raw.records.with_columns(pl.Series("@timestamp", times, dtype=TIME)).select(EVENT.names())


def names(root: Path) -> list[str]:
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())


def ids(
    archive: Archive, source: str = "sshd", since: datetime | None = None, until: datetime | None = None
) -> list[str]:
    return [
        event_id(part.source, part.origin, offset, index, raw)
        for part in archive.read(source, since, until)
        for raw, offset, index in part.records.select(RECORD.names()).iter_rows()
    ]


def test_files_stand_by_source_and_hour_under_their_position(tmp_path: Path) -> None:
    raw = batch(["a", "b", "c", "d"], 14200)
    Archive(tmp_path).write(raw, timed(raw, START - timedelta(minutes=142000)))
    hour = "sshd/date=2026-07-21/hour="
    assert names(tmp_path) == [
        f"{hour}08/soc.raw.sshd-3-0000000000000014200.parquet",
        f"{hour}09/soc.raw.sshd-3-0000000000000014203.parquet",
    ]


def test_event_ids_are_those_of_the_live_run(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch([f"line {n}" for n in range(40)])
    archive.write(raw, timed(raw))
    assert ids(archive) == [event_id("sshd", KAFKA, n, 0, f"line {n}") for n in range(40)]
    (first, *_) = archive.read("sshd")
    assert (first.origin, first.label) == (KAFKA, "soc.raw.sshd")


def test_the_same_batch_again_writes_the_same_bytes_and_no_more(tmp_path: Path) -> None:
    raw = batch([f"line {n % 7}" for n in range(500)])
    for root in ("one", "two"):
        shuffled = timed(raw).sample(fraction=1, shuffle=True, seed=len(root))
        for _ in range(2):
            Archive(tmp_path / root).write(raw, shuffled)
    assert names(tmp_path / "one") == names(tmp_path / "two")
    for name in names(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_records_without_a_time_or_an_event_are_kept_apart(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch(["good", "no time", "no event"])
    events = timed(raw).head(2).with_columns(pl.when(pl.col("log.offset") == 0).then("@timestamp").alias("@timestamp"))
    archive.write(raw, events)
    assert [part.records["event.original"].to_list() for part in archive.read("sshd")] == [
        ["good"],
        ["no time", "no event"],
    ]
    assert any("date=unknown" in name for name in names(tmp_path))
    assert len(ids(archive, since=START)) == 1


@pytest.mark.parametrize(
    ("since", "until", "lines"),
    [(0, 60, [0, 1, 2, 3, 4, 5]), (25, 45, [3, 4]), (30, 40, [3]), (60, 61, [6]), (700, 900, [])],
)
def test_a_period_includes_its_start_and_not_its_end(tmp_path: Path, since: int, until: int, lines: list[int]) -> None:
    archive, raw = Archive(tmp_path), batch([str(n) for n in range(30)])
    archive.write(raw, timed(raw))
    period = (START + timedelta(minutes=since), START + timedelta(minutes=until))
    found = [int(line) for part in archive.read("sshd", *period) for line in part.records["event.original"]]
    assert found == lines


def test_hours_outside_the_period_are_not_opened(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch([str(n) for n in range(30)])
    archive.write(raw, timed(raw))
    for file in (tmp_path / "sshd/date=2026-07-21/hour=12").iterdir():
        file.write_bytes(b"damaged")
    assert len(ids(archive, until=START + timedelta(hours=2))) == 12
    with pytest.raises(InputError, match=r"hour=12.*restore"):
        ids(archive)
    faults: list[InputError] = []
    assert sum(part.records.height for part in archive.read("sshd", report=faults.append)) == 24
    assert len(faults) == 1


def test_two_files_that_begin_alike_do_not_overwrite_each_other(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for lines in (["same head", "one"], ["same head", "two"]) * 2:
        raw = batch(lines, origin="file:ab12")
        archive.write(raw, timed(raw))
    assert len(names(tmp_path)) == 2
    assert names(tmp_path)[0].rpartition("/")[2].startswith("file-ab12-0000000000000000000")
    assert sorted(ids(archive)) == sorted(
        event_id("sshd", "file:ab12", offset, 0, raw) for offset, raw in [(0, "same head"), (1, "one"), (1, "two")]
    )


@settings(deadline=None, max_examples=40)  # each example waits for the disk
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), min_size=1, max_size=8))
def test_overlapping_replays_are_read_once(
    tmp_path_factory: pytest.TempPathFactory, polls: list[tuple[int, int]]
) -> None:
    archive, wanted = Archive(tmp_path_factory.mktemp("archive")), set[int]()
    for first, length in polls:
        raw = batch([f"line {first + n}" for n in range(length)], first)
        archive.write(raw, timed(raw, minutes=7))
        wanted |= set(range(first, first + length))
    assert ids(archive) == [event_id("sshd", KAFKA, n, 0, f"line {n}") for n in sorted(wanted)]


@pytest.mark.parametrize("name", ["../../etc", "..", ".", "/abs", "a/b", "nul\x00", "C:\\x", "Cổng DVC"])
def test_no_name_leaves_the_archive(tmp_path: Path, name: str) -> None:
    root = tmp_path / "in" / "archive"
    archive, raw = Archive(root), batch(["x"], origin=f"file:{name}", source=name)
    for file in archive.write(raw, timed(raw)):
        assert file.resolve().is_relative_to(root.resolve())
    assert len(names(tmp_path)) == 1
    assert archive.sources() == [name]
    assert len(ids(archive, name)) == 1


def test_a_very_long_origin_keeps_a_name_of_its_own(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for end in "ab":
        raw = batch(["x"], origin="file:" + "y" * 400 + end)
        archive.write(raw, timed(raw))
    assert len(names(tmp_path)) == 2
    assert len(ids(archive)) == 2


@pytest.mark.parametrize("name", ["", "x" * 500])
def test_a_source_that_can_name_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    raw = batch(["x"], source=name)
    with pytest.raises(UsageError, match="short name"):
        Archive(tmp_path).write(raw, timed(raw))


def test_what_a_killed_writer_left_is_not_read(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch(["x"])
    (file,) = archive.write(raw, timed(raw))
    (file.parent / ".abc.tmp").write_bytes(b"half")
    assert len(ids(archive)) == 1


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    archive, raw = Archive(tmp_path), batch(["x"])
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        archive.write(raw, timed(raw))
    assert names(tmp_path) == []


def test_times_of_any_year_find_a_place(tmp_path: Path) -> None:
    micros = [-62135596800000000, 253402300799999999, 253402300800000000]  # years 1, 9999, 10000
    raw = batch(["one", "last", "beyond"])
    events = timed(raw).with_columns(pl.Series(micros).cast(TIME).alias("@timestamp"))
    archive = Archive(tmp_path)
    archive.write(raw, events)
    assert [line for part in archive.read("sshd") for line in part.records["event.original"]] == [
        "one",
        "last",
        "beyond",
    ]
    assert len(ids(archive, since=datetime(9999, 1, 1, tzinfo=UTC))) == 1


def test_where_records_were_received_is_kept_with_them(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch(["a", "b"])
    told = replace(raw, records=raw.records.with_columns(pl.Series("agent.name", ["col01", None], dtype=pl.String)))
    archive.write(told, timed(told))
    archive.write(told, timed(told))
    (part,) = archive.read("sshd")
    assert part.records["agent.name"].to_list() == ["col01", None]
    assert part.whole
    assert "log.file.path" not in part.records.columns
    assert len(names(tmp_path)) == 1


def test_files_from_before_that_are_the_same_files(tmp_path: Path) -> None:
    archive, raw = Archive(tmp_path), batch(["a", "b"])
    archive.write(raw, timed(raw))
    (file,) = tmp_path.rglob("*.parquet")
    pl.read_parquet(file, hive_partitioning=False)[:, :6].write_parquet(file)
    archive.write(raw, timed(raw))
    assert len(names(tmp_path)) == 1
    assert len(ids(archive)) == 2
