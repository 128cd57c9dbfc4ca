"""Frames on their way to Elasticsearch: nested documents, their index, and bulk requests of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import orjson
import polars as pl

from connectors.nested import nest

# Elasticsearch advises 5 to 15 MB per request; the smaller, the less is sent twice.
MAX_REQUEST = 5 * 1024 * 1024
MAX_ITEMS = 2_000

# Larger documents Elasticsearch would refuse together with the whole request (http.max_content_length, 100 MB).
MAX_DOCUMENT = 20 * 1024 * 1024

# Event times are what logs claim. Months outside these years share one index, or a forger of times could make more
# indices than a cluster may hold.
YEARS = range(2010, 2040)
UNDATED = "1970.01.01"


class Sized(Protocol):
    """What knows how many bytes it takes."""

    @property
    def size(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


@dataclass(frozen=True, slots=True)
class Document:
    """One document with the name and the index it has for ever."""

    index: str
    id: str
    source: bytes

    @property
    def size(self) -> int:
        """The bytes it takes in a bulk request, action line included."""
        return len(self.source) + len(self.index) + len(self.id) + 50


def documents(
    frame: pl.DataFrame, *, alias: str, id_column: str, month: Sequence[str], added: Mapping[str, object]
) -> Iterator[Document]:
    """Turn rows into documents; the first column of `month` that has a time says which monthly index."""
    when = frame.select(pl.coalesce(month)).to_series().to_list()
    for row, time in zip(frame.iter_rows(named=True), when, strict=True):
        yield Document(f"{alias}-{month_of(time)}", row[id_column], orjson.dumps(nest({**row, **added})))


def month_of(time: datetime | None) -> str:
    """Return the month as the first of it, 2026.01.01; a missing or impossible time has a month of its own."""
    if time is None or time.year not in YEARS:
        return UNDATED
    return f"{time:%Y.%m}.01"


def requests(found: Iterable[Document]) -> Iterator[list[Document]]:
    """Cut documents into requests of bounded size and number."""
    return loads(found, MAX_REQUEST, MAX_ITEMS)


def loads(found: Iterable[Item], most: int, count: int | None = None) -> Iterator[list[Item]]:
    """Yield so many bytes of items at once, and so many items; one that is larger goes alone."""
    held: list[Item] = []
    size = 0
    for item in found:
        if held and (size + item.size > most or len(held) == count):
            yield held
            held, size = [], 0
        held.append(item)
        size += item.size
    if held:
        yield held
