r"""Tells which of many wanted paths a batch of JSON lines can hold, so that only those are read.

Rules want hundreds of names and a batch has some dozens of them; a JSON reader pays for each it looks for. A path whose
keys don't all stand in the text as `"key":` leads nowhere. Keys that may be written in another way are never given up:
those with escapes (`"\u0061":`) and those apart from their colon (`"a" :`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

import polars as pl

Path: TypeAlias = tuple[str, ...]

STEP: Final = 64  # every 64th line tells nearly all names; the others are searched for what those lack
PLAIN: Final = re.compile(r'[^"\\/\x00-\x1f]*')  # a key that needs no escape

APART: Final = ['" :', '"  ', '"\t', '" \t', '"\r']  # what begins a quote apart from its colon; other texts have it too
APART_KEY: Final = r'"[ \t\r]+:'
ESCAPED_KEY: Final = r'\\u[0-9a-fA-F]{4}[^"]*"\s*:'


def pruned(lines: pl.Series, paths: Mapping[str, Sequence[Path]]) -> dict[str, list[Path]]:
    """Return the paths that these lines may hold, for every name."""
    keys = {key for places in paths.values() for path in places for key in path}
    there = _present(lines, keys)
    return {name: [path for path in places if there.issuperset(path)] for name, places in paths.items()}


def _present(lines: pl.Series, keys: set[str]) -> set[str]:
    searched = {f'"{key}":': key for key in sorted(keys) if PLAIN.fullmatch(key)}
    if not searched or lines.str.contains(ESCAPED_KEY).any():
        return keys
    told = _found(lines.gather_every(STEP), searched)
    left = [pattern for pattern in searched if pattern not in told]
    others = lines.filter(lines.str.contains_any([*left, *APART]))
    if others.str.contains(APART_KEY).any():
        return keys
    told |= _found(others, left)
    return keys - {key for pattern, key in searched.items() if pattern not in told}


def _found(lines: pl.Series, patterns: Collection[str]) -> set[str]:
    if lines.is_empty() or not patterns:
        return set()
    return set(lines.str.extract_many([*patterns]).explode().drop_nulls().unique())
