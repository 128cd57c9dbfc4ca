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

from connectors.formats import header
from connectors.formats.frames import nulls, placed
from connectors.formats.json_lines import ERROR

HEADER: Final = "syslog_"


@dataclass(frozen=True, slots=True)
class Delimited:
    """Reads values by their place."""

    columns: Sequence[str] = ()
    layouts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    by: int = 0
    separator: str = ","
    start: str = "^(.*)$"
    least: int = 2
    name: ClassVar[str] = "delimited"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        height = original.len()
        body = original.str.extract(f"(?s){self.start}")
        values = self._values(body)
        frame = pl.DataFrame([values.alias("values")]).with_row_index("row")
        good = frame.select(pl.col("values").list.len() >= self.least).to_series().fill_null(value=False)
        made = self._placed(frame.filter(good), wanted, height)
        if wanted is None or any(name.startswith(HEADER) for name in wanted):
            head = original.to_frame("line").select(pl.col("line").str.strip_suffix(body)).to_series().set(~good, None)
            made |= {f"{HEADER}{part.name}": part for part in header.split(head)}
        names = list(made) if wanted is None else sorted(wanted)
        columns = [made[name].alias(name) if name in made else nulls(name, height) for name in names]
        error = pl.select(pl.when(~good).then(pl.lit("no line of values"))).to_series()
        return pl.DataFrame([*columns, error.alias(ERROR)])

    def _values(self, body: pl.Series) -> pl.Series:
        """Cut the values; only lines with quotes are read value by value."""
        values = body.str.split(self.separator)
        rows = body.str.contains('"', literal=True).fill_null(value=False).arg_true()
        if rows.is_empty():
            return values
        mark = re.escape(self.separator)
        cells = body.gather(rows).str.extract_all(rf'(?:^|{mark})(?:\s*"(?:[^"]|"")*"[^{mark}]*|[^{mark}]*)')
        cell = pl.element().str.replace(f"^{mark}", "").str.replace(r'(?s)^\s*"(.*)"\s*$', "$1")
        cut = pl.col("v").list.eval(cell.str.replace_all('""', '"', literal=True))
        return _scattered(values, rows, cells.to_frame("v").select(cut).to_series())

    def _placed(self, frame: pl.DataFrame, wanted: frozenset[str] | None, height: int) -> dict[str, pl.Series]:
        made: dict[str, pl.Series] = {}
        for rows, names in self._parts(frame):
            for place, name in enumerate(names):
                if name and name != "_" and (wanted is None or name in wanted):
                    value = rows["values"].list.get(place, null_on_oob=True)
                    column = made.get(name, nulls(name, height))
                    made[name] = column.scatter(rows["row"], value.set(value == "", None))
        return made

    def _parts(self, frame: pl.DataFrame) -> list[tuple[pl.DataFrame, Sequence[str]]]:
        if not self.layouts:
            return [(frame, self.columns)]
        key = frame["values"].list.get(self.by, null_on_oob=True)
        parts = [(frame.filter(key.is_in(kinds.split("|"))), names) for kinds, names in self.layouts.items()]
        known = [kind for kinds in self.layouts for kind in kinds.split("|")]
        others = frame.filter(~key.is_in(known).fill_null(value=False))
        return [*((part, names) for part, names in parts if part.height), (others, self.columns)]


def _scattered(values: pl.Series, rows: pl.Series, others: pl.Series) -> pl.Series:
    spread = placed(others, rows, values.len())
    return pl.select(pl.coalesce(spread, values)).to_series()
