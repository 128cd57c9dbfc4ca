"""Columns in one piece: whatever the shape that Polars keeps them in, each text stands where the piece says."""

from __future__ import annotations

import gc

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import exported
from connectors.bytewise import Piece, piece

TEXTS = st.lists(st.none() | st.text(max_size=30), max_size=12)


def read(texts: Piece) -> list[str | None]:
    data = texts.data.tobytes()
    return [None if end < 0 else data[start:end].decode() for start, end in zip(texts.starts, texts.ends, strict=True)]


@given(TEXTS, TEXTS, st.integers(0, 5))
def test_a_piece_holds_the_texts(first: list[str | None], second: list[str | None], skipped: int) -> None:
    column = pl.concat([pl.Series(first, dtype=pl.String), pl.Series(second, dtype=pl.String)], rechunk=False)
    found = column[skipped:]
    assert read(piece(found)) == found.to_list()
    there = found.filter(found.is_not_null())
    assert read(piece(there)) == there.to_list()


@pytest.mark.parametrize("size", [0, 1, 12, 13, 5_000])
def test_texts_of_many_blocks(size: int) -> None:
    column = pl.Series([f"{place}".zfill(size) for place in range(3_000)])
    assert read(piece(column)) == column.to_list()


def test_a_newline_stands_between_texts() -> None:
    assert piece(pl.Series(["a", None, "", "b"])).data.tobytes() == b"a\n\n\nb\n"


def test_what_was_handed_over_outlives_the_column() -> None:
    column = pl.Series(["a text that is too long for its view"] * 3)
    chunk = next(exported.chunks(column))
    del column
    gc.collect()
    assert chunk.blocks[0].tobytes().startswith(b"a text that is too long for its view")
