r"""Lines of `key=value` pairs, as firewalls and gateways write them, after a syslog header or none.

    <189>date=2026-03-02 time=08:15:00 devname="FG-01" srcip=192.0.2.7 msg="File is \"infected\""      FortiGate
    <134>1 2026-03-02T01:15:00Z gw CheckPoint 2700 - [action:"Accept"; src:"192.0.2.7"]                 Check Point
    id=firewall sn=0000 time="2026-03-02 08:15:00" src=192.0.2.7:4522:X0                                SonicWall

Own columns: the keys as they are named, and the parts of the header with `syslog_` before them. Options: `equals`, any
of which stands between a key and its value, `quotes` around values that hold blanks (escaped by a backslash),
`separator` after pairs whose values hold blanks without quotes, `start`, a pattern that begins where the pairs do,
`sparse` where lines without pairs are lines of the format too, `blanks` where keys hold blanks (`Device IP Address=…`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import header, pairs
from connectors.formats.fitting import groups
from connectors.formats.frames import ERROR, nulls
from connectors.formats.signs import Signs
from connectors.warm import WARMTH

HEADER: Final = "syslog_"
KEY: Final = r"[A-Za-z_][\w.\-/\[\]]*"
BLANKS: Final = r"[A-Za-z_](?:[\w.\-/\[\] ()]*[\w)])?"


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Reads pairs wherever they stand in a line."""

    equals: str = "="
    quotes: str = '"'
    separator: str = ""
    start: str = ""
    sparse: bool = False
    blanks: bool = False
    name: ClassVar[str] = "keyvalue"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        line = original.alias("line").to_frame().with_columns(self._body(original)).with_row_index("row")
        keys = None if wanted is None else frozenset(name for name in wanted if not name.startswith(HEADER))
        made, good = self._made(line, keys)
        if wanted is None or len(keys or ()) < len(wanted):
            parts = None if wanted is None else {name.removeprefix(HEADER) for name in wanted}
            made |= {f"{HEADER}{part.name}": part for part in header.split(self._head(line), parts)}
        if self.sparse:
            good = pl.repeat(value=True, n=line.height, eager=True)
        error = pl.select(pl.when(~good).then(pl.lit("no pairs of keys and values"))).to_series()
        columns = pairs.selected(made, wanted, original.len())
        return pl.DataFrame([*(columns if good.all() else _without(columns, ~good)), error.alias(ERROR)])

    def _made(self, line: pl.DataFrame, keys: frozenset[str] | None) -> tuple[dict[str, pl.Series], pl.Series]:
        """Return a column per key, and which lines have pairs."""
        if not WARMTH.worth(line.height):
            good = line.select(pl.col("body").str.contains(self._pair()).fill_null(value=False))["body"]
            return pairs.columns(self._pairs(line, keys), line.height), good
        from connectors.formats.cutting import cut  # noqa: PLC0415 - few lines do without

        found = cut(line["body"], Signs(self.equals, self.quotes, self.separator, self.blanks), keys)
        made, good = found.columns, found.good
        if found.odd.len():
            odd = line[found.odd]
            good = good.scatter(found.odd, odd["body"].str.contains(self._pair()))
            for name, column in pairs.columns(self._pairs(odd, keys), line.height).items():
                rows = column.is_not_null().arg_true()
                own = made.get(name, nulls(name, line.height))
                made[name] = own.scatter(rows, column.gather(rows))
        return made, good

    def _body(self, line: pl.Series) -> pl.Series:
        if not self.start:
            return line.alias("body")
        body = groups(line, f"(?s)(?P<body>{self.start}.*)$")["body"]
        return body if self.sparse or not body.null_count() else body.zip_with(body.is_not_null(), line)

    def _head(self, line: pl.DataFrame) -> pl.Series:
        if self.start:  # the body is all that is left of the line
            head = line.select(pl.col("line").str.strip_suffix(pl.col("body"))).to_series()
        else:
            head = groups(line["line"], f"(?s)^(?P<head>.*?)(?:^|[\\s\\[]){self._pair()}")["head"]
        return head if not self.sparse else pl.select(pl.coalesce(head, line["line"])).to_series()

    def _pair(self) -> str:
        return f"{self._key()}[{re.escape(self.equals)}]"

    def _key(self) -> str:
        return BLANKS if self.blanks else KEY

    def _pairs(self, line: pl.DataFrame, keys: frozenset[str] | None) -> pl.DataFrame:
        equals = f"[{re.escape(self.equals)}]"
        quoted = "|".join(f"{quote}(?:[^{quote}\\\\]|\\\\.)*{quote}" for quote in map(re.escape, self.quotes))
        plain = f"[^{re.escape(self.separator)}]*" if self.separator else rf"[^\s{re.escape(self.quotes)}]\S*|"
        pattern = f"{self._pair()}(?:{quoted}|{plain})" if quoted else f"{self._pair()}(?:{plain})"
        found = line.select("row", pl.col("body").str.extract_all(pattern).alias("pair")).explode("pair").drop_nulls()
        parts = found.select("row", self._cut(equals).alias("pair")).unnest("pair")
        if keys is not None:
            parts = parts.filter(pl.col("key").is_in(keys))
        return parts.with_columns(self._unquoted(pl.col("value").str.strip_chars(" \t\r\n")))

    def _cut(self, equals: str) -> pl.Expr:
        """Cut a pair into its key and its value."""
        if len(self.equals) == 1:
            return pl.col("pair").str.splitn(self.equals, 2).struct.rename_fields(["key", "value"])
        return pl.col("pair").str.extract_groups(f"(?s)^(?P<key>.*?){equals}(?P<value>.*)$")

    def _unquoted(self, value: pl.Expr) -> pl.Expr:
        for quote in self.quotes:
            inner = value.str.slice(1, value.str.len_chars() - 2)
            inner = (
                pl.when(inner.str.contains("\\", literal=True))
                .then(inner.str.replace_all(r"\\(.)", "$1"))
                .otherwise(inner)
            )
            whole = value.str.starts_with(quote) & value.str.ends_with(quote) & (value.str.len_bytes() > 1)
            value = pl.when(whole).then(inner).otherwise(value)
        return value.alias("value")


def _without(columns: list[pl.Series], failed: pl.Series) -> list[pl.Series]:
    return [column.set(failed, None) for column in columns]
