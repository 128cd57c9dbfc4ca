"""Texts that Polars looks at where they stand: the same as copies of them, and given back when nobody needs them."""

from __future__ import annotations

import gc

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import borrowed
from connectors.borrowed import texts
from connectors.views import Parts

WORDS = st.lists(st.text(max_size=20), min_size=1)


def lent(words: list[bytes]) -> pl.Series:
    sizes = np.array([*map(len, words)])
    return texts(np.frombuffer(b"".join(words) + b"\n", np.uint8), np.cumsum(sizes) - sizes, sizes)


@given(WORDS)
def test_texts_are_those_that_stand_there(words: list[str]) -> None:
    found = lent([word.encode() for word in words])
    copied = pl.Series(words, dtype=pl.String)
    assert found.equals(copied)
    assert found.sort().equals(copied.sort())
    assert (found + "x").to_list() == [word + "x" for word in words]
    assert found.n_unique() == len(set(words))


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20), st.booleans()), min_size=1))
def test_parts_are_those_that_stand_in_the_texts(words: list[tuple[str, str, bool]]) -> None:
    texts = [(before.encode(), part.encode(), there) for before, part, there in words]
    data = b"".join(before + part for before, part, _ in texts) + b"\n"
    lengths = np.array([len(before) + len(part) for before, part, _ in texts], np.int64)
    begins = np.array([len(before) for before, *_ in texts], np.int32)
    sizes = np.array([len(part) if there else -1 for _, part, there in texts], np.int32)
    places = Parts(np.cumsum(lengths) - lengths, begins, sizes)
    found = borrowed.parts(np.frombuffer(data, np.uint8), places)
    assert found.to_list() == [part if there else None for _, part, there in words]
    assert found.null_count() == sum(not there for *_, there in words)


@pytest.mark.parametrize(("begin", "size"), [(1, 2), (0, 1)])
def test_a_part_of_a_character_is_refused(begin: int, size: int) -> None:
    data = np.frombuffer("ễ\n".encode(), np.uint8)
    places = Parts(np.zeros(1, np.int64), np.array([begin], np.int32), np.array([size], np.int32))
    with pytest.raises(pl.exceptions.ComputeError, match="within a character"):
        borrowed.parts(data, places)


def test_texts_outlive_the_names_of_their_block() -> None:
    found = lent([b"a text that is too long for its view", b"short"])[1:]
    gc.collect()
    del gc.garbage[:]
    assert found.to_list() == ["short"]


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(pl.exceptions.ComputeError):
        lent([b"good", b"bad \xff"])


def test_a_block_is_given_back_when_its_last_text_is_gone() -> None:
    found = lent([b"a text that is too long for its view"] * 3)
    mine = borrowed._LENT[-1]
    part = found.filter(pl.Series([False, True, False]))
    del found
    lent([b"the next one"])
    assert mine in borrowed._LENT
    assert part.to_list() == ["a text that is too long for its view"]
    del part
    lent([b"the next one"])
    assert mine not in borrowed._LENT
