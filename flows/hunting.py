"""Questions to the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from connectors.archive import Archive
from detectors.correlation.memory import Held
from detectors.findings import Found, joined
from detectors.identity import event_id
from detectors.schema import RECORD
from flows.archived import archived
from flows.assembly import Parts
from flows.correlating import Correlating
from flows.gathering import findings_of
from flows.sifting import sift


def hunt(
    parts: Parts, archive: Archive, sources: Sequence[str], since: datetime | None, until: datetime | None
) -> Iterator[Found]:
    """Run rules over archived records, partition by partition; yield what each holds, then what correlates.

    Nothing is stored: ids are those of the live run, so what a hunt finds can be compared with what was found then.
    """
    correlating = Correlating(parts, memory := Held())
    for batch, parser in archived(parts, archive, sources, since, until):
        parsed = parser.parse(batch, parts.engine.wanted(parser.dialect))
        events, hits = parsed.events, parts.engine.detect(parser.dialect, parsed.events, parsed.encoded)
        sifted = sift(batch, parser, events, hits, parts.exceptions, detections=parts.detections)
        memory.keep(correlating.blocks(batch, parser, events, sifted.hits), {})
        correlating.pass_time(batch, events)
        shown = correlating.shown(sifted.hits)
        if shown.row.size or sifted.suppressed.height:
            found = joined(findings_of(batch, parser, events, shown, parts.detections))
            yield replace(found, suppressed=sifted.suppressed)
    yield from correlating.correlator.conclude()


def originals(archive: Archive, ids: set[str]) -> pl.DataFrame:
    """Return the raw lines of events by their ids: columns `event.id` and `event.original`."""
    found: dict[str, str] = {}
    for source in archive.sources():
        for batch in archive.read(source):
            for original, offset, index in batch.records.select(RECORD.names()).iter_rows():
                name = event_id(batch.source, batch.origin, offset, index, original)
                if name in ids:
                    found[name] = original
    return pl.DataFrame(
        {"event.id": list(found), "event.original": list(found.values())},
        schema={"event.id": pl.String, "event.original": pl.String},
    )
