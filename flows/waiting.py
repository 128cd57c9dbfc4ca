"""Hits that wait for others of their source: making findings has a price per batch, whatever it holds.

A run that must have stored all of a batch before it goes on (Kafka's offsets are committed then) lets none wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from detectors.contracts import Hits
from detectors.schema import EVENT, PLACE
from flows.matching import Struck

EVENTS: Final = 1_000  # that wait at most, of one source
BYTES: Final = 16_000_000  # of their raw records


@dataclass(slots=True)
class Waiting:
    """Collects hits until they are many enough to be told of.

    Only batches that were received on one day go together: it may tell the year of their times. Those of `yearly`
    sources have one. Where somebody waits for the first finding (`eager`), the first hits of all wait for nothing.
    """

    yearly: Callable[[str], bool] = lambda _: False
    eager: bool = False
    _held: dict[tuple[str, date | None], list[Struck]] = field(default_factory=dict)

    def add(self, struck: Struck) -> Iterator[Struck]:
        """Take hits of a batch, and yield those whose time has come."""
        batch = struck.batch
        if not struck.hits.row.size:
            return
        key = (batch.source, None if self.yearly(batch.source) else batch.received)
        held = self._held.setdefault(key, [])
        held.append(struck)
        size = sum(int(each.events["event.original"].str.len_bytes().sum()) for each in held)
        if self.eager or size >= BYTES or sum(each.events.height for each in held) >= EVENTS:
            self.eager = False
            yield _together(self._held.pop(key))

    def rest(self) -> Iterator[Struck]:
        """Yield what still waits."""
        for held in self._held.values():
            yield _together(held)
        self._held.clear()


def _together(held: list[Struck]) -> Struck:
    events = pl.concat(_alike([each.batch.placed(each.events) for each in held]), how="diagonal_relaxed")
    starts = np.cumsum([0, *(each.events.height for each in held)])
    rows = [each.hits.row + start for each, start in zip(held, starts[:-1], strict=True)]
    hits = Hits(np.concatenate([each.hits.rule for each in held]), np.concatenate(rows))
    records = events.select(*EVENT, *PLACE)
    return Struck(replace(held[0].batch, records=records, text=None), events, hits)


def _alike(frames: list[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Yield the frames with lists of one text for texts, where others have lists: fields of JSON may be either."""
    lists = {name for frame in frames for name, kind in frame.schema.items() if kind == pl.List}
    for frame in frames:
        single = [name for name in frame.columns if name in lists and frame.schema[name] == pl.String]
        yield frame.with_columns(pl.when(pl.col(name).is_not_null()).then(pl.concat_list(name)) for name in single)
