"""Files of findings and matches, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors import store as module
from connectors.store import Store
from detectors.schema import MATCH
from flows import report, results
from tests.sample_findings import START, province


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "store.sqlite")
    store.findings(found := province(50))
    ids = found["event.id"].to_list()
    names = [(f"m{number}", f"rule-{number % 3}", f"e{number}", ids[number * 7 % 50]) for number in range(120)]
    rows = [
        (START, match, rule, "Odd", "high", [event], "auth", "x", finding, None)
        for match, rule, event, finding in names
    ]
    store.matches(pl.DataFrame(rows, schema=MATCH, orient="row"))
    yield store
    store.close()


@pytest.mark.parametrize("together", [1, 7, 50, 1_000])
def test_pages_are_what_is_selected(store: Store, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    pages = list(store.pages())
    assert max(page.height for page in pages) <= together
    assert_frame_equal(pl.concat(pages), store.select(limit=100))
    some = store.select(limit=100)[10:20]
    assert_frame_equal(store.some(some["event.id"].to_list()), some)


@pytest.mark.parametrize("together", [3, 1_000])
def test_all_is_written(store: Store, together: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", together)
    monkeypatch.setattr(results, "TOGETHER", together)
    every = store.select(limit=100)
    told = results.findings(store, tmp_path / "f")
    results.matches(store, told, tmp_path / "m")
    written = [json.loads(line) for line in (tmp_path / "f").read_text("utf-8").splitlines()]
    assert [each["event"]["id"] for each in written] == every["event.id"].to_list() == told["event.id"].to_list()
    matches = [json.loads(line)["soc"]["match"]["id"] for line in (tmp_path / "m").read_text("utf-8").splitlines()]
    expected = [name for each in told["event.id"] for name in store.matches_of(each)["soc.match.id"]]
    assert matches == expected
    assert len(matches) == 120
    assert told["soc.matches"].sum() == len(matches)
    assert_frame_equal(results.findings(store, None), told)


def test_a_report_needs_whole_findings_for_its_cards_only(store: Store, tmp_path: Path) -> None:
    asked: list[str] = []

    def whole(ids: list[str]) -> pl.DataFrame:
        asked.extend(ids)
        return store.some(ids)

    once = {"title": "x", "stats": {}, "generated": START}
    one = report.build(store.select(limit=100), tmp_path / "one.html", **once)  # type: ignore[arg-type]
    two = report.build(results.findings(store, None), tmp_path / "two.html", whole=whole, **once)  # type: ignore[arg-type]
    assert two.read_text("utf-8") == one.read_text("utf-8")
    assert len(asked) == 50


def test_nothing_found_is_an_empty_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    assert results.findings(store, tmp_path / "f").is_empty()
    assert (tmp_path / "f").read_bytes() == b""
    store.close()
