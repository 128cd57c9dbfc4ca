"""Text without its case: Sigma compares texts in any case, but doesn't say what that means outside of ASCII.

Here it is Unicode's lower case, changed for two letters so that each character stands for itself wherever it is: the
final sigma `ς` is `σ` (lower-casing chooses by position), and `İ` is `i` (its lower case is two characters). So
fold(a + b) == fold(a) + fold(b), and what was one character (`?`) stays one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl

_FEW = 64  # texts that are sooner folded one by one than asked of Polars


def fold(text: str) -> str:
    """Return the text without its case."""
    return text.lower() if text.isascii() else text.translate(_table())


def fold_list(texts: Sequence[str]) -> Sequence[str]:
    """Return all texts without their case."""
    if all(map(str.isascii, texts)):
        return [text.lower() for text in texts]
    if len(texts) <= _FEW:
        return [fold(text) for text in texts]
    return fold_series(pl.Series(texts, dtype=pl.String)).to_list()


def fold_series(texts: pl.Series) -> pl.Series:
    """Return a column of texts without their case."""
    if texts.str.len_bytes().sum() == texts.str.len_chars().sum():
        return texts.str.to_lowercase()
    lower = texts.str.replace_all("İ", "i", literal=True).str.to_lowercase()
    return lower.str.replace_all("ς", "σ", literal=True)


@cache
def _table() -> dict[int, str]:
    """Return what each character folds to where that is another; none beyond plane 1 has a case.

    Not str.lower: Python and Polars bring tables of different Unicode versions.
    """
    letters = pl.Series([chr(code) for code in (*range(0xD800), *range(0xE000, 0x20000))])
    folded = fold_series(letters)
    others = letters != folded
    return dict(zip(map(ord, letters.filter(others)), folded.filter(others), strict=True))
