from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from connectors.content import Limits
from connectors.files import FileSource
from detectors.contracts import Source
from detectors.errors import InputError
from detectors.identity import event_id
from detectors.schema import DEAD
from tests.connectors.reading import Known, Scan, scan, scan_bytes, small


def ids(found: Scan) -> list[str]:
    rows = ((batch, *row) for batch in found.batches for row in batch.records.rows())
    return [event_id(batch.source, batch.origin, at, index, text) for batch, text, at, index in rows]


def test_folders_are_read_below_and_in_order_hidden_files_too(tmp_path: Path) -> None:
    for name in ("b/2.log", "b/.1.log", "a.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert scan(tmp_path).texts == ["a.log", "b/.1.log", "b/2.log"]


def test_what_the_program_keeps_beside_logs_is_read_only_when_it_is_named(tmp_path: Path) -> None:
    for name in ("a.log", ".soc/cache/rules.cache"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert scan(tmp_path).texts == ["a.log"]
    assert scan(tmp_path / ".soc").texts == [".soc/cache/rules.cache"]


def test_a_file_is_read_once_however_many_ways_lead_to_it(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("line\n")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "z.log").symlink_to(tmp_path / "a.log")
    found = scan(tmp_path, tmp_path / "a.log")
    assert found.texts == ["line"]
    assert found.outcome.files == 1


def test_what_is_no_regular_file_is_noticed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = scan(tmp_path)
    assert f"{tmp_path}/pipe: is skipped: a device, pipe or socket" in found.notices


@pytest.mark.parametrize("name", ["missing", "dangling", "itself"])
def test_an_unreadable_path_costs_only_itself(name: str, tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    (tmp_path / "good.log").write_text("line\n")
    found = scan(tmp_path / name, tmp_path / "good.log")
    assert found.texts == ["line"]
    (fault,) = found.outcome.faults
    assert isinstance(fault, InputError)
    assert str(fault).startswith(f"{tmp_path / name}: can't be opened: ")
    assert fault.fix


def test_control_characters_of_a_name_reach_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\n.log").write_text("line\n")
    assert scan(tmp_path).labels == [f"{tmp_path}/a\\x1b[2J\\n.log"]


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"\n \r\n", "holds no records"), (b"[]", "no records")]
)
def test_a_file_without_records_is_noticed(content: bytes, said: str, tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, content)
    assert said in found.notices
    assert not found.faults


def test_binary_content_is_a_fault_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(os.urandom(100_000))
    (tmp_path / "b.log").write_text("line\n")
    found = scan(tmp_path)
    assert f"{tmp_path}/a.bin: is not a log: its content is binary" in found.faults
    assert found.texts == ["line"]


def test_a_packing_not_read_here_is_named(tmp_path: Path) -> None:
    assert "is packed by xz, not read here; unpack it" in scan_bytes(tmp_path, lzma.compress(b"line\n")).faults


def test_the_recogniser_sees_a_sample_and_names_the_source(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("a line\n" * 1000)
    (tmp_path / "b.log").write_text("odd\n")
    seen: dict[str, int] = {}

    def recognise(sample: list[str], label: str) -> Known | None:
        seen[label] = len(sample)
        return Known("app") if sample[0] == "a line" else None

    source = FileSource([tmp_path], recognise, dead=print)
    assert {batch.source for batch in source.batches()} == {"app"}
    assert seen == {f"{tmp_path}/a.log": 200, f"{tmp_path}/b.log": 1}
    assert [str(fault) for fault in source.outcome.faults] == [
        f"{tmp_path}/b.log: no source definition knows this format; name one with --source"
    ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_found(codec: str, tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, "đăng nhập\r\nthất bại từ 192.0.2.1, lan 2 trong ngay\n".encode(codec))
    assert found.texts == ["đăng nhập", "thất bại từ 192.0.2.1, lan 2 trong ngay"]
    assert found.offsets[0] == (3 if codec == "utf-8-sig" else 0)
    assert not found.faults


def test_half_a_utf16_pair_stays_as_escape(tmp_path: Path) -> None:
    content = "\ufeffa line of text\n".encode("utf-16-le") + b"\x00\xd8b\x00\n\x00end"
    assert scan_bytes(tmp_path, content).texts == ["a line of text", "\\x00\\xd8b", "\u6e65\\x64"]


def test_a_grown_file_keeps_the_ids_of_its_old_lines(tmp_path: Path) -> None:
    lines = "".join(f"2026-01-01T00:00:{n % 60:02} line {n}\n" for n in range(500))
    whole = ids(scan_bytes(tmp_path, lines.encode()))
    for grown in (100, 200, 499):
        before = "".join(lines.splitlines(keepends=True)[:grown])
        assert ids(scan_bytes(tmp_path, before.encode())) == whole[:grown]


def test_a_heading_alone_does_not_name_a_file(tmp_path: Path) -> None:
    heading = "#Software: IIS\n#Date: {}\n#Fields: time\n{}\n"
    one = scan_bytes(tmp_path, heading.format("2026-01-01", "00:00:01").encode())
    two = scan_bytes(tmp_path, heading.format("2026-01-02", "00:00:01").encode())
    assert one.origins != two.origins


def test_ids_do_not_depend_on_the_size_of_batches(tmp_path: Path) -> None:
    data = b"".join(b"line %d\n" % n for n in range(300)) + b"x" * 50 + b"\nlast"
    whole = scan_bytes(tmp_path, data, small(batch=1 << 20))
    pieces = scan_bytes(tmp_path, data, small(records=3))
    assert ids(pieces) == ids(whole)
    assert max(batch.records.height for batch in pieces.batches) == 3
    assert pl.concat(pieces.dead).equals(pl.concat(whole.dead))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_parts_of_a_batch_bring_their_part_of_the_text(tmp_path: Path, end: str) -> None:
    lines = [f"{number} đ{'x' * number}" for number in range(10)]
    found = scan_bytes(tmp_path, end.join([*lines, ""]).encode(), small(batch=1 << 20, records=3))
    assert [batch.records.height for batch in found.batches] == [3, 3, 3, 1]
    for batch in found.batches:
        assert batch.text is not None
        assert bytes(batch.text).decode().splitlines() == batch.records["event.original"].to_list()
    assert b"".join(bytes(batch.text or b"") for batch in found.batches).decode().splitlines() == lines


def test_a_line_too_long_is_a_dead_letter_with_its_place(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, b"first\n" + b"x" * 100 + b"\n", small())
    (dead,) = found.dead
    assert dead.schema == DEAD
    row = dead.row(0, named=True)
    assert (row["event.original"], row["log.offset"], row["soc.source"]) == ("x" * 8, 6, "app")
    assert {row["soc.origin"]} == found.origins
    assert "100 bytes long" in row["error.message"]


def test_json_documents_become_records(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, b'\xef\xbb\xbf{\n  "Records": [\n {"n": 1},\n {"n": "\xff"}\n]}\n')
    assert found.texts == ['{"n":1}', '{"n":"\\udcff"}']
    assert found.offsets == [0, 1]


def test_a_broken_document_goes_on_as_lines_with_a_fault(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, b'[\n {"n": 1},\n {"n": 2},\n {"n"\nlast')
    assert found.texts == ['{"n":1}', '{"n":2}', '{"n"', "last"]
    assert found.offsets == [0, 1, 25, 30]
    assert "the JSON breaks off at character 25" in found.faults


def test_a_document_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    found = scan_bytes(tmp_path, b"[\n" + b'{"n": 1},\n' * 50 + b"{}]", Limits(document=100))
    assert "is a JSON document larger than 100 bytes; split it" in found.faults


@pytest.mark.parametrize("document", [100, 1 << 20])
@pytest.mark.parametrize("first", [b'{"n":\n', b'{"a":[\n', b'{"a":1,\n'])
def test_one_broken_line_does_not_hide_the_others(first: bytes, document: int, tmp_path: Path) -> None:
    lines = first + b'{"n":1}\n' * 50
    found = scan_bytes(tmp_path, lines, Limits(document=document))
    assert found.texts[-50:] == ['{"n":1}'] * 50
    assert found.texts[0] == first.decode().strip() or "breaks off" in found.faults


def test_progress_and_totals_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("line\n" * 100)
    told: list[tuple[str, int, int]] = []
    source: Source = FileSource(
        [tmp_path], lambda _s, _l: None, "app", small(), lambda *at: told.append(at), dead=print
    )
    assert sum(batch.records.height for batch in source.batches()) == 100
    source.commit()
    source.close()
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1] == (f"{tmp_path}/a.log", 500, 500)
    assert isinstance(source, FileSource)
    assert (source.outcome.files, source.outcome.bytes) == (1, 500)


PEAK = """
import json, resource, sys
from connectors.files import FileSource
dead = []
source = FileSource(sys.argv[2:], lambda sample, label: None, "app", dead=dead.append)
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
records = sum(batch.records.height for batch in source.batches())
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base
assert peak < 200 << 10, f"{peak} KiB"
found = [records, len(dead), len(source.outcome.faults)]
assert found == json.loads(sys.argv[1]), (found, source.outcome)
"""


@pytest.mark.parametrize(
    ("start", "expected"),
    [(b"", [1, 1, 0]), (b'{"a":"', [1, 1, 0]), (b"short\n", [2, 1, 0])],
    ids=["text", "json", "later"],
)
def test_a_line_of_100_mb_costs_little_memory(start: bytes, expected: list[int], tmp_path: Path) -> None:
    with (tmp_path / "long").open("wb") as file:
        file.write(start)
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\nend\n")
    subprocess.run([sys.executable, "-c", PEAK, json.dumps(expected), str(tmp_path / "long")], check=True)


@pytest.mark.reference
def test_every_reference_file_is_read_or_told(reference: Path) -> None:
    found = scan(
        reference / "otrf", reference / "zeek", reference / "misc-text", reference / "cloud", reference / "web"
    )
    assert not found.faults
    assert len(found.texts) > 10_000
