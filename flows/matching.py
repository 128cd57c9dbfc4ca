"""What rules leave of a batch: the events that they hit, and a word about all the others.

Few events are hit, and nothing after matching looks at the rest: so it can be let go, or stay with another process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from detectors.contracts import Batch, Hits, Parsed
from flows.clocks import CAME, SENDER

TIMES: Final = ("@timestamp", CAME, SENDER)


@dataclass(frozen=True, slots=True)
class Struck:
    """Hits, and the events they are on: `hits.row` numbers the rows of `events`, and `batch` holds their records."""

    batch: Batch
    events: pl.DataFrame
    hits: Hits

    def only(self, hits: Hits) -> Struck:
        """Return some of the hits, with the events they are on."""
        rows, moved = hits.alone()
        if rows.size == self.events.height:
            return replace(self, hits=hits)
        return Struck(replace(self.batch, records=self.batch.records[rows]), self.events[rows], moved)


@dataclass(frozen=True, slots=True)
class Matched:
    """A batch that rules have looked at."""

    struck: Struck
    rows: npt.NDArray[np.int64]  # where the struck events stood among all
    times: pl.DataFrame  # TIMES of all events, as far as there are any
    lost: pl.DataFrame  # DEAD
    bytes: int  # of all raw records


def matched(batch: Batch, parsed: Parsed, hits: Hits) -> Matched:
    """Return what is left of a batch and its hits."""
    times = [name for name in TIMES if name in parsed.events.columns]
    raw = batch.records["event.original"].str.len_bytes().sum()
    rows, moved = hits.alone()
    left = _copied(batch, parsed.events[rows], moved)
    return Matched(left, rows, parsed.events.select(times), parsed.lost, int(raw))


def struck(batch: Batch, events: pl.DataFrame, hits: Hits) -> Struck:
    """Return hits with the events they are on alone."""
    rows, moved = hits.alone()
    return _copied(batch, events[rows], moved)


def _copied(batch: Batch, events: pl.DataFrame, hits: Hits) -> Struck:
    """Return events with texts of their own: rows of a frame hold all its texts."""
    own = events.with_columns(pl.concat_str(name, pl.lit("")) for name in cs.expand_selector(events, cs.string()))
    return Struck(replace(batch, records=own.select(batch.carried), text=None), own, hits)
