"""Hits of a batch to matches and findings: the maintenance calendar silences some, the others are grouped."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import polars as pl

from connectors.parser import DefinedParser
from detectors.contracts import Batch, Hits
from detectors.findings import Detection, Found, assemble, identified, named
from detectors.maintenance import Calendar
from flows.sifting import read_again

# Hit records that are read whole at once where all findings are new: some of them would have to be read a second time
FEW = 64


def findings_of(
    batch: Batch,
    parser: DefinedParser,
    events: pl.DataFrame,
    hits: Hits,
    detections: Sequence[Detection],
    *,
    calendar: Calendar | None = None,
    known: Collection[str] = frozenset(),
) -> Iterator[Found]:
    """Make matches and findings of a batch's hits, whose records are read once more for what rules did not look at.

    Findings that are `known` are not made again. What there is of the others is yielded in parts, or nothing.
    """
    if not hits.row.size:
        return
    rows, moved = hits.alone()
    light = events[rows]
    entity, calendar = parser.definition.entity, calendar or Calendar()

    def read(places: Sequence[int], wanted: frozenset[str] | None) -> pl.DataFrame:
        """Read some of the hit records; one that only its projection could read is shown as far as it was read."""
        return read_again(batch, parser, light if len(places) == light.height else light[places], wanted)

    few = light.height <= FEW and not known
    told = read(range(light.height), None if few else named(hits, detections, entity) | calendar.wanted)
    yield from assemble(
        batch,
        told,
        moved,
        detections,
        entity,
        whole=lambda shown: told[shown] if few else read(shown, None),
        silenced=calendar.silenced(told, moved, detections),
        known=known,
    )


def finding_ids(
    batch: Batch, parser: DefinedParser, events: pl.DataFrame, hits: Hits, detections: Sequence[Detection]
) -> Iterator[tuple[str, str]]:
    """Yield the rule of each hit and the finding it belongs to, by their ids."""
    if hits.row.size:
        rows, moved = hits.alone()
        entity = parser.definition.entity
        told = read_again(batch, parser, events[rows], named(hits, detections, entity))
        frame = identified(batch, told, moved, detections, entity)
        rules = [detections[rule].meta.id for rule in frame["rule"]]
        yield from zip(rules, frame["soc.finding.id"], strict=True)
