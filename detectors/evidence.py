"""What findings show of their events: whom these name, and the first of them whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from detectors.schema import PLACE, RECORD

EVIDENCE = 5  # events shown whole in a finding; the others are matches under its id
ORIGINAL = 16_384  # characters of a raw record shown in evidence
LISTED = 50  # distinct hosts, users, addresses … named in a finding; `soc.capped` tells where there are more

Record = Mapping[str, Any]

ENTITIES = (
    "organization.id",
    "organization.name",
    "host.name",
    "user.name",
    "source.ip",
    "destination.ip",
    "process.executable",
    "process.command_line",
    "url.original",
    "file.path",
)


def entity_columns(events: pl.DataFrame) -> list[pl.Series]:
    """Return the entity fields of events as texts, null where they have none."""
    absent = pl.Series([None], dtype=pl.String).new_from_index(0, events.height)
    return [events[name].cast(pl.String) if name in events.columns else absent.alias(name) for name in ENTITIES]


def listed(name: str) -> pl.Expr:
    """Return for a group the distinct values of a column as they come, one more at most than are named.

    Polars' `unique` within groups takes equal texts of different buffers for different ones (seen with 2.1.0).
    """
    column = pl.col(name)
    return column.filter(column.is_first_distinct() & column.is_not_null()).head(LISTED + 1)


def evidence(records: Sequence[Record], ids: Sequence[str]) -> str:
    """Return the first events of a finding as JSON: what an analyst reads before believing the title."""
    shown = ({"event.id": name, **record} for name, record in zip(ids, records, strict=True))
    return orjson.dumps([*shown], default=str).decode()


def seen(records: Sequence[Record], name: str) -> list[Any]:
    """Return what events have in a field."""
    return [value for record in records if (value := record["fields"].get(name)) is not None]


def documents(whole: pl.DataFrame) -> list[Record]:
    """Return each event with its time, its record, cut, and the fields that have a value, by their names."""
    fields: list[dict[str, Any]] = [{} for _ in range(whole.height)]
    for name in sorted(frozenset(whole.columns) - RECORD.keys() - PLACE.keys()):
        for record, value in zip(fields, whole[name].to_list(), strict=True):
            if value is not None:
                record[name] = value
    plain = zip(whole["@timestamp"].to_list(), whole["event.original"].to_list(), fields, strict=True)
    return [{"@timestamp": time, "event.original": _cut(text), "fields": record} for time, text, record in plain]


def _cut(original: str) -> str:
    return original if len(original) <= ORIGINAL else f"{original[:ORIGINAL]} … ({len(original)} characters)"
