"""Small batches of the archive put together: an hour of a quiet source holds few, and each takes time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from detectors.contracts import Batch

ROWS = 50_000  # records of a batch from which it goes on as it is


def joined(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Yield the records of one source in fewer batches, each record with the place it came from (PLACE).

    Records whose time is not known stay apart: where one has to be read again, all of its batch are.
    """
    waiting: list[Batch] = []
    count = 0
    for batch in batches:
        if batch.records.height >= ROWS or batch.records["@timestamp"].null_count():
            yield batch
            continue
        waiting.append(batch)
        count += batch.records.height
        if count >= ROWS:
            yield _one(waiting)
            waiting, count = [], 0
    if waiting:
        yield _one(waiting)


def _one(batches: list[Batch]) -> Batch:
    if len(batches) == 1:
        return batches[0]
    placed = [batch.placed(batch.records) for batch in batches]
    whole = all(batch.whole for batch in batches)
    return Batch(batches[0].source, batches[0].origin, batches[0].label, pl.concat(placed, how="diagonal"), whole=whole)
