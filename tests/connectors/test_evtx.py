from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from evtx import PyEvtxParser
from polars.testing import assert_frame_equal

from connectors.evtx_chunks import CHUNK
from connectors.evtx_log import HEADER, is_evtx
from connectors.formats.frames import ERROR
from connectors.formats.json_lines import Lines
from connectors.formats.windows import Windows
from connectors.lines import Portion
from detectors.contracts import Batch
from tests.connectors.reading import content, portions, scan, scan_bytes

pytestmark = pytest.mark.reference


@pytest.fixture(scope="session")
def log(reference: Path) -> bytes:
    return (reference / "evtx" / "benign-edge" / "evtx" / "system.evtx").read_bytes()


@pytest.fixture(scope="session")
def whole(log: bytes) -> list[str]:
    return read(log)[0]


def read(data: bytes) -> tuple[list[str], str]:
    given = content(data)
    frames = [portion.records for portion in portions(given)]
    outcome = given.job.outcome
    texts = pl.concat(frames)["event.original"].to_list() if frames else []
    return texts, "\n".join(map(str, outcome.faults + outcome.notices))


def events(path: Path) -> Iterator[Portion]:
    return portions(content(path.read_bytes()))


def damaged(log: bytes, at: int, data: bytes) -> bytes:
    return log[:at] + data + log[at + len(data) :]


def test_every_sample_reads_as_the_library_reads_it(reference: Path) -> None:
    paths = sorted(reference.glob("evtx/**/*.evtx"))
    assert paths
    for path in paths:
        found = scan(path, source=None)
        events: list[dict[str, Any]] = [*PyEvtxParser(str(path)).records_json()]
        expected = [(event["event_record_id"], event["data"]) for event in events]
        assert list(zip(found.offsets, found.texts, strict=True)) == expected
        assert {batch.source for batch in found.batches} <= {"windows"}
        assert not found.faults


def test_records_are_read_alike_one_by_one_and_all_at_once(reference: Path) -> None:
    every = [portion for path in sorted(reference.glob("evtx/**/*.evtx")) for portion in events(path)]
    records = pl.concat([portion.records for portion in every])["event.original"]
    everything = Windows().parse(records, None)
    names = frozenset(everything.columns)
    text = memoryview(b"".join(portion.text or b"" for portion in every))
    at_once = Windows().read(Lines(records, text), names - {ERROR}).frame([*everything.columns])
    assert_frame_equal(at_once, everything)


def test_a_record_has_the_shape_that_parsers_expect(whole: list[str]) -> None:
    system = json.loads(whole[0])["Event"]["System"]
    assert {"Provider", "EventID", "Channel", "Computer", "EventRecordID"} <= system.keys()
    assert "Name" in system["Provider"]["#attributes"]


def test_an_event_log_inside_an_archive_is_the_same_log(log: bytes, whole: list[str], tmp_path: Path) -> None:
    packed, plain = scan_bytes(tmp_path, gzip.compress(log)), scan_bytes(tmp_path, log)
    assert packed.texts == whole
    assert packed.origins == plain.origins


@pytest.mark.parametrize("cut", [0, HEADER])
def test_the_file_header_is_not_needed(log: bytes, whole: list[str], cut: int) -> None:
    assert is_evtx(bytes(HEADER) + log[HEADER:])
    assert read(bytes(HEADER)[cut:] + log[HEADER:])[0] == whole


@pytest.mark.parametrize("header", [b"garbage!", bytes(512), b"\xff" * 512])
def test_a_chunk_without_its_header_is_read_whole(log: bytes, whole: list[str], header: bytes) -> None:
    texts, said = read(damaged(log, HEADER + CHUNK, header))
    assert texts == whole
    assert "1 of its 64 KiB chunks are damaged, but all records in them were read" in said


def test_a_damaged_record_costs_only_itself(log: bytes, whole: list[str]) -> None:
    texts, said = read(damaged(log, HEADER + 512 + 3000, b"\xff" * 600))
    assert 0 < len(whole) - len(texts) <= 3
    assert set(texts) < set(whole)
    assert f"at least {len(whole) - len(texts)} records can't be read; the other {len(texts)} were read" in said


def test_a_lost_chunk_is_told(log: bytes, whole: list[str]) -> None:
    texts, said = read(damaged(log, HEADER, os.urandom(CHUNK)))
    assert texts == whole[108:]
    assert "1 of its 64 KiB chunks are damaged: at least 1 records can't be read" in said


def test_a_cut_off_log_gives_the_records_of_its_last_piece(log: bytes, whole: list[str]) -> None:
    texts, said = read(log[: HEADER + 2 * CHUNK + 30_000])
    assert texts == whole[: len(texts)]
    assert len(texts) > 210  # the first two chunks hold 210
    assert "at least 69 records can't be read" in said


def test_chunks_never_written_are_no_fault(log: bytes, whole: list[str]) -> None:
    assert read(log + bytes(3 * CHUNK)) == (whole, "")


def test_a_header_alone_is_an_empty_log(log: bytes, tmp_path: Path) -> None:
    assert "holds no records" in scan_bytes(tmp_path, log[:HEADER]).notices


def test_a_log_keeps_its_origin_while_it_grows(log: bytes, tmp_path: Path) -> None:
    assert scan_bytes(tmp_path, log[: HEADER + CHUNK]).origins == scan_bytes(tmp_path, log).origins


@pytest.mark.parametrize("joined", [False, True])
def test_logs_read_together_are_the_same_as_alone(log: bytes, tmp_path: Path, *, joined: bool) -> None:
    end = HEADER + 2 * CHUNK
    written = {
        "a.evtx": log[:end],
        "b.evtx": damaged(log[:end], HEADER + 512 + 3000, b"\xff" * 600),
        "c.evtx.gz": gzip.compress(log[: end + 30_000]),
        "d.evtx": log[:HEADER],
        "e.log": b"a line\n",
        "f.evtx": log[: end + 30_000],
        "g.evtx": log[:HEADER] + log[end:],
    }
    for name, data in written.items():
        (tmp_path / name).write_bytes(data)
    paths = [tmp_path / name for name in written]
    together, alone = scan(*paths, joined=joined), [scan(path) for path in paths]
    assert places(together.batches) == [place for each in alone for place in places(each.batches)]
    assert any("soc.origin" in batch.records.columns for batch in together.batches) == joined
    for batch in together.batches:
        assert (
            batch.text is None or bytes(batch.text).decode().splitlines() == batch.records["event.original"].to_list()
        )
    assert together.outcome.files == len(paths)
    assert together.outcome.bytes == sum(each.outcome.bytes for each in alone)
    assert sorted(together.faults.splitlines()) == sorted(line for each in alone for line in each.faults.splitlines())
    assert together.notices.splitlines() == [line for each in alone for line in each.notices.splitlines()]


def places(batches: list[Batch]) -> list[tuple[Any, ...]]:
    names = ["soc.origin", "soc.label", "log.offset", "event.original"]
    return [row for batch in batches for row in batch.placed(batch.records).select(names).iter_rows()]
