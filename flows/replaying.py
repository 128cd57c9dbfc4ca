"""Dead letters once more: a mended definition may read what none could before.

The archive holds every record whole, dead ones too, so nothing of Kafka is needed and nothing that was cut short.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

import polars as pl

from connectors.archive import PLACED, Archive
from connectors.store import Store
from detectors.contracts import Batch, Parsed
from detectors.schema import RECORD
from flows.assembly import Parts
from flows.patience import patiently
from flows.pipeline import Pipeline
from flows.running import Say, memory, settle, sink, storing
from flows.settings import Settings


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the records of a source that had given no event."""

    source: str
    read: int  # are events now
    left: int  # still are not


def replay(settings: Settings, parts: Parts, sources: Sequence[str], say: Say) -> list[Replayed]:
    """Read the archived records of sources that gave no event; archive, detect and store what gives one now.

    Event ids are those they would have had. A replay that was killed half-way is run again.
    """
    with ExitStack() as stack:
        where, archive = sink(settings, stack), Archive(settings.archive)
        pipeline = storing(parts, where, memory(settings, where, stack), say, archive=archive)
        done = [_of_source(pipeline, archive, where, source, say) for source in sources]
        patiently(lambda: settle(settings, pipeline, None), None, say)
    return done


def _of_source(pipeline: Pipeline, archive: Archive, where: object, source: str, say: Say) -> Replayed:
    read, left = [], 0
    for batch in archive.untimed(source):
        alive, parsed = _alive(pipeline, batch)
        left += batch.records.height - alive.records.height
        if alive.records.height:
            patiently(lambda alive=alive, parsed=parsed: pipeline.finish(alive, parsed), None, say)  # type: ignore[misc]
            read.append(alive.placed(alive.records).select(*PLACED, "event.original"))
    if read:
        mended = pl.concat(read)
        if isinstance(where, Store):
            where.revive(source, mended)
        archive.forget_untimed(source, mended)
    return Replayed(source, sum(frame.height for frame in read), left)


def _alive(pipeline: Pipeline, batch: Batch) -> tuple[Batch, Parsed]:
    """Return the records of a batch that give an event with a time, and the events."""
    parsed = pipeline.parse(batch)
    timed = parsed.only(parsed.events["@timestamp"].is_not_null())
    records = batch.records.join(timed.events, on=RECORD.names(), how="semi", nulls_equal=True)
    return replace(batch, records=records), timed
