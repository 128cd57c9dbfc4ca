r"""Lines of values between separators, after a syslog header or none.

    Nov 30 16:09:08 fw 1,2026/03/02 08:15:00,0123,TRAFFIC,end,…      PAN-OS
    <134>Jan  1 02:21:38 fw filterlog[97530]: 146,,,15353,igb1,…     pfSense

Options: `separator`; `columns`, the names in their order; or `layouts`, such lists by the value of the column number
`by` (counted from 0; a name may stand for several values: `"START|END"`); `start`, a pattern whose only group begins
where the values do. Own columns: these names, and the parts of the header with `syslog_` before them. Values may be
quoted; a quote within is written twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import polars as pl

from connectors.formats import header, pairs
from connectors.formats.frames import ERROR, nulls
from connectors.warm import WARMTH

HEADER: Final = "syslog_"
WHOLE: Final = "^(.*)$"
UNCLEAN: Final = r'[\r\n]|[^,;|\t]"[^,;|\t"]'  # more than a line, or a quote in the midst of a value


@dataclass(frozen=True, slots=True)
class Delimited:
    """Reads values by their place."""

    columns: Sequence[str] = ()
    layouts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by: int = 0
    separator: str = ","
    start: str = WHOLE
    least: int = 2
    name: ClassVar[str] = "delimited"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        made, head, good = self._read(original, wanted)
        if wanted is None or any(name.startswith(HEADER) for name in wanted):
            parts = None if wanted is None else {name.removeprefix(HEADER) for name in wanted}
            made |= {f"{HEADER}{part.name}": part for part in header.split(head, parts)}
        error = pl.select(pl.when(~good).then(pl.lit("no line of values"))).to_series()
        return pl.DataFrame([*pairs.selected(made, wanted, original.len()), error.alias(ERROR)])

    def _read(
        self, original: pl.Series, wanted: frozenset[str] | None
    ) -> tuple[dict[str, pl.Series], pl.Series, pl.Series]:
        """Return columns, what stands before the values, and which lines have any."""
        if len(self.separator.encode()) > 1 or not WARMTH.worth(original.len()):
            return self._by_polars(original, wanted)
        from connectors.formats.dividing import divided  # noqa: PLC0415 - machine code takes time to load

        found = divided(original, self, wanted)
        if found is None:
            return self._by_polars(original, wanted)
        made, head, good, odd = found
        if odd.len():
            other, heads, told = self._by_polars(original.gather(odd), wanted)
            made = pairs.replaced(made, other, odd, original.len())
            head, good = head.scatter(odd, heads), good.scatter(odd, told)
        return made, head, good

    def _by_polars(
        self, original: pl.Series, wanted: frozenset[str] | None
    ) -> tuple[dict[str, pl.Series], pl.Series, pl.Series]:
        body = original.str.extract(f"(?s){self.start}")
        good = (body.str.count_matches(self.separator, literal=True) + 1 >= self.least).fill_null(value=False)
        head = original.to_frame("line").select(pl.col("line").str.strip_suffix(body)).to_series().set(~good, None)
        return self._placed(body, good.arg_true(), wanted), head, good

    def _placed(self, body: pl.Series, rows: pl.Series, wanted: frozenset[str] | None) -> dict[str, pl.Series]:
        made: dict[str, pl.Series] = {}
        for part, names in self._parts(body, rows):
            places = [place for place, name in enumerate(names) if name != "_" and (wanted is None or name in wanted)]
            values = _values(body.gather(part), self.separator, len(names), places)
            for place, value in zip(places, values, strict=True):
                name = names[place]
                made[name] = made.get(name, nulls(name, body.len())).scatter(part, value.set(value == "", None))
        return made

    def _parts(self, body: pl.Series, rows: pl.Series) -> list[tuple[pl.Series, Sequence[str]]]:
        """Return the rows of each layout, and its names."""
        if not self.layouts:
            return [(rows, self.columns)]
        mark = re.escape(self.separator)
        key = body.gather(rows).str.extract(f"^(?:[^{mark}]*{mark}){{{self.by}}}([^{mark}]*)")
        parts = [(rows.filter(key.is_in(kinds.split("|"))), names) for kinds, names in self.layouts.items()]
        known = [kind for kinds in self.layouts for kind in kinds.split("|")]
        parts.append((rows.filter(~key.is_in(known).fill_null(value=False)), self.columns))
        return [(part, names) for part, names in parts if part.len()]


def _values(body: pl.Series, separator: str, width: int, places: Sequence[int]) -> list[pl.Series]:
    """Return the values at these places, of so many at most; lines that aren't CSV are cut by a pattern."""
    odd = (body.str.count_matches('"', literal=True) % 2 == 1) | body.str.contains(UNCLEAN)
    read = _csv(body.set(odd, ""), separator, width, places)
    rows = pl.arange(body.len(), eager=True) if read is None else odd.arg_true()
    if rows.is_empty() and read is not None:
        return read
    cut = _cut(body.gather(rows), separator, places)
    return cut if read is None else [one.scatter(rows, other) for one, other in zip(read, cut, strict=True)]


def _csv(body: pl.Series, separator: str, width: int, places: Sequence[int]) -> list[pl.Series] | None:
    """Read values as Polars reads CSV; None where lines aren't."""
    names = [f"column_{number}" for number in range(1, width + 1)]
    # the first line tells Polars how many there are; no line is empty, or it would be skipped
    first = separator * (width - 1) + "\n"
    text: bytes = first.encode() + (body + separator).str.join("\n").cast(pl.Binary).item()
    columns = [names[place] for place in places]
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            separator=separator,
            schema=dict.fromkeys(names, pl.String),
            columns=columns or names[:1],
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:
        return None
    return [frame[name][1:] for name in columns] if frame.height == body.len() + 1 else None


def _cut(body: pl.Series, separator: str, places: Sequence[int]) -> list[pl.Series]:
    mark = re.escape(separator)
    cells = (separator + body).str.extract_all(rf'{mark}(?:\s*"(?:[^"]|"")*"[^{mark}]*|[^{mark}]*)')
    values = [cells.list.get(place, null_on_oob=True).str.replace(f"^{mark}", "") for place in places]
    return [value.str.replace(r'(?s)^\s*"(.*)"\s*$', "$1").str.replace_all('""', '"', literal=True) for value in values]
