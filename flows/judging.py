"""What was found, with the raw lines it was found in, as the score of a simulation asks for it."""

from __future__ import annotations

import polars as pl

from connectors.archive import Archive
from connectors.simulator.score import MATCHED
from connectors.store import Store
from detectors.schema import MATCH
from flows.hunting import originals


def matched_events(store: Store, archive: Archive, findings: pl.DataFrame) -> pl.DataFrame:
    """Return MATCHED: every matched event of the embedded store with its raw line."""
    frames = [store.matches_of(name) for name in findings["event.id"]]
    return with_lines(pl.concat(frames) if frames else MATCH.to_frame(), archive, findings)


def with_lines(matches: pl.DataFrame, archive: Archive, findings: pl.DataFrame) -> pl.DataFrame:
    """Return MATCHED of matches (MATCH): the raw lines are read back from the archive by their ids."""
    if matches.is_empty():
        return MATCHED.to_frame()
    exploded = matches.explode("event.id")
    lines = originals(archive, set(exploded["event.id"]))
    levels = findings.select(pl.col("event.id").alias("soc.finding.id"), "soc.level")
    return exploded.join(lines, on="event.id").join(levels, on="soc.finding.id").select(MATCHED.names())
