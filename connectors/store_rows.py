"""Frames to the rows of the embedded store, and back."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO

import orjson
import polars as pl

from detectors.schema import FINDING, TIME

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# What a finding may be asked by: the columns that name hosts, users and addresses.
ENTITIES = {
    "host": ("host.name", "related.hosts"),
    "user": ("user.name", "related.user"),
    "ip": ("source.ip", "destination.ip", "related.ip"),
}

Row = tuple[str | int | None, ...]


def micros(time: datetime | None) -> int | None:
    """Return a time as microseconds since 1970."""
    return None if time is None else (time - EPOCH) // timedelta(microseconds=1)


def documents(frame: pl.DataFrame) -> list[str]:
    """Return each row as one line of JSON; times are ISO 8601 in UTC."""
    return frame.write_ndjson().split("\n")[: frame.height]


def instants(frame: pl.DataFrame, column: str) -> list[int | None]:
    """Return a time column as microseconds: Python's own datetime ends at the year 9999, logs don't."""
    values: list[int | None] = frame[column].cast(TIME).cast(pl.Int64).to_list()
    return values


def entities(frame: pl.DataFrame) -> list[Row]:
    """Return (finding, kind, value) for every host, user and address a finding names, each once."""
    found: dict[Row, None] = {}
    for kind, columns in ENTITIES.items():
        for finding, *lists in zip(*(frame[column].to_list() for column in ("event.id", *columns)), strict=True):
            found |= dict.fromkeys((finding, kind, value) for values in lists for value in values or () if value)
    return list(found)


def organisations(frame: pl.DataFrame) -> list[str | None]:
    """Return whose each finding is: the first that it names, else what its first event says."""
    said = zip(frame["organization.id"].list.first().to_list(), frame["soc.evidence"].to_list(), strict=True)
    return [_said(shown) if one is None and shown else one for one, shown in said]


def _said(evidence: str) -> str | None:
    """Return the organisation of the first event of evidence; what isn't of its form says none."""
    if '"organization.id"' not in evidence:
        return None
    with suppress(orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        named = orjson.loads(evidence)[0]["fields"].get("organization.id")
        return named if isinstance(named, str) else None
    return None


def named(frame: pl.DataFrame, column: str) -> tuple[pl.DataFrame, tuple[tuple[str, str], ...]]:
    """Split off the rows without an id: they can't be kept apart, so they are refused by name."""
    if not frame[column].has_nulls():
        return frame, ()
    nameless = frame.filter(pl.col(column).is_null())
    refused = tuple((f"row of rule {rule}", f"it has no {column}") for rule in nameless["rule.id"])
    return frame.filter(pl.col(column).is_not_null()), refused


def stored(texts: list[str], columns: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the findings (FINDING, or some columns of it) that were kept as these documents."""
    wanted = pl.Schema({name: FINDING[name] for name in columns or FINDING})
    times = [name for name, kind in wanted.items() if kind == TIME]
    if not texts:
        return wanted.to_frame()
    schema = pl.Schema({name: pl.String if name in times else kind for name, kind in wanted.items()})
    frame = pl.read_ndjson(BytesIO("\n".join(texts).encode()), schema=schema)
    return frame.with_columns(pl.col(times).str.to_datetime("%+", time_unit="us", time_zone="UTC"))
