r"""ArcSight's Common Event Format, after a syslog header or none.

    CEF:0|Vendor|Product|1.0|100|Port scan|5|src=192.0.2.7 msg=a\=b and more cs1=x cs1Label=Rule

Own columns: the keys of the extension, `vendor`, `product`, `version`, `signature`, `name`, `severity`, and the parts
of the header with `syslog_` before them. A value ends before the next ` key=`; `\=`, `\\`, `\|` and `\n` are what they
stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import header, pairs
from connectors.formats.fitting import groups
from connectors.formats.frames import ERROR
from connectors.warm import WARMTH

FIELD: Final = r"(?:[^|\\]|\\.)*"
LINE: Final = (
    rf"(?s)^(?P<head>.*?)CEF: ?\d+\|(?P<vendor>{FIELD})\|(?P<product>{FIELD})\|(?P<version>{FIELD})\|"
    rf"(?P<signature>{FIELD})\|(?P<name>{FIELD})\|(?P<severity>{FIELD})(?:\|(?P<extension>.*))?$"
)
HEADER: Final = "syslog_"
FIELDS: Final = ("vendor", "product", "version", "signature", "name", "severity")
ESCAPED: Final = r"\\([=\\|])"
NEXT: Final = r"(^|\s+)([A-Za-z_][\w.\[\]-]*)="  # where a key stands; what is before is a value
MARK: Final = "\x1e"  # no line has it once pairs are cut


@dataclass(frozen=True, slots=True)
class Cef:
    """Reads header and extension."""

    name: ClassVar[str] = "cef"
    marks: ClassVar[tuple[str, ...]] = ("CEF:",)
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        headed = wanted is None or any(name.startswith(HEADER) for name in wanted)
        fields = [name for name in FIELDS if wanted is None or name in wanted]
        made, heads, good = _read(original, wanted, ["head", *fields] if headed else fields)
        made |= {name: _plain(heads[name], r"\\([|\\])") for name in fields}
        if headed:
            names = None if wanted is None else {name.removeprefix(HEADER) for name in wanted}
            made |= {f"{HEADER}{part.name}": part for part in header.split(heads["head"], names)}
        error = pl.select(pl.when(~good).then(pl.lit("not CEF"))).to_series()
        return pl.DataFrame([*pairs.selected(made, wanted, original.len()), error.alias(ERROR)])


def _read(
    original: pl.Series, wanted: frozenset[str] | None, parts: list[str]
) -> tuple[dict[str, pl.Series], pl.DataFrame, pl.Series]:
    """Return the keys' columns, these parts of headers, and which lines are CEF."""
    if not WARMTH.worth(original.len()):
        return _by_polars(original, wanted, parts)
    from connectors.formats.cutting import extended  # noqa: PLC0415 - Numba is slow to load

    keys = None if wanted is None else {name for name in wanted if name not in FIELDS and not name.startswith(HEADER)}
    found = extended(original, keys, parts)
    made, heads, good = found.cut.columns, found.heads, found.cut.good
    made |= {name: _plain(made[name], ESCAPED) for name in found.escaped}
    odd = found.cut.odd
    if odd.len():
        other, parts_of, told = _by_polars(original.gather(odd), wanted, parts)
        made = pairs.replaced(made, other, odd, original.len())
        heads = heads.with_columns(heads[part.name].scatter(odd, part) for part in parts_of)
        good = good.scatter(odd, told)
    return made, heads, good


def _by_polars(
    original: pl.Series, wanted: frozenset[str] | None, parts: list[str]
) -> tuple[dict[str, pl.Series], pl.DataFrame, pl.Series]:
    frame = groups(original, LINE)
    made = pairs.columns(_extension(frame["extension"], wanted), original.len())
    return made, frame.select(parts), frame["vendor"].is_not_null()


def _extension(text: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
    cut = text.str.replace_all(NEXT, f"{MARK}$2{MARK}").str.split(MARK).list.slice(1)
    places = pl.int_range(pl.len()).over("row")
    long = cut.alias("part").to_frame().with_row_index("row").explode("part").with_columns(place=places)
    key = long.filter(pl.col("place") % 2 == 0)
    value = long.filter(pl.col("place") % 2 == 1).select("row", value="part", place=pl.col("place") - 1)
    found = key.join(value, on=["row", "place"], maintain_order="left").select("row", key="part", value="value")
    if wanted is not None:
        found = found.filter(pl.col("key").is_in(wanted))
    return found.with_columns(_plain(found["value"].str.strip_chars(), ESCAPED)).drop_nulls()


def _plain(text: pl.Series, escaped: str) -> pl.Series:
    rows = text.str.contains("\\", literal=True).fill_null(value=False).arg_true()
    if rows.is_empty():
        return text
    plain = text.gather(rows).str.replace_all(r"\\[nr]", "\n").str.replace_all(escaped, "$1")
    return text.clone().scatter(rows, plain)
