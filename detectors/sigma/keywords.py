r"""The text of a whole event, for rules that search without naming a field.

Of a plain line it is the line. Of a JSON record it is all leaf values, one a line: keys don't count, and neither do
JSON's own escapes (`\\` is one backslash). Taking every record apart would cost more than all other matching, so a
first pass over the raw text leaves out the records that can't hold any keyword.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
import orjson
import polars as pl

from detectors.sigma import glob
from detectors.sigma.columns import Column, Rows
from detectors.sigma.predicates import Predicate

# A run of these stands in JSON as it is, or the record holds a `\u` escape.
_SAFE = re.compile(r"[ !#-.0-\[\]-~]+")
# Letters outside of ASCII whose lower case is (or begins with) an ASCII letter, and escapes that stand for them.
_ODD = ["\u212a", "\u0130", "\\u212a", "\\u0130"]
# JSON may write any letter as an escape, and some shippers do so for quotes.
_ESCAPES = {f"\\u00{code:02{case}}": chr(code) for code in range(0x20, 0x7F) for case in "xX"}


def column(events: pl.DataFrame, keywords: Iterable[Predicate], *, structured: bool, rows: Rows) -> Column:
    """Return the texts of those of `rows` that might satisfy any keyword; other rows count as having no text."""
    raw = events["event.original"]
    asked = raw.gather(rows)
    probes = [probe for predicate in keywords for probe in _probes(predicate)]
    if all(probes):
        likely = _likely(asked, probes + _ODD)
        rows, asked = rows[likely.to_numpy()], asked.filter(likely)
    texts = [leaves(line) for line in asked.to_list()] if structured else asked.to_list()
    full = np.full(len(raw), None, dtype=object)
    full[rows] = texts
    return Column(pl.Series(full.tolist(), dtype=pl.String))


def _likely(lines: pl.Series, probes: list[str]) -> pl.Series:
    """Say which raw lines hold any of the probes, whether written plainly or in escapes."""
    likely = lines.str.contains_any(probes, ascii_case_insensitive=True)
    escaped = lines.str.contains("\\u00", literal=True) & ~likely
    if escaped.any():
        rest = lines.filter(escaped).str.replace_many(_ESCAPES)
        likely = likely.scatter(escaped.arg_true(), rest.str.contains_any(probes, ascii_case_insensitive=True))
    return likely


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
    return [max(_SAFE.findall(text), key=len, default="") for text in plain]
