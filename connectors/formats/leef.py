r"""IBM QRadar's Log Event Extended Format 1.0 and 2.0, after a syslog header or none.

    LEEF:1.0|Vendor|Product|1.0|4711|src=192.0.2.7<tab>usrName=lan<tab>sev=5
    LEEF:2.0|Vendor|Product|1.0|4711|^|src=192.0.2.7^usrName=lan

Own columns: the keys of the attributes, `vendor`, `product`, `version`, `event_id`, and the parts of the header with
`syslog_` before them. The delimiter is a tab, or what version 2 names (a character, or its code as `x09` or `0x09`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import header, pairs
from connectors.formats.fitting import groups
from connectors.formats.frames import ERROR

LINE: Final = (
    r"(?s)^(?P<head>.*?)LEEF: ?(?P<leef>[12](?:\.0)?)\|(?P<vendor>[^|]*)\|(?P<product>[^|]*)\|(?P<version>[^|]*)\|"
    r"(?P<event_id>[^|]*)\|(?:(?P<delimiter>[^|=\s]|(?:0?x)[0-9A-Fa-f]{1,4}|)\|)?(?P<attributes>.*)$"
)
FIELDS: Final = ("vendor", "product", "version", "event_id")
CODE: Final = re.compile(r"0?x([0-9A-Fa-f]{1,4})")
MANY: Final = 20  # delimiters of one batch; more are an attack


@dataclass(frozen=True, slots=True)
class Leef:
    """Reads header and attributes."""

    name: ClassVar[str] = "leef"
    marks: ClassVar[tuple[str, ...]] = ("LEEF:",)
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`."""
        frame = groups(original, LINE).with_row_index("row")
        made = pairs.columns(_attributes(frame, wanted), original.len()) | {name: frame[name] for name in FIELDS}
        if wanted is None or any(name.startswith("syslog_") for name in wanted):
            names = None if wanted is None else {name.removeprefix("syslog_") for name in wanted}
            made |= {f"syslog_{part.name}": part for part in header.split(frame["head"], names)}
        error = pl.select(pl.when(frame["vendor"].is_null()).then(pl.lit("not LEEF"))).to_series()
        return pl.DataFrame([*pairs.selected(made, wanted, original.len()), error.alias(ERROR)])


def _attributes(frame: pl.DataFrame, wanted: frozenset[str] | None) -> pl.DataFrame:
    parts = [
        part.select("row", pl.col("attributes").str.split(_delimiter(str(mark or ""))).alias("pair"))
        for (mark,), part in list(frame.group_by("delimiter", maintain_order=True))[:MANY]
    ]
    if not parts:
        return pl.DataFrame(schema={"row": pl.UInt32, "key": pl.String, "value": pl.String})
    found = (
        pl.concat(parts)
        .explode("pair")
        .with_columns(pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"]))
    )
    found = found.unnest("pair").with_columns(pl.col("key", "value").str.strip_chars()).drop_nulls()
    return found if wanted is None else found.filter(pl.col("key").is_in(wanted))


def _delimiter(text: str) -> str:
    code = CODE.fullmatch(text)
    return chr(int(code[1], 16)) if code and int(code[1], 16) else text or "\t"
