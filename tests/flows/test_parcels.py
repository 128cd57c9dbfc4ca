"""Batches that go to another process arrive as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from socket import socket, socketpair
from threading import Thread

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.content import Limits
from connectors.lines import lines
from detectors.contracts import Batch
from detectors.schema import RECORD
from flows.parcels import receive, receive_batch, send, send_batch

TEXTS = [
    b"one\ntwo\n",
    b"one\r\ntwo\r\n",
    b"one\ntwo",
    b"one\r\ntwo\nthree",
    "đăng nhập\n👍\n".encode(),
    b"x" * 70_000 + b"\ny\n",
]


@pytest.fixture
def ends() -> Iterator[tuple[socket, socket]]:
    one, other = socketpair()
    with closing(one), closing(other):
        yield one, other


def read(content: bytes) -> list[Batch]:
    """Return the lines of a file as files are read."""
    rest = memoryview(content)

    def into(block: memoryview) -> int:
        nonlocal rest
        count = min(len(block), len(rest))
        block[:count] = rest[:count]
        rest = rest[count:]
        return count

    portions = lines(lambda _: b"", Limits(line=100_000), into=into)
    return [Batch("json", "file:1", "a.json", each.records, date(2026, 3, 9), text=each.text) for each in portions]


def carried(ends: tuple[socket, socket], batch: Batch) -> Batch:
    sender = Thread(target=send_batch, args=(ends[0], batch))
    sender.start()
    came = receive_batch(ends[1])
    sender.join()
    return came


@pytest.mark.parametrize("content", TEXTS)
def test_lines_and_their_text_arrive(ends: tuple[socket, socket], content: bytes) -> None:
    for sent in read(content):
        came = carried(ends, sent)
        assert_frame_equal(came.records, sent.records)
        assert came.text is not None
        assert sent.text is not None
        assert bytes(came.text) == bytes(sent.text)
        assert (came.source, came.origin, came.label, came.received) == ("json", "file:1", "a.json", sent.received)


def test_records_without_a_text_arrive(ends: tuple[socket, socket]) -> None:
    records = pl.DataFrame([("a\nb", 7, 0), ("", 9, 1), ("đ", None, None)], schema=RECORD, orient="row")
    placed = records.with_columns(pl.lit("file:2").alias("soc.origin"), pl.lit("b.log").alias("soc.label"))
    sent = Batch("auth", "file:1", "a.log", placed, stream="3", whole=True)
    came = carried(ends, sent)
    assert_frame_equal(came.records, placed)
    assert (came.text, came.stream, came.whole, came.received) == (None, "3", True, None)


def test_what_was_put_together_keeps_its_places(ends: tuple[socket, socket]) -> None:
    (plain,) = read(b"one\ntwo\n")
    places = pl.Series("soc.origin", ["file:1", "file:2"]), pl.Series("soc.label", ["a", "b"])
    came = carried(ends, Batch("json", "file:1", "a", plain.records.with_columns(*places), text=plain.text))
    assert came.origins(came.records) == ["file:1", "file:2"]


def test_an_end_that_is_closed_is_told_of(ends: tuple[socket, socket], tmp_path: Path) -> None:
    send(ends[0], {"path": tmp_path})
    assert receive(ends[1])[0] == {"path": tmp_path}
    ends[0].sendall(b"half")
    ends[0].close()
    with pytest.raises(EOFError):
        receive(ends[1])
    with pytest.raises(OSError, match="pipe"):
        send(ends[1], "nobody")
