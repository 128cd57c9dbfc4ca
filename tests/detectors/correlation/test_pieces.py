"""A million events of alerts are told of in pieces, each of whole findings."""

from __future__ import annotations

import polars as pl
import pytest

from detectors.correlation import earlier


def events(counts: dict[str, int]) -> pl.DataFrame:
    names = [name for name, count in counts.items() for _ in range(count)]
    return pl.DataFrame(
        {"group": names, "number": [ord(name) for name in names], "anchor": [0] * len(names), "row": range(len(names))}
    )


def test_few_events_are_one_piece() -> None:
    of, new = events({"a": 2}), events({"a": 1})
    assert [(one.height, other.height) for one, other in earlier.pieces(of, new)] == [(2, 1)]


def test_many_events_are_cut_between_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(earlier, "PIECE", 4)
    of, new = events({"a": 3, "b": 5, "c": 1}), events({"a": 3, "b": 5, "c": 1, "d": 2})
    pieces = [*earlier.pieces(of, new)]
    assert [fresh["group"].unique().sort().to_list() for _, fresh in pieces] == [["a"], ["b", "c", "d"]]
    assert pl.concat([one for one, _ in pieces]).equals(of)
    assert pl.concat([fresh for _, fresh in pieces]).equals(new)
