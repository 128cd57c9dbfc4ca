r"""What a look at the text of JSON lines tells before any is read: which lines to doubt, and which keys can occur.

Rules want hundreds of names and a batch has some dozens of them; a JSON reader pays for each it looks for. A path whose
keys don't all stand in the text as `"key":` leads nowhere. Keys that may be written in another way are never given up:
those with escapes (`"\u0061":`) and those apart from their colon (`"a" :`).

Every line is searched once for texts that nearly no line has; the exact patterns are asked only where one was found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import polars as pl

from connectors.formats.exact import DEPTH

Path: TypeAlias = tuple[str, ...]

STEP: Final = 64  # every 64th line tells nearly all names; the others are searched for what those lack
PLAIN: Final = re.compile(r'[^"\\/\x00-\x1f]*')  # a key that needs no escape

ESCAPE: Final = r"\\u[0-9a-fA-F]{2}"
HALF_PAIR: Final = r"\\u[dD][89a-fA-F]"  # half a surrogate pair would become a NUL
ESCAPED_KEY: Final = r'\\u[0-9a-fA-F]{4}[^"]*"\s*:'
APART: Final = ['" :', '"  ', '"\t', '" \t', '"\r', '" \r']  # a quote apart from its colon; other texts have it too
APART_KEY: Final = r'"[ \t\r]+:'
INNER: Final = ['":[', '":{', '": [', '": {', '":  ', '":\t', '": \t', '":\r', '": \r']
INNER_VALUE: Final = r'"\s*:\s*[\[{]'


@dataclass(frozen=True, slots=True)
class Survey:
    """What the lines of a batch look like.

    `doubtful` ones need the exact reader, `nested` ones hold an array or an object.
    `keys` are those of the wanted paths that may occur in any line that isn't doubtful.
    """

    doubtful: pl.Series
    nested: pl.Series
    keys: frozenset[str]

    def pruned(self, paths: Mapping[str, Sequence[Path]]) -> dict[str, list[Path]]:
        """Return the paths that these lines may hold, for every name."""
        return {name: [path for path in places if self.keys.issuperset(path)] for name, places in paths.items()}


def survey(lines: pl.Series, paths: Mapping[str, Sequence[Path]], doubt: pl.Expr | None) -> Survey:
    """Look at lines that will be read for these paths; `doubt` says of which `line` only the exact reader can tell."""
    keys = frozenset(key for places in paths.values() for path in places for key in path)
    searched = {f'"{key}":': key for key in keys if PLAIN.fullmatch(key)}
    told = _found(lines.gather_every(STEP), searched)
    left = sorted(searched.keys() - told)
    seen = _look(lines, [*left, *APART, *INNER], _quoted(paths) if doubt is None else doubt | _quoted(paths))
    hit = lines.filter(seen["rare"])
    if hit.str.contains(APART_KEY).any():
        left = []
    told = {*told, *_found(hit, left)}
    doubtful = (
        seen["doubt"]
        | _where(lines, seen["escape"], ESCAPED_KEY)
        | _where(lines, seen["odd"], r"^[ \t\r]*$")
        | _where(lines, seen["escape"], HALF_PAIR)
    )
    gone = {searched[pattern] for pattern in left if pattern not in told}
    return Survey(doubtful, _where(lines, seen["rare"], INNER_VALUE), keys - gone)


def _quoted(paths: Mapping[str, Sequence[Path]]) -> pl.Expr:
    """Say which lines have, where an object is looked into, a string that may look like one."""
    inner = sorted({re.escape(key) for places in paths.values() for path in places for key in path[:-1]})
    return pl.col("line").str.contains(rf'"(?:{"|".join(inner)})"\s*:\s*"[{{\\]') if inner else pl.lit(value=False)


def _look(lines: pl.Series, rare: list[str], doubt: pl.Expr) -> pl.DataFrame:
    """Ask every line; separate columns are worked out at the same time."""
    line = pl.col("line")
    seen = (
        lines.alias("line")
        .to_frame()
        .select(
            pl.any_horizontal(line.is_null(), line.str.contains("\n", literal=True)).alias("broken"),
            (line.str.count_matches("[", literal=True) > DEPTH // 2).alias("arrays"),
            (line.str.count_matches("{", literal=True) > DEPTH // 2).alias("objects"),
            doubt.alias("told"),
            line.str.contains(ESCAPE).alias("escape"),
            line.str.contains_any(rare).alias("rare"),
            (~line.str.starts_with("{")).alias("odd"),
        )
    )
    doubtful = pl.any_horizontal("broken", "arrays", "objects", "told").fill_null(value=True)
    return seen.select(doubtful.alias("doubt"), pl.col("escape", "rare", "odd").fill_null(value=False))


def _where(lines: pl.Series, rows: pl.Series, pattern: str) -> pl.Series:
    """Say which of these rows' lines hold the pattern."""
    places = rows.arg_true()
    if places.is_empty():
        return rows
    return rows.scatter(places, lines.gather(places).str.contains(pattern))


def _found(lines: pl.Series, patterns: Collection[str]) -> set[str]:
    if lines.is_empty() or not patterns:
        return set()
    return set(lines.str.extract_many([*patterns]).explode().drop_nulls().unique())
