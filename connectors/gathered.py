"""Small files put together, so that a folder of them costs what one large file does: each batch has its own price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import polars as pl

from connectors.content import LIMITS, Limits
from connectors.definition import Definition
from connectors.formats.ndjson import Ndjson
from connectors.formats.windows import Windows
from connectors.lines import ended
from detectors.contracts import Batch

Together = Callable[[Batch, Batch], bool]


def gathered(batches: Iterable[Batch], together: Together, limits: Limits = LIMITS) -> Iterator[Batch]:
    """Yield batches, neighbours joined where they may be and as long as they stay small; records keep their order.

    Joined records bring their origins along (PLACE).
    """
    held: list[Batch] = []
    size = records = 0
    for batch in batches:
        fresh = len(batch.text) if batch.text is not None else limits.batch
        full = size + fresh > limits.batch or records + batch.records.height > limits.records
        if held and (full or not together(held[0], batch)):
            yield _joined(held)
            held, size, records = [], 0, 0
        held.append(batch)
        size += fresh
        records += batch.records.height
    if held:
        yield _joined(held)


def together(definitions: Mapping[str, Definition]) -> Together:
    """Return what says whether two batches may be joined: their lines must mean the same whatever stands before them.

    So they do in JSON, but not where a heading names the columns or a record may go on in the next line; and the day on
    which a file was written may tell the year of times in JSON too, if not of those of Windows.
    """
    readers = {name: one.reader for name, one in definitions.items() if one.multiline is None}
    json = {name for name, reader in readers.items() if isinstance(reader, Ndjson | Windows)}
    whole = yearly(definitions)

    def may(one: Batch, other: Batch) -> bool:
        same = one.source == other.source and (one.received == other.received or one.source in whole)
        return same and one.source in json and one.text is not None and other.text is not None

    return may


def yearly(definitions: Mapping[str, Definition]) -> frozenset[str]:
    """Name the sources whose times always have their year, whatever the day on which a file was written."""
    return frozenset(name for name, one in definitions.items() if isinstance(one.reader, Windows))


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    records = pl.concat(batch.placed(batch.records) for batch in batches)
    parts = [part for batch in batches if (text := batch.text) for part in (text, b"\n"[ended(text) :])]
    return replace(batches[0], records=records.rechunk(), text=memoryview(b"".join(parts)))
