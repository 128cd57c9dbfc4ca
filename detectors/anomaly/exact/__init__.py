"""Simple exact detectors beside the models: pure functions from moments to hits, and from hits to anomalies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from detectors.anomaly.exact.beacon import beacon
from detectors.anomaly.exact.firsts import first_seen, pair
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.silence import silence
from detectors.anomaly.exact.travel import travel
from detectors.anomaly.exact.volume import volume
from detectors.anomaly.watch import Watch

Look = Callable[[pl.DataFrame, Watch, Stage], pl.DataFrame]
LOOKS: Final[dict[str, Look]] = {
    "first_seen": first_seen,
    "pair": pair,
    "volume": volume,
    "silence": silence,
    "beacon": beacon,
    "travel": travel,
}
REMEMBERS: Final = frozenset({"first_seen", "pair"})  # what was seen long before the moments at hand
DAILY: Final = frozenset({"first_seen", "pair", "beacon"})  # look at whole days; the others at hours
