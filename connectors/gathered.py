"""Small files put together, so that a folder of them costs what one large file does: each batch has its own price."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import polars as pl

from connectors.content import LIMITS, Limits
from connectors.definition import Definition
from connectors.formats.ndjson import Ndjson
from connectors.formats.windows import Windows
from connectors.growing import Growing
from connectors.lines import ended
from detectors.contracts import Batch

Together = Callable[[Batch, Batch], bool]


def gathered(batches: Iterable[Batch], together: Together, limits: Limits = LIMITS) -> Iterator[Batch]:
    """Yield batches, neighbours joined where they may be and as long as they stay small; records keep their order.

    Joined records bring their origins along (PLACE). The first batches are smaller than those that follow.
    """
    growing = Growing(limits.batch)
    held: list[Batch] = []
    size = records = 0
    for batch in batches:
        fresh = len(batch.text) if batch.text is not None else limits.batch
        full = size + fresh > growing.size or records + batch.records.height > limits.records
        if held and (full or not together(held[0], batch)):
            yield _joined(held)
            held, size, records = [], 0, 0
        held.append(batch)
        size += fresh
        records += batch.records.height
        if growing.full(size):
            yield _joined(held)
            held, size, records = [], 0, 0
            growing.grow()
    if held:
        yield _joined(held)


def together(definitions: Mapping[str, Definition]) -> Together:
    """Return what says whether two batches may be joined: their lines must mean the same whatever stands before them.

    So they do in JSON, but not where a heading names the columns or a record may go on in the next line; and the day on
    which a file was written may tell the year of times in JSON too, if not of those of Windows.
    """
    whole = yearly(definitions)

    def may(one: Batch, other: Batch) -> bool:
        if one.source != other.source or one.text is None or other.text is None:
            return False
        definition = definitions[one.source]
        alike = definition.multiline is None and isinstance(definition.reader, Ndjson | Windows)
        return alike and (one.received == other.received or whole(one.source))

    return may


def yearly(definitions: Mapping[str, Definition]) -> Callable[[str], bool]:
    """Return what says whether a source's times always have their year, whatever the day a file was written on."""
    return lambda source: isinstance(definitions[source].reader, Windows)


def _joined(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    records = pl.concat(batch.placed(batch.records) for batch in batches)
    parts = [part for batch in batches if (text := batch.text) for part in (text, b"\n"[ended(text) :])]
    return replace(batches[0], records=records.rechunk(), text=memoryview(b"".join(parts)))
