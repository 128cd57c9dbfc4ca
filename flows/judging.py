"""What was found, with the raw lines it was found in, as the score of a simulation asks for it."""

from __future__ import annotations

import polars as pl

from connectors.archive import Archive
from connectors.simulator.score import MATCHED
from connectors.store import Store
from flows.hunting import originals


def matched_events(store: Store, archive: Archive, findings: pl.DataFrame) -> pl.DataFrame:
    """Return MATCHED: every matched event with its raw line, read back from the archive by its id."""
    frames = [store.matches_of(name) for name in findings["event.id"]]
    if not frames:
        return MATCHED.to_frame()
    matches = pl.concat(frames).explode("event.id")
    lines = originals(archive, set(matches["event.id"]))
    levels = findings.select(pl.col("event.id").alias("soc.finding.id"), "soc.level")
    return matches.join(lines, on="event.id").join(levels, on="soc.finding.id").select(MATCHED.names())
