from __future__ import annotations

import contextlib
import hashlib
import io

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import borrowed, documents
from connectors.content import LIMITS, Limits
from connectors.lines import lines
from detectors.errors import UsageError
from detectors.schema import RECORD
from tests.connectors.reading import joined, small


@pytest.fixture(autouse=True, params=["copied", "borrowed"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut lines out of their block both ways: Polars copies them, or looks at them where they stand."""
    monkeypatch.setattr(borrowed, "worth", lambda _: request.param == "borrowed")


def cut(data: bytes, limits: Limits = LIMITS, *, json: bool = False) -> list[tuple[int, str]]:
    portions = list(lines(io.BytesIO(data).read, limits, json=json))
    return [row for portion in portions for row in portion.records.select("log.offset", "event.original").rows()]


def test_a_line_ends_at_lf_or_crlf_or_the_end_and_stands_at_its_byte() -> None:
    data = "một\r\n\nb\rc\n  \nhai".encode()
    assert cut(data) == [(0, "một"), (8, "b\rc"), (15, "hai")]


def test_nuls_and_odd_separators_stay_in_the_line() -> None:
    assert cut(b"a\0b\x0b\xe2\x80\xa8c\nd") == [(0, "a\0b\x0b\u2028c"), (9, "d")]


def test_a_block_that_looks_like_zlib_is_text() -> None:
    assert cut(b"x\x01 is a line\nx\x01\n") == [(0, "x\x01 is a line"), (13, "x\x01")]


def test_bad_bytes_stay_as_escapes_and_hide_no_line() -> None:
    assert cut(b"good\nbad \xff\xc3(\nlast") == [(0, "good"), (5, "bad \\xff\\xc3("), (13, "last")]


def test_bad_bytes_in_json_leave_it_json() -> None:
    assert cut(b'{"a":"\xff"}\n', json=True) == [(0, '{"a":"\\\\xff"}')]


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"a\nb\n", [b"a\nb\n"]),
        (b"a\r\nb", [b"a\r\n", b"b"]),
        (b"a\n\nb\n", [None]),
        (b"a\n\xff\n", [None]),
        (b"a" * 40 + b"\nb\n", [None]),
    ],
)
def test_records_come_in_one_piece_where_nothing_was_left_out(data: bytes, texts: list[bytes | None]) -> None:
    portions = lines(io.BytesIO(data).read, small())
    assert [portion.text for portion in portions if portion.records.height] == texts


def test_records_have_the_schema() -> None:
    (portion,) = lines(io.BytesIO(b"a\n").read, LIMITS)
    assert portion.records.schema == RECORD


def test_deep_json_is_a_line_like_any_other() -> None:
    deep = "[" * 100_000
    assert cut(b'{"a":' + deep.encode()) == [(0, '{"a":' + deep)]


@given(st.lists(st.binary(max_size=60)), st.integers(34, 80))
def test_every_line_comes_out_once_whatever_the_blocks(parts: list[bytes], batch: int) -> None:
    data = b"\n".join(parts)
    limits = small(batch=batch)
    portions = list(lines(io.BytesIO(data).read, limits))
    frames = [frame for p in portions for frame in (p.records, p.dead.select(RECORD.names()))]
    found = pl.concat([RECORD.to_frame(), *frames]).sort("log.offset")
    expected, at = [], 0
    for part in data.split(b"\n"):
        text = (part[:-1] if part.endswith(b"\r") else part).decode("utf-8", "backslashreplace")
        if len(part) > limits.line:
            expected.append((part[: limits.kept].decode("utf-8", "backslashreplace"), at, 0))
        elif pl.Series([text]).str.contains(r"\S").item():
            expected.append((text, at, 0))
        at += len(part) + 1
    # a CR at the very end of the data is not part of a line end
    assert [(text.rstrip("\r"), at, index) for text, at, index in found.rows()] == [
        (text.rstrip("\r"), at, index) for text, at, index in expected
    ]


@pytest.mark.parametrize("length", [33, 64, 65, 500])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nafter\n"])
def test_a_line_beyond_the_limit_is_a_dead_letter_and_costs_only_itself(length: int, end: bytes) -> None:
    line = b"0123456789" * 60
    portions = list(lines(io.BytesIO(b"before\n" + line[:length] + end).read, small()))
    dead = pl.concat([portion.dead for portion in portions])
    assert joined(portion.records for portion in portions) == ["before"] + ["after"] * (len(end) > 1)
    assert dead.select("event.original", "log.offset").rows() == [("01234567", 7)]
    reason = dead["error.message"].item()
    assert f"{length} bytes long" in reason
    assert hashlib.sha256(line[:length]).hexdigest() in reason


def test_limits_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(UsageError, match="contradict"):
        Limits(batch=1, line=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"a": 1},\n {"b": "ộ"}]', ['{"a":1}', '{"b":"ộ"}']),
        ('{\n  "a": {\n    "b": 1\n  }\n}\n{\n  "a": 2\n}\n', ['{"a":{"b":1}}', '{"a":2}']),
        ('{"Records":[{"x":1},{"x":2}]}', ['{"x":1}', '{"x":2}']),
        ('{"@odata.context":"u","value":[{"x":1}]}', ['{"x":1}']),
        ('{"expected":[{"x":1}]}', ['{"x":1}']),
        ('{"id":"1","target":[{"x":1}]}', ['{"id":"1","target":[{"x":1}]}']),
        ('{"Records":[{"x":1}],"more":[1]}', ['{"Records":[{"x":1}],"more":[1]}']),
        (
            '[{"n": 1208925819614629174706176}, {"s": "\\ud800"}]',
            ['{"n":1208925819614629174706176}', '{"s":"\\ud800"}'],
        ),
        ("[]", []),
    ],
)
def test_a_document_gives_one_compact_record_per_object(text: str, expected: list[str]) -> None:
    assert documents.is_document(text, whole=True)
    assert list(documents.objects(text)) == expected


@pytest.mark.parametrize("depth", [10, 300, *range(985, 1000), 5000, 1_000_000])
def test_a_document_of_any_depth_is_read_or_refused(depth: int) -> None:
    text = '[\n{"a":' + "[" * depth + "]" * depth + "}]"
    found: list[str] = []
    with contextlib.suppress(documents.BrokenError):
        found.extend(documents.objects(text))
    assert found == [text[2:-1]] or (not found and depth > 300)


@pytest.mark.parametrize("text", ['[{"a":1},{"b', '{"Records":[{"a":1},{"b":'])
def test_a_document_that_breaks_off_gives_what_stands_before(text: str) -> None:
    records = documents.objects(text)
    assert next(records) == '{"a":1}'
    with pytest.raises(documents.BrokenError, match="breaks off"):
        next(records)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1}\n{"a":2}\n',
        '{"Records":[{"x":1}]}\n{"Records":[{"x":1}]}\n',
        '{"a":"cut\n{"a":2}\n',
        "[Wed Oct 11 14:32:52 2000] [error] client denied\n",
        "{core} started\n",
        '{"a":"' + "x" * 100_000,
        "",
    ],
)
def test_lines_are_no_document(text: str) -> None:
    assert not documents.is_document(text, whole=len(text) < 65536)
