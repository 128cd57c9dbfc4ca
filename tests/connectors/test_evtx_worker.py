from __future__ import annotations

from typing import Any, Self

import orjson
import pytest

from connectors import evtx_worker


class Stuck:
    """A parser that fails for ever without moving on, or gives the same record for ever."""

    def __init__(self, record: dict[str, object] | None) -> None:
        self.record = record

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def records_json(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, object]:
        if self.record is None:
            raise RuntimeError
        return self.record


def stuck(monkeypatch: pytest.MonkeyPatch, record: dict[str, Any] | None) -> evtx_worker.Parsed:
    monkeypatch.setattr(evtx_worker, "PyEvtxParser", Stuck(record))
    return evtx_worker.parse(bytes(evtx_worker.CHUNK))


def test_a_library_that_fails_without_moving_on_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stuck(monkeypatch, None).errors == evtx_worker.MOST


def test_a_library_that_never_ends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stuck(monkeypatch, {"data": "{}", "event_record_id": 1})
    assert (len(found.texts), len(found.ids), found.errors) == (evtx_worker.MOST, evtx_worker.MOST, 1)


def test_a_chunk_that_unfolds_to_very_much_text_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    found = stuck(monkeypatch, {"data": "x" * (evtx_worker.TEXT // 4), "event_record_id": 1})
    assert (len(found.texts), found.errors) == (4, 1)


def test_a_record_stays_one_line() -> None:
    texts = ['{"a\nb":1}', '{"c":"d"}', '{"\r\te":"\\n"}']  # the parser does not escape names
    lines = evtx_worker.lines(texts).splitlines()
    assert [orjson.loads(line) for line in lines] == [{"a\nb": 1}, {"c": "d"}, {"\r\te": "\n"}]
    assert evtx_worker.lines([]) == b""
