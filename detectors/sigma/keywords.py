r"""The text of a whole event, for rules that search without naming a field.

Of a plain line it is the line. Of a JSON record it is all leaf values, one a line: keys don't count, and neither do
JSON's own escapes (`\\` is one backslash). Taking every record apart would cost more than all other matching, so the
raw text is searched first, coarsely, then properly, for records that can hold a keyword at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, lru_cache

import numpy as np
import orjson
import polars as pl

from detectors.sigma import glob
from detectors.sigma.columns import Rows, Table
from detectors.sigma.fragments import sieve
from detectors.sigma.predicates import Predicate
from detectors.sigma.vocabulary import Flags

# A run of these stands in JSON as it is, or the record holds a `\u` escape.
_SAFE = re.compile(r"[ !#-.0-\[\]-~]+")
# Letters outside of ASCII whose lower case is (or begins with) an ASCII letter, and escapes that stand for them.
_ODD_LETTERS = ("\u212a", "\u0130")
_ESCAPE = "\\u"
_ODD = "|".join((*_ODD_LETTERS, r"\\u(?:212[aA]|0130)"))
_FEW = 32  # records that are sooner taken apart than searched
# Characters of texts that one pattern looks for, in half the time; Polars refuses a pattern that becomes too large.
_SHORT = 20_000
_LONGEST = 256  # characters of a text that are looked for; what holds them is searched for the whole text
Search = Callable[[pl.Expr], pl.Expr]  # what is asked of a line

# JSON may write any letter as an escape, and some shippers do so for quotes.
_ESCAPES = {f"\\u00{code:02{case}}": chr(code) for code in range(0x20, 0x7F) for case in "xX"}


def read(table: Table, asked: Iterable[tuple[Rows, list[Predicate]]], *, structured: bool) -> None:
    """Give a table the texts of rows that might satisfy any keyword asked of them; the others count as without text.

    A keyword is asked of all rows that its rules look at, or else a row without a text would be a wrong no.
    """
    raw = _Raw(table.events["event.original"])
    likely = np.zeros(table.events.height, np.bool_)
    for rows, keywords in asked:
        likely[rows[_likely(raw, rows, keywords)]] = True
    chosen = np.flatnonzero(likely)
    lines = raw.lines.gather(chosen)
    table.put_keywords(pl.Series(map(leaves, lines.to_list()), dtype=pl.String) if structured else lines, chosen)


class _Raw:
    """Raw lines, and what some of them say beyond what stands there; worked out once for all that is searched."""

    def __init__(self, lines: pl.Series) -> None:
        self.lines = lines

    @cached_property
    def odd(self) -> Flags:
        """Say which lines are odd about case: they count as found."""
        odd = np.zeros(self.lines.len(), np.bool_)
        odd[self._doubted] = _asked(self._doubtful, lambda line: line.str.contains(_ODD))
        return odd

    def seen(self, rows: Rows, search: Search) -> Flags:
        """Search lines as they stand and without escapes."""
        found = _asked(_take(self.lines, rows), search) | self.odd[rows]
        places = self._place[rows]
        left = np.flatnonzero(~found & (places >= 0))
        if left.size:
            found[left] = _asked(self._plain.gather(places[left]), search)
        return found

    @cached_property
    def _escaped(self) -> Rows:
        escaped = _asked(self._doubtful, lambda line: line.str.contains(_ESCAPE, literal=True))
        rows: Rows = self._doubted[escaped]
        return rows

    @cached_property
    def _doubtful(self) -> pl.Series:
        return _take(self.lines, self._doubted)

    @cached_property
    def _doubted(self) -> Rows:
        """Return the lines that hold an escape or, beyond ASCII, may hold a letter that is odd about case."""

        def doubted(line: pl.Expr) -> pl.Expr:  # one literal takes a seventh of what several together do
            return line.str.contains(_ESCAPE, literal=True) | (line.str.len_chars() != line.str.len_bytes())

        return np.flatnonzero(_asked(self.lines, doubted))

    @cached_property
    def _place(self) -> Rows:
        """Return per line its place among those with escapes, -1 where it has none."""
        place = np.full(self.lines.len(), -1)
        place[self._escaped] = np.arange(self._escaped.size)
        return place

    @cached_property
    def _plain(self) -> pl.Series:
        """Return the lines with escapes without those of printable ASCII."""
        return _take(self.lines, self._escaped).str.replace_many(_ESCAPES)


def _likely(raw: _Raw, rows: Rows, keywords: Iterable[Predicate]) -> Flags:
    """Say which raw lines may satisfy any of the keywords, whether they hold its text plainly or in escapes."""
    likely: Flags = np.ones(rows.size, np.bool_)
    if rows.size <= _FEW:
        return likely
    for search in _searches(tuple(keywords)):
        places = np.flatnonzero(likely)
        if places.size:
            likely[places] = raw.seen(rows[places], search)
    return likely


@lru_cache(maxsize=1024)
def _searches(keywords: tuple[Predicate, ...]) -> tuple[Search, ...]:
    """Return what finds, the cheapest first, every line that may satisfy any of the keywords; none where all may."""
    probes = sorted({probe for predicate in keywords for probe in _probes(predicate)})
    if not all(probes):
        return ()
    coarse, any_of = sieve(probes), _any_of(probes)
    return (any_of,) if coarse is None else (lambda line: line.str.contains(coarse), any_of)


def _any_of(probes: list[str]) -> Search:
    """Return what finds lines that hold any of some texts of ASCII, in any case of its letters."""
    if probes and sum(map(len, probes)) <= _SHORT:
        pattern = "(?i-u)" + "|".join(map(glob.escape, probes))
        return lambda line: line.str.contains(pattern)
    return lambda line: line.str.contains_any(probes, ascii_case_insensitive=True)


def _take(lines: pl.Series, places: Rows) -> pl.Series:
    """Return the lines at these places, each given once and in order; taking all of them would only cost time."""
    return lines if places.size == len(lines) else lines.gather(places)


def _asked(lines: pl.Series, search: Search) -> Flags:
    return np.array(lines.to_frame("line").select(search(pl.col("line"))).to_series().to_numpy())


def leaves(line: str) -> str:
    """Return the leaf values of a JSON record, one a line; a line that isn't JSON is its own text."""
    try:
        return "\n".join(_leaves(orjson.loads(line)))
    except orjson.JSONDecodeError:
        return line


def _leaves(value: object) -> Iterator[str]:
    pending: list[object] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending.extend(reversed(part.values()))
        elif isinstance(part, list):
            pending.extend(reversed(part))
        elif isinstance(part, bool):
            yield "true" if part else "false"
        elif part is not None:
            yield str(part)


def _probes(predicate: Predicate) -> list[str]:
    """Return, per value, plain text that the raw record of a match contains ("": nothing is certain)."""
    match predicate.op:
        case "contains" | "equals" | "startswith" | "endswith":
            plain = list(predicate.values)
        case "like":
            plain = [glob.literal(value) for value in predicate.values]
        case _:
            return [""]
    return [max(_SAFE.findall(text), key=len, default="")[:_LONGEST] for text in plain]
