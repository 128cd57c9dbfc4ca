"""What training costs when entities are many: memory and time, day by day as from the archive."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import polars as pl

from connectors.simulator.behaviour import UNITS, Size
from detectors.anomaly import featureset
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.tally import tally, whole
from flows.anomaly.collecting import MOST, gathered, keep
from flows.anomaly.training import prepared, train
from flows.bench.behaviour import BEGIN, CALENDAR

SET: Final = "logons"
EVENTS: Final = 5  # of an entity on a working day
PIECE: Final = 500_000  # events in one frame, as a batch has them


def costs(size: Size, most: int = MOST) -> dict[str, Any]:
    """Count, gather and train; return seconds (wall, one after another) and the process's peak memory in MB."""
    chosen, times, start = featureset.load()[SET], dict[str, float](), time.monotonic()
    with TemporaryDirectory(prefix="soc-scale-") as name:
        folder = Path(name)
        for day in range(size.days):
            _count(folder, chosen, size.users, day)
        times["count"] = time.monotonic() - start
        start = time.monotonic()
        gathering = gathered(folder, [str(day) for day in range(size.days)], chosen, most)
        times["gather"] = time.monotonic() - start
    start = time.monotonic()
    frame, left_out = prepared(gathering, chosen, CALENDAR)
    times["measure"] = time.monotonic() - start
    start = time.monotonic()
    trained = train(frame, chosen)
    times["train"] = time.monotonic() - start
    return {
        "entities": size.users,
        "days": size.days,
        "looked_at": frame["entity"].n_unique(),
        "left_out": left_out,
        "windows": frame.height,
        "learnt": trained.manifest["windows"]["learnt"],
        "seconds": {name: round(value, 1) for name, value in times.items()},
        "peak_rss_mb": round(_peak() / 2**20),
    }


def _count(folder: Path, chosen: FeatureSet, users: int, day: int) -> None:
    """Count a day as `collect` does: in pieces, added up, kept on disk."""
    random = np.random.default_rng(day)
    busy = EVENTS if day % 7 < 5 else 1
    frames = []
    for first in range(0, users, PIECE // EVENTS):
        who = np.repeat(np.arange(first, min(first + PIECE // EVENTS, users)), busy)
        frames.append(tally(_events(random, who, day), chosen, CALENDAR))
    numbers, values, moments = (
        pl.concat([getattr(each, name) for each in frames], how="diagonal_relaxed")
        for name in ("numbers", "values", "moments")
    )
    keep(folder, str(day), whole(type(frames[0])(numbers, values, moments), chosen, CALENDAR))


def _events(random: np.random.Generator, who: np.ndarray[Any, Any], day: int) -> pl.DataFrame:
    seconds = day * 86_400 + random.uniform(7 * 3600, 17 * 3600, len(who))
    at = pl.Series("@timestamp", ((BEGIN.timestamp() + seconds) * 1e6).astype(np.int64)).cast(pl.Datetime("us", "UTC"))
    desk = who + (random.random(len(who)) < 0.02)
    return pl.DataFrame(
        {
            "@timestamp": at,
            "user.name": pl.Series(who).cast(pl.String),
            "event.outcome": np.where(random.random(len(who)) < 0.04, "failure", "success"),
            "source.ip": pl.Series(desk).cast(pl.String),
            "host.name": pl.Series(who % 20).cast(pl.String),
            "event.code": random.choice(["4624", "4634", "4648"], len(who)),
            "organization.name": pl.Series(who % UNITS).cast(pl.String),
        }
    )


def _peak() -> int:
    """Return the most memory that this process ever had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def shown(told: dict[str, Any]) -> str:
    """Return what was measured, for people."""
    seconds = ", ".join(f"{name} {value:,.1f} s" for name, value in told["seconds"].items())
    left = f" (the busiest; {told['left_out']:,} left out)" if told["left_out"] else ""
    return (
        f"{told['entities']:,} entities on {told['days']} days: {told['looked_at']:,} looked at{left}, "
        f"{told['windows']:,} windows, {told['learnt']:,} learnt from\n"
        f"{seconds}; peak memory {told['peak_rss_mb']:,} MB"
    )
