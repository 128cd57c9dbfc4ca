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

from connectors.formats import header, named_pairs, pairs
from connectors.formats.json_lines import ERROR

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
        height = original.len()
        line = original.alias("line").to_frame().with_columns(body=self._body()).with_row_index("row")
        keys = None if wanted is None else frozenset(name for name in wanted if not name.startswith(HEADER))
        made = self._made(line, keys)
        if wanted is None or len(keys or ()) < len(wanted):
            made |= {f"{HEADER}{part.name}": part for part in header.split(self._head(line))}
        good = line.select((pl.col("body").str.contains(self._pair()) | self.sparse).fill_null(value=False))["body"]
        error = pl.select(pl.when(~good).then(pl.lit("no pairs of keys and values"))).to_series()
        columns = [column.set(~good, None) for column in pairs.selected(made, wanted, height)]
        return pl.DataFrame([*columns, error.alias(ERROR)])

    def _made(self, line: pl.DataFrame, keys: frozenset[str] | None) -> dict[str, pl.Series]:
        """Return a column per key: by search for it, where there are few and no line makes that unsure."""
        usual = (self.equals, self.quotes, self.separator, self.blanks) == ("=", '"', "", False)
        if keys is None or not usual or len(keys) > named_pairs.MOST:
            return pairs.columns(self._pairs(line, keys), line.height)
        body = line.select(pl.col("body").str.replace(named_pairs.PRIORITY, ""))["body"]
        odd = named_pairs.odd(body)
        made = named_pairs.values(body if not odd.any() else body.set(odd, None), sorted(keys))
        if odd.any():
            for name, column in pairs.columns(self._pairs(line.filter(odd), keys), line.height).items():
                rows = odd & column.is_not_null()
                made[name] = made[name].zip_with(~rows, column)
        return made

    def _body(self) -> pl.Expr:
        if not self.start:
            return pl.col("line")
        body = pl.col("line").str.extract(f"(?s)({self.start}.*)$")
        return body if self.sparse else pl.coalesce(body, "line")

    def _head(self, line: pl.DataFrame) -> pl.Series:
        start = self.start or f"(?:^|[\\s\\[]){self._pair()}"
        head = line["line"].str.extract(f"(?s)^(.*?){start}").alias("head")
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
