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

from connectors.formats.frames import ERROR
from connectors.formats.json_lines import COLUMNS

VALUE: Final = r">([^<]*)<"
SYSTEM: Final[Mapping[str, str]] = {
    "Provider_Name": r"<Provider [^>]*?\bName=[\"']([^\"']*)",
    "EventID": r"<EventID(?: [^>]*)?" + VALUE,
    "Level": "<Level" + VALUE,
    "Task": "<Task" + VALUE,
    "Keywords": "<Keywords" + VALUE,
    "TimeCreated": r"<TimeCreated [^>]*?\bSystemTime=[\"']([^\"']*)",
    "EventRecordID": "<EventRecordID" + VALUE,
    "Execution_ProcessID": r"<Execution [^>]*?\bProcessID=[\"']([^\"']*)",
    "Channel": "<Channel" + VALUE,
    "Computer": "<Computer" + VALUE,
    "Security_UserID": r"<Security [^>]*?\bUserID=[\"']([^\"']*)",
}
NAMES: Final = r"<Data Name=[\"'][^\"']{1,100}[\"']>"
NAMED: Final = re.compile(r"^[\w. -]{1,100}$")
ENTITIES: Final = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&#10;": "\n", "&#13;": "\r", "&#9;": "\t"}


@dataclass(frozen=True, slots=True)
class EventXml:
    """Reads events written as XML."""

    name: ClassVar[str] = "event_xml"
    structured: ClassVar[bool] = False

    def parse(self, original: pl.Series, wanted: frozenset[str] | None) -> pl.DataFrame:
        """Return the wanted columns and `error.message`; `&amp;` and its like are characters again."""
        names = [*SYSTEM, *_names(original)] if wanted is None else sorted(wanted)
        text = pl.col("text")
        whole = text.str.contains("<Event[ >]") & text.str.contains("</Event>", literal=True)
        found = (
            original.alias("text")
            .to_frame()
            .select(
                *(_value(name).alias(name) for name in names),
                pl.when(~whole).then(pl.lit("no event in XML, or not whole")).alias(ERROR),
            )
        )
        return found.with_columns(_unescaped(found[name]) for name in names)


def _names(original: pl.Series) -> list[str]:
    found = original.str.extract_all(NAMES).explode().drop_nulls().unique(maintain_order=True)
    names = found.str.slice(12).str.head(-2)
    return [name for name in names.head(COLUMNS) if name not in SYSTEM and NAMED.match(name)]


def _value(name: str) -> pl.Expr:
    if name in SYSTEM:
        pattern = SYSTEM[name]
    elif NAMED.match(name):
        pattern = rf"<Data Name=[\"']{re.escape(name)}[\"']" + VALUE
    else:
        return pl.lit(None, pl.String)
    return pl.col("text").str.extract(pattern)


def _unescaped(column: pl.Series) -> pl.Series:
    """Make characters of entities, in the few values that have any."""
    rows = column.str.contains("&", literal=True).fill_null(value=False).arg_true()
    if rows.is_empty():
        return column
    text = column.gather(rows)
    for entity, character in ENTITIES.items():
        text = text.str.replace_all(entity, character, literal=True)
    return column.scatter(rows, text.str.replace_all("&amp;", "&", literal=True))
