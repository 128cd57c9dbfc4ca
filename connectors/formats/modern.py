r"""Lines of RFC 5424: a header, parameters as structured data, a message.

    <165>1 2025-06-14T15:16:01.003Z srv01.example.com app 4711 ID47 [origin ip="192.0.2.1"] started

Columns: the parts of the header, and `structured_data.<element>.<name>`; of equal names the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

import polars as pl

from connectors.formats.pairs import NAMES, replaced
from connectors.patterns.fit import fit, named
from connectors.warm import WARMTH

START: Final = r"^\s*(?:\d{1,7} )?<\d{1,3}>1 "
LINE: Final = (
    r"(?s)^\s*(?:\d{1,7} )?<(?P<priority>\d{1,3})>1 "  # "123 <38>": the octet count of RFC 6587
    r"(?P<timestamp>\S+) (?P<hostname>\S+) (?P<program>\S+) (?P<pid>\S+) (?P<msgid>\S+) "
    r'(?P<structured_data>-|(?:\[[^\s\]="]+(?: [^\s\]="]+="(?:[^"\\\]]|\\.)*")*\])+)(?: \x{FEFF}?(?P<message>.*))?$'
)
DATA: Final = "structured_data."
ELEMENT: Final = re.compile(r'\[([^\s\]="]+)((?: [^\s\]="]+="(?:[^"\\\]]|\\.)*")*)\]', re.DOTALL)
PARAMETER: Final = re.compile(r' ([^\s\]="]+)="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
ESCAPED: Final = r'\\(["\\\]])'


def read(lines: pl.Series, parts: Collection[str] | None, wanted: Collection[str] | None) -> pl.DataFrame:
    """Return these parts or all, and the wanted parameters that there are, or all; nulls for lines of another form."""
    keys = None if wanted is None else frozenset(name for name in wanted if name.startswith(DATA))
    chosen = [name for name in named((LINE,)) if parts is None or name in parts]
    if not WARMTH.worth(lines.len()):
        return _by_patterns(lines, chosen, keys)
    from connectors.formats.cutting import structured  # noqa: PLC0415 - machine code takes time to load

    found = structured(lines, None if keys is None else {name.removeprefix(DATA) for name in keys}, chosen)
    made = {f"{DATA}{name}": column for name, column in found.cut.columns.items()}
    made |= {name: made[name].str.replace_all(ESCAPED, "$1") for name in (f"{DATA}{key}" for key in found.escaped)}
    made |= {column.name: column for column in found.heads}
    odd = found.cut.odd
    if odd.len():
        other = _by_patterns(lines.gather(odd), chosen, keys)
        made = replaced(made, {column.name: column for column in other}, odd, lines.len())
    return pl.DataFrame([column.alias(name) for name, column in made.items()])


def _by_patterns(lines: pl.Series, parts: list[str], keys: frozenset[str] | None) -> pl.DataFrame:
    frame = fit(lines, (LINE,), {*parts, "structured_data"}).columns
    return frame.select(*parts, *_parameters(frame["structured_data"], keys))


def _parameters(text: pl.Series, keys: frozenset[str] | None) -> list[pl.Series]:
    """Return the parameters of structured data; each distinct text is read once."""
    if keys == frozenset() or text.null_count() == text.len():
        return []
    distinct = text.drop_nulls().unique()
    found = [_of_one(cell) for cell in distinct]
    names = list(dict.fromkeys(name for row in found for name in row if keys is None or name in keys))[:NAMES]
    columns = {name: pl.Series([row.get(name) for row in found], dtype=pl.String) for name in names}
    return [
        text.replace_strict(distinct, column, default=None, return_dtype=pl.String).alias(name)
        for name, column in columns.items()
    ]


def _of_one(text: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for element, parameters in ELEMENT.findall(text):
        for name, value in PARAMETER.findall(parameters):
            made.setdefault(f"{DATA}{element}.{name}", re.sub(ESCAPED, r"\1", value))
    return made
