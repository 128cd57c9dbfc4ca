from __future__ import annotations

import sys

import polars as pl
import pytest

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
