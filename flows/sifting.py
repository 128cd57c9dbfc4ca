"""Exceptions in the pipeline: what they take of a batch's hits, before anything is made of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from connectors.parser import DefinedParser
from detectors.contracts import Batch, Hits
from detectors.findings import Detection, named
from detectors.schema import SUPPRESSED
from detectors.sigma.exceptions import Exceptions
from detectors.suppressed import TAKEN, suppressed


@dataclass(frozen=True, slots=True)
class Sifted:
    """The hits that are matches, and what exceptions took of the others."""

    hits: Hits
    suppressed: pl.DataFrame  # SUPPRESSED


def sift(
    batch: Batch,
    parser: DefinedParser,
    events: pl.DataFrame,
    hits: Hits,
    exceptions: Exceptions,
    *,
    detections: Sequence[Detection],
) -> Sifted:
    """Ask exceptions about the hits of rules that have any; only these records are read once more."""
    ruled = exceptions.ruled(hits)
    if not ruled.size:
        return Sifted(hits, SUPPRESSED.to_frame())
    rows, asked = Hits(hits.rule[ruled], hits.row[ruled]).alone()
    entity = parser.definition.entity
    wanted = exceptions.wanted(parser.dialect) | named(asked, detections, entity)
    frame = read_again(batch, parser, events[rows], wanted)
    taken = exceptions.take(parser.dialect, frame, asked)
    filters = [exceptions.filters[number] for number in taken.filter]
    by = pl.DataFrame(
        {
            "hit": taken.hit,
            "soc.exception.id": [each.id for each in filters],
            "soc.exception.title": [each.title for each in filters],
        },
        schema=TAKEN,
    )
    left = np.delete(np.arange(hits.rule.size), ruled[np.unique(taken.hit)])
    return Sifted(
        Hits(hits.rule[left], hits.row[left]), suppressed(batch, frame, asked, by, detections=detections, entity=entity)
    )


def read_again(batch: Batch, parser: DefinedParser, hit: pl.DataFrame, wanted: frozenset[str] | None) -> pl.DataFrame:
    """Read hit records once more for columns that rules did not look at; where that fails they stay as they are."""
    records = hit.select(*batch.carried, "@timestamp")
    again = parser.parse(replace(batch, records=records, text=None), wanted).frame()
    return again if again.height == hit.height else hit
