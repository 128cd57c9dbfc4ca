"""The ledger: what each source brought, hour by hour, and which rules watched it.

A row counts the events of a batch in one hour and organisation, or says, once a day and source, how many rules run
there or look there for one technique.
Names are made of the batch and the hour, so a batch that runs again adds nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl

from detectors.identity import digest
from detectors.schema import COVERAGE, TIME

WHOSE: Final = ("organization.id", "organization.name")
Rows: TypeAlias = np.ndarray[tuple[int], np.dtype[np.integer[Any]]]
MOST: Final = 2_000  # rows of a batch; logs may claim any times, then days are counted, then all is one
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def counted(
    source: str,
    batch: str,
    events: pl.DataFrame,
    *,
    matched: Rows,
    failures: int,
    newest: datetime | None,
    late: int,
    now: datetime,
) -> pl.DataFrame:
    """Return COVERAGE of a batch's events.

    `matched` has the row of an event for each match. `newest` is the newest time of earlier batches; an event is late
    if it is more than `late` microseconds older than one that came before it and isn't ahead of `now`. Lines that
    failed are counted in the hour of the newest event, as they have no time of their own.
    """
    matches = np.bincount(matched, minlength=events.height) if events.height else np.zeros(0, np.int64)
    whose = [pl.col(name) if name in events.columns else pl.lit(None, pl.String).alias(name) for name in WHOSE]
    known = events.select(_sane().alias("@timestamp"), *whose).with_columns(
        pl.Series("soc.matches", matches, pl.Int64),
        pl.lit(0, pl.Int64).alias("soc.failures"),
        pl.lit(1, pl.Int64).alias("soc.events"),
    )
    times = pl.col("@timestamp")
    before = pl.concat([pl.Series([newest], dtype=TIME), known["@timestamp"]])[:-1]
    ahead = pl.select(pl.when(before <= now).then(before).forward_fill().cum_max().forward_fill()).to_series()
    behind = (pl.lit(ahead) - times).dt.total_microseconds() > late
    known = known.with_columns(behind.fill_null(value=False).cast(pl.Int64).alias("soc.late"))
    if failures:
        last = _newest(known["@timestamp"]) or newest
        known = pl.concat([known, _failed(known.schema, last, failures)])
    grouped = _by(known, "1h")
    grouped = grouped if grouped.height <= MOST else _by(known, "1d")
    if grouped.height > MOST:
        grouped = _by(known.with_columns(pl.lit(newest, TIME).alias("@timestamp")), "1d").head(MOST)
    return _rows(grouped, source, batch)


def watched(
    source: str, day: datetime, version: str, *, rules: int, blind: Collection[str], attack: Mapping[str, int]
) -> pl.DataFrame:
    """Return COVERAGE that says what a source is watched for on a day.

    `rules` says how many can match there, `attack` how many of them look for each "tactic / technique".
    """
    shared = {"@timestamp": day, "soc.source": source, "soc.rules.version": version}
    named = ("watched", source, day.isoformat(), version)
    whole = {"event.id": digest(named), "soc.rules.evaluated": rules, "soc.rules.blind": sorted(blind)}
    each = (
        {"event.id": digest((*named, pair)), "soc.attack": pair, "soc.rules.watching": count}
        for pair, count in sorted(attack.items())
    )
    empty = dict.fromkeys(COVERAGE)
    return pl.DataFrame([empty | shared | row for row in (whole, *each)], schema=COVERAGE, orient="row")


def _sane() -> pl.Expr:
    """Return the time of an event, none where it is what no calendar of ours has."""
    time = pl.col("@timestamp")
    return pl.when(time.is_between(pl.lit(EARLIEST), pl.lit(LATEST))).then(time)


def _newest(times: pl.Series) -> datetime | None:
    last = times.max()
    return last if isinstance(last, datetime) else None


def _failed(schema: pl.Schema, time: datetime | None, failures: int) -> pl.DataFrame:
    row = dict.fromkeys(schema) | {"@timestamp": time, "soc.failures": failures}
    row |= dict.fromkeys(("soc.events", "soc.late", "soc.matches"), 0)
    return pl.DataFrame([row], schema=schema, orient="row")


def _by(known: pl.DataFrame, every: str) -> pl.DataFrame:
    sums = pl.col("soc.events", "soc.late", "soc.failures", "soc.matches").sum()
    return known.group_by(pl.col("@timestamp").dt.truncate(every), *WHOSE).agg(sums).sort("@timestamp", *WHOSE)


def _rows(grouped: pl.DataFrame, source: str, batch: str) -> pl.DataFrame:
    keys = grouped.select(pl.col("@timestamp").cast(pl.String).fill_null(""), pl.col(WHOSE[0]).fill_null(""))
    names = [digest(("coverage", source, batch, *key)) for key in keys.iter_rows()]
    made = grouped.with_columns(
        pl.Series("event.id", names, pl.String),
        pl.lit(source).alias("soc.source"),
        pl.lit(batch).alias("soc.batch"),
    )
    missing = [pl.lit(None, kind).alias(name) for name, kind in COVERAGE.items() if name not in made.columns]
    return made.with_columns(missing).select(COVERAGE.names())
