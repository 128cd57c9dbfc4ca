from __future__ import annotations

import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.sigma.fold import fold, fold_list, fold_series

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]


def test_every_character_stays_one_character() -> None:
    assert set(fold_series(pl.Series(CHARACTERS)).str.len_chars()) == {1}


def test_the_three_ways_to_fold_agree() -> None:
    sample = CHARACTERS[::997]
    assert fold_series(pl.Series(sample)).to_list() == list(fold_list(sample)) == [fold(each) for each in sample]


@pytest.mark.parametrize(("left", "right"), [("ΟΔΟΣ", "ΑΒ"), ("ΟΔΟ", "Σ"), ("İ", "zmir"), ("Gia ", "LAI"), ("ĐẮ", "K")])
def test_folding_does_not_depend_on_what_stands_beside(left: str, right: str) -> None:
    assert fold(left + right) == fold(left) + fold(right)


def test_vietnamese_folds() -> None:
    assert fold("ĐẮK LẮK, Ủy ban") == "đắk lắk, ủy ban"


@given(st.text(max_size=8), st.text(max_size=8))
def test_folding_is_done_letter_by_letter(left: str, right: str) -> None:
    assert fold(left + right) == fold(left) + fold(right)
    assert len(fold(left)) == len(left)
    assert fold(fold(left)) == fold(left)


@given(st.text("aAzZ09 -\\", max_size=8))
def test_ascii_folds_as_anybody_would(text: str) -> None:
    assert fold(text) == text.lower() == fold(text.upper())
