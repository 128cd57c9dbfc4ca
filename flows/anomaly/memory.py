"""What was seen for the first time when: kept beside the models, for longer than the archive reaches back.

A damaged file costs what it remembers: what comes up then is learnt anew, in the warm-up of its watch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from detectors.anomaly.exact.firsts import MEMORY

MOST: Final = 3_000_000  # values; about 200 MB while they are looked at


def read(folder: Path, name: str) -> pl.DataFrame:
    """Return the MEMORY of a set, empty if there is none."""
    try:
        return pl.read_parquet(_file(folder, name)).select(pl.col(each).cast(kind) for each, kind in MEMORY.items())
    except (OSError, pl.exceptions.PolarsError):
        return MEMORY.to_frame()


def write(folder: Path, name: str, memory: pl.DataFrame) -> int:
    """Keep the MEMORY of a set, whole or not at all; return how many values were too many."""
    path = _file(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    memory.sort("first", *MEMORY.names()[:-1]).head(MOST).write_parquet(fresh, compression="zstd", compression_level=1)
    fresh.replace(path)
    return max(memory.height - MOST, 0)


def _file(folder: Path, name: str) -> Path:
    return folder / "seen" / f"{name}.parquet"
