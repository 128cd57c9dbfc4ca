r"""What a look at the text of JSON lines tells before any is read: which lines to doubt, and which keys can occur.

Rules want hundreds of names and a batch has some dozens of them, most in few lines; a JSON reader pays for each it
looks for, line by line. A key is in no line where it doesn't stand as `"key":`, unless it is written in another way:
with escapes (`"\u0061":`) or apart from its colon (`"a" :`). Such lines are doubtful.

Every line is searched once for texts that nearly no line has; the exact patterns are asked only where one was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from connectors.once import DEPTH

SAMPLE: Final = 256  # lines that tell which keys are common
COMMON: Final = 0.02  # share of the lines that have a key; a rarer one is read from its own lines only
SPARSE: Final = 0.25  # share of the lines that have any rare key; beyond, all are read from every line
PLAIN: Final = re.compile(r'[^"\\/\x00-\x1f]*')  # a key that needs no escape

ESCAPE: Final = r"\\u[0-9a-fA-F]{2}"
HALF_PAIR: Final = r"\\u[dD][89a-fA-F]"  # half a surrogate pair would become a NUL
ESCAPED_KEY: Final = r'\\u[0-9a-fA-F]{4}[^"]*"\s*:'
APART: Final = ['" :', '"  ', '"\t', '" \t', '"\r', '" \r']  # a quote apart from its colon; other texts have it too
APART_KEY: Final = r'"[ \t\r]+:'
INNER: Final = ['":[', '":{', '": [', '": {', '":  ', '":\t', '": \t', '":\r', '": \r']
INNER_VALUE: Final = r'"\s*:\s*[\[{]'
STRING: Final = r'(?s)"(?:[^"\\]|\\.)*"'


@dataclass(frozen=True, slots=True)
class Keys:
    """Which keys occur: `common` ones may stand in any line, `rare` ones only in these `rows`."""

    common: tuple[str, ...]
    rare: tuple[str, ...]
    rows: pl.Series


@dataclass(frozen=True, slots=True)
class Survey:
    """What lines look like: `nested` ones have an array or an object as a value.

    `sound` says that each begins as an object and none is nested deeper than any log: Polars may see them all.
    """

    doubtful: pl.Series
    nested: pl.Series
    sound: bool
    keys: Keys


def survey(lines: pl.Series, keys: Collection[str]) -> Survey:
    """Look at lines that will be read for these keys."""
    common, rare = _sampled(lines, keys)
    seen = _look(lines, [*rare, *APART, *INNER, "\n"])
    nested = where(lines, seen["rare"], _has(INNER_VALUE))
    unsound = seen["odd"] | where(lines, nested, is_deep)
    doubtful = (
        unsound
        | where(lines, seen["rare"], _has(f"{APART_KEY}|\n"))
        | where(lines, seen["escape"], _has(f"{ESCAPED_KEY}|{HALF_PAIR}"))
    )
    return Survey(doubtful, nested, not unsound.any(), _keys(lines, common, rare, seen["rare"].arg_true()))


def is_deep(lines: pl.Series) -> pl.Series:
    """Say which lines have so many brackets outside of texts that they may be nested deeper than any log."""
    many = _brackets(lines)
    return where(lines, many, lambda some: _brackets(some.str.replace_all(STRING, "")))


def _brackets(lines: pl.Series) -> pl.Series:
    return lines.str.count_matches("[", literal=True) + lines.str.count_matches("{", literal=True) > DEPTH


def where(lines: pl.Series, rows: pl.Series, told: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Say of which of these rows' lines something is told; of others it isn't."""
    places = rows.arg_true()
    return rows if places.is_empty() else rows.clone().scatter(places, told(lines.gather(places)))


def _has(pattern: str) -> Callable[[pl.Series], pl.Series]:
    return lambda lines: lines.str.contains(pattern)


def _look(lines: pl.Series, rare: list[str]) -> pl.DataFrame:
    """Ask every line; separate columns are worked out at the same time."""
    line = pl.col("line")
    return (
        lines.alias("line")
        .to_frame()
        .select(
            escape=line.str.contains(ESCAPE).fill_null(value=False),
            rare=line.str.contains_any(rare).fill_null(value=False),
            odd=~line.str.starts_with("{").fill_null(value=False),
        )
    )


def _sampled(lines: pl.Series, keys: Collection[str]) -> tuple[list[str], dict[str, str]]:
    """Return the keys that are common in a sample or can't be searched for, and the others by what they look like."""
    rare = {f'"{key}":': key for key in keys if PLAIN.fullmatch(key)}
    sample = lines.gather_every(max(lines.len() // SAMPLE, 1))
    if rare and not sample.is_empty():
        told = sample.str.extract_many([*rare]).explode().drop_nulls().value_counts()
        for pattern in told.filter(told["count"] >= COMMON * sample.len()).to_series():
            del rare[pattern]
    others = frozenset(rare.values())
    return [key for key in keys if key not in others], rare


def _keys(lines: pl.Series, common: list[str], rare: dict[str, str], hits: pl.Series) -> Keys:
    """Find the rare keys in the lines that may have any."""
    if not rare:
        return Keys(tuple(common), (), hits.clear())
    found = lines.gather(hits).str.extract_many([*rare])
    rows = hits.filter(found.list.len() > 0)
    patterns = set(found.explode().drop_nulls().unique())
    keys = [key for pattern, key in rare.items() if pattern in patterns]
    if rows.len() > SPARSE * lines.len():
        return Keys((*common, *keys), (), rows.clear())
    return Keys(tuple(common), tuple(keys), rows)
