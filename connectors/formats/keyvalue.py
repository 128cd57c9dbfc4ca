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
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from connectors.bytewise import Piece, part, piece, texts_at
from connectors.formats import header, pairs
from connectors.formats.fitting import groups
from connectors.formats.frames import ERROR
from connectors.formats.signs import Signs
from connectors.native import Spans
from connectors.patterns import fit
from connectors.warm import WARMTH

HEADER: Final = "syslog_"
KEY: Final = r"[A-Za-z_][\w.\-/\[\]]*"
BLANKS: Final = r"[A-Za-z_](?:[\w.\-/\[\] ()]*[\w)])?"


NONE: Final = -1  # the size of what isn't there
Names = Collection[str] | None  # of columns: None for all
Read = tuple[dict[str, pl.Series], pl.Series]


class Where(NamedTuple):
    """Where in each text the pairs stand, how much stands before them, and which texts are for patterns."""

    begins: Spans
    sizes: Spans
    heads: Spans
    odd: npt.NDArray[np.bool_]


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
        keys = None if wanted is None else frozenset(name for name in wanted if not name.startswith(HEADER))
        parts = None if wanted is None else {name.removeprefix(HEADER) for name in wanted if name not in (keys or ())}
        quick = self._quickly(original, keys, parts) if WARMTH.worth(original.len()) else None
        made, good = quick or self._slowly(original, keys, parts)
        if self.sparse:
            good = pl.repeat(value=True, n=original.len(), eager=True)
        error = pl.select(pl.when(~good).then(pl.lit("no pairs of keys and values"))).to_series()
        columns = pairs.selected(made, wanted, original.len())
        return pl.DataFrame([*(columns if good.all() else _without(columns, ~good)), error.alias(ERROR)])

    def _quickly(self, original: pl.Series, keys: Names, parts: Names) -> Read | None:
        """Return a column per key and per part of headers, and which lines have pairs; None where it's for patterns."""
        from connectors.formats.cutting import cut  # noqa: PLC0415 - few lines do without

        texts = piece(original)
        where = self._where(texts, headed=parts != set())
        if where is None:
            return None
        found = cut(
            part(texts, where.begins, where.sizes), Signs(self.equals, self.quotes, self.separator, self.blanks), keys
        )
        made, good = found.columns, found.good
        if parts is None or parts:
            made |= _headers(texts, where.heads, parts)
        odd = pl.Series(np.flatnonzero(where.odd | np.isin(np.arange(original.len()), found.odd.to_numpy())))
        if odd.len():
            others, right = self._slowly(original.gather(odd), keys, parts)
            made, good = pairs.replaced(made, others, odd, original.len()), good.scatter(odd, right)
        return made, good

    def _where(self, texts: Piece, *, headed: bool) -> Where | None:
        """Return where pairs stand in each text, and how much of it stands before them."""
        sizes = np.maximum(texts.ends - texts.starts, NONE).astype(np.int32)
        begins, heads = np.zeros_like(sizes), sizes
        odd = np.zeros(sizes.size, np.bool_)
        if self.start:
            found = fit.place(texts, f"(?s)(?P<body>{self.start}.*)$", "body")
            if found is None:
                return None
            there, odd = found.sizes >= 0, found.odd
            heads = np.where(there, found.begins, sizes if self.sparse else np.minimum(sizes, 0))
            begins = np.where(there, found.begins, begins)
            sizes = np.where(there, found.sizes, NONE if self.sparse else sizes)
        elif headed:
            found = fit.place(texts, self._before(), "head")
            if found is None:
                return None
            odd, heads = found.odd, np.where(found.sizes < 0, sizes, found.sizes) if self.sparse else found.sizes
        return Where(begins, sizes.astype(np.int32), heads.astype(np.int32), odd)

    def _before(self) -> str:
        return f"(?s)^(?P<head>.*?)(?:^|[\\s\\[]){self._pair()}"

    def _slowly(self, original: pl.Series, keys: Names, parts: Names) -> Read:
        """Return the same, by patterns."""
        line = original.alias("line").to_frame().with_columns(self._body(original)).with_row_index("row")
        made = pairs.columns(self._pairs(line, keys), line.height)
        if parts is None or parts:
            made |= {f"{HEADER}{part.name}": part for part in header.split(self._head(line), parts)}
        return made, line.select(pl.col("body").str.contains(self._pair()).fill_null(value=False))["body"]

    def _body(self, line: pl.Series) -> pl.Series:
        if not self.start:
            return line.alias("body")
        body = groups(line, f"(?s)(?P<body>{self.start}.*)$")["body"]
        return body if self.sparse or not body.null_count() else body.zip_with(body.is_not_null(), line)

    def _head(self, line: pl.DataFrame) -> pl.Series:
        if self.start:  # the body is all that is left of the line
            head = line.select(pl.col("line").str.strip_suffix(pl.col("body"))).to_series()
        else:
            head = groups(line["line"], self._before())["head"]
        return head if not self.sparse else pl.select(pl.coalesce(head, line["line"])).to_series()

    def _pair(self) -> str:
        return f"{self._key()}[{re.escape(self.equals)}]"

    def _key(self) -> str:
        return BLANKS if self.blanks else KEY

    def _pairs(self, line: pl.DataFrame, keys: Names) -> pl.DataFrame:
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


def _headers(texts: Piece, heads: Spans, parts: Names) -> dict[str, pl.Series]:
    """Return the parts of what stands before pairs."""
    begins = np.zeros_like(heads)
    head = texts_at(texts, ["head"], begins[None], heads[None])["head"]
    return {f"{HEADER}{one.name}": one for one in header.split(head, parts, part(texts, begins, heads))}


def _without(columns: list[pl.Series], failed: pl.Series) -> list[pl.Series]:
    return [column.set(failed, None) for column in columns]
