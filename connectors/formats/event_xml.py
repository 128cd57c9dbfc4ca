r"""Events of Windows' log and of Sysmon for Linux as XML, one a line, alone or after a syslog header.

    <14>Mar  5 14:22:31 web1 sysmon: <Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID>…</System>
    <EventData><Data Name="Image">/usr/bin/curl</Data>…</EventData></Event>

Own columns: of `System` those that every Windows event has, the rest under the names that `Data` elements have. No XML
parser sees the lines: elements are found by their text, so entities that a line declares mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

import polars as pl

from connectors.formats import pairs
from connectors.formats.frames import ERROR
from connectors.formats.json_lines import COLUMNS
from connectors.warm import WARMTH

SYSTEM: Final[Mapping[str, tuple[str, str]]] = {  # the element that has it, and the attribute if not the text
    "Provider_Name": ("Provider", "Name"),
    "EventID": ("EventID", ""),
    "Level": ("Level", ""),
    "Task": ("Task", ""),
    "Keywords": ("Keywords", ""),
    "TimeCreated": ("TimeCreated", "SystemTime"),
    "EventRecordID": ("EventRecordID", ""),
    "Execution_ProcessID": ("Execution", "ProcessID"),
    "Channel": ("Channel", ""),
    "Computer": ("Computer", ""),
    "Security_UserID": ("Security", "UserID"),
}
VALUE: Final = r">([^<]*)<"
NAMES: Final = r"<Data Name=[\"'][^\"']{1,100}[\"']>"
NAMED: Final = re.compile(r"[\w. -]{1,100}")
ENTITIES: Final = {
    "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'",
    "&#10;": "\n", "&#13;": "\r", "&#9;": "\t", "&#xA;": "\n", "&#xD;": "\r", "&#x9;": "\t",
}  # fmt: skip
Read = tuple[dict[str, pl.Series], pl.Series]


@dataclass(frozen=True, slots=True)
class EventXml:
    """Reads events written as XML."""

    name: ClassVar[str] = "event_xml"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`; `&amp;` and its like are characters again."""
        made, good = (_by_machine if WARMTH.worth(original.len()) else _by_patterns)(original, wanted)
        columns = pairs.selected(made, wanted, original.len())
        if not good.all():
            columns = [column.set(~good, None) for column in columns]
        error = pl.select(pl.when(~good).then(pl.lit("no event in XML, or not whole"))).to_series()
        return pl.DataFrame([*columns, error.alias(ERROR)])


def _by_machine(original: pl.Series, wanted: frozenset[str] | None) -> Read:
    """Return columns, and which lines hold a whole event."""
    from connectors.formats.cutting import tagged  # noqa: PLC0415 - machine code takes time to load

    system = {name: place for name, place in SYSTEM.items() if wanted is None or name in wanted}
    data = None if wanted is None else [name for name in wanted if name not in SYSTEM and NAMED.fullmatch(name)]
    found, escaped = tagged(original, dict(system.values()), data)
    read = {name: _unescaped(part) if name in escaped else part for name, part in found.columns.items()}
    made = {name: read.pop(f"<{element}") for name, (element, _) in system.items()}
    made |= {name: part for name, part in read.items() if name not in SYSTEM}
    good = found.good
    if found.odd.len():
        others, whole = _by_patterns(original.gather(found.odd), wanted)
        made = pairs.replaced(made, others, found.odd, original.len())
        good = good.scatter(found.odd, whole)
    return made, good


def _by_patterns(original: pl.Series, wanted: frozenset[str] | None) -> Read:
    names = [*SYSTEM, *_names(original)] if wanted is None else sorted(wanted)
    text = original.alias("text").to_frame()
    found = text.select(_value(name).alias(name) for name in names)
    whole = pl.col("text").str.contains("<Event[ >]") & pl.col("text").str.contains("</Event>", literal=True)
    good = text.select(whole.fill_null(value=False)).to_series()
    return {column.name: _unescaped(column) for column in found}, good


def _names(original: pl.Series) -> list[str]:
    found = original.str.extract_all(NAMES).explode().drop_nulls().unique(maintain_order=True)
    names = found.str.slice(12).str.head(-2)
    return [name for name in names.head(COLUMNS) if name not in SYSTEM and NAMED.fullmatch(name)]


def _value(name: str) -> pl.Expr:
    element, attribute = SYSTEM.get(name, ("", ""))
    if attribute:
        pattern = rf"<{element} [^>]*?\b{attribute}=[\"']([^\"']*)"
    elif element:
        pattern = rf"<{element}(?: [^>]*[^>/])?{VALUE}"
    elif NAMED.fullmatch(name):
        pattern = rf"<Data Name=[\"']{re.escape(name)}[\"']{VALUE}"
    else:
        return pl.lit(None, pl.String)
    return pl.col("text").str.extract(pattern)


def _unescaped(column: pl.Series) -> pl.Series:
    """Make characters of entities, in the few values that have any."""
    rows = column.str.contains("&", literal=True).fill_null(value=False).arg_true()
    if rows.is_empty():
        return column
    return column.scatter(rows, column.gather(rows).str.replace_many(ENTITIES))
