"""Finds the values of a few keys in lines of `key=value` pairs without cutting all pairs, where that gives the same.

A search for `srcip=` costs a fiftieth of finding every pair. It could find what only looks like a pair: within quotes,
or behind a sign that no key has. Lines with such texts are told apart first, and left to the slow way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import polars as pl

MOST: Final = 24  # keys; for more, cutting all pairs is as fast
KEY: Final = r"[\w.\-/\[\]]"
OTHER: Final = r'[^\w.\-/\[\]\s="]'  # a sign that no key has
ODD: Final = (
    r'="[^"]*='  # a value in quotes that holds an equals sign
    r'|"[^\s"]*='  # a quote glued to what follows
    r"|(?:^|\s)="  # no key at all
    rf'|(?:^|\s)[^\s="]*{OTHER}[^\s="]*='  # [key=, x:key=
    r'|(?:^|\s)[^A-Za-z_\s="][^\s="]*='  # 5key=
    r'|\\"'  # a quote within quotes
)
PRIORITY: Final = r"^<\d{1,3}>"
VALUE: Final = r'("[^"]*"|[^\s"]\S*|)'


def odd(lines: pl.Series) -> pl.Series:
    """Say of which lines a search for keys might find other pairs than there are; their priority aside."""
    return lines.str.contains(ODD).fill_null(value=False)


def values(lines: pl.Series, keys: Iterable[str]) -> dict[str, pl.Series]:
    """Return a column of the first value of each key, without its quotes, null where a line doesn't have it."""
    return {key: _unquoted(lines.str.extract(rf"(?:^|\s){re.escape(key)}={VALUE}")).alias(key) for key in keys}


def _unquoted(value: pl.Series) -> pl.Series:
    if not value.str.starts_with('"').any():
        return value
    text = pl.col("value")
    whole = text.str.starts_with('"') & text.str.ends_with('"') & (text.str.len_bytes() > 1)
    bare = text.str.strip_prefix('"').str.strip_suffix('"')
    return value.alias("value").to_frame().select(pl.when(whole).then(bare).otherwise(text)).to_series()
