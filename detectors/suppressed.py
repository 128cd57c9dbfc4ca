"""What exceptions took: hits that are no matches, kept so that everybody sees what is not told."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from detectors.contracts import Batch, Hits
from detectors.findings import Detection, identified
from detectors.identity import suppressed_id
from detectors.schema import SUPPRESSED

TAKEN = pl.Schema({"hit": pl.Int64, "soc.exception.id": pl.String, "soc.exception.title": pl.String})


def suppressed(
    batch: Batch,
    events: pl.DataFrame,
    hits: Hits,
    taken: pl.DataFrame,
    *,
    detections: Sequence[Detection],
    entity: Sequence[str],
) -> pl.DataFrame:
    """Return SUPPRESSED: a row for each hit and each exception that took it (TAKEN, by the place of the hit)."""
    if taken.is_empty():
        return SUPPRESSED.to_frame()
    frame = identified(batch, events, hits, detections, entity).join(taken, on="hit", maintain_order="left_right")
    metas = [detections[rule].meta for rule in frame["rule"]]
    pairs = zip(frame["soc.match.id"], frame["soc.exception.id"], strict=True)
    made = frame.with_columns(
        pl.Series("soc.suppressed.id", [suppressed_id(*pair) for pair in pairs]),
        pl.Series("rule.id", [meta.id for meta in metas]),
        pl.Series("rule.name", [meta.title for meta in metas]),
        pl.Series("soc.level", [meta.level for meta in metas]),
        pl.col("id").reshape((-1, 1)).cast(pl.List(pl.String)).alias("event.id"),
        pl.lit(batch.source).alias("soc.source"),
    )
    return made.select(SUPPRESSED.names()).cast(SUPPRESSED)
