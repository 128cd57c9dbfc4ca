"""Hits of exact detectors to anomalies: what was seen, what is usual, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import polars as pl

from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.exact import DAILY, LOOKS
from detectors.anomaly.exact.hits import Stage, told
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.parts import Words
from detectors.anomaly.watch import Watch
from detectors.numbers import number
from detectors.tables import read_table

HISTORY: Final = 30  # days, or hours, of the entity shown beside an anomaly
LANGUAGES: Final = ("en", "vi")


def anomalies(
    moments: pl.DataFrame, chosen: FeatureSet, watch: Watch, stage: Stage, sources: Sequence[str]
) -> tuple[list[Anomaly], int]:
    """Return what a watch of a set tells of the windows from `since` on, and how many hits were beyond its budget.

    `moments` reach back far enough to tell what is usual; of first-seen values it is what was remembered (MEMORY).
    """
    mine = moments.filter(pl.col("watch") == watch.name)
    kept, over = told(LOOKS[watch.kind](mine, watch, stage), watch, stage)
    source = ", ".join(sources) or chosen.sources[0]
    return [
        replace(_anomaly(row, chosen, watch, stage), source=source, details=_details(row, mine, watch))
        for row in kept.iter_rows(named=True)
    ], over


def _anomaly(row: dict[str, Any], chosen: FeatureSet, watch: Watch, stage: Stage) -> Anomaly:
    where = dict(zip(watch.columns, [row.get("by"), row.get("value")][2 - len(watch.columns) :], strict=True))
    if watch.kind == "travel":
        where = {}  # what was done at the place left is evidence as well
    return Anomaly(
        detector=f"anomaly.{chosen.name}.{watch.name}",
        version=watch.kind,
        title=watch.words,
        check=watch.check or chosen.check,
        level=watch.level,
        tags=tuple(watch.tags or chosen.tags),
        source="",
        column=chosen.entity,
        entity=row["entity"],
        start=row["start"],
        end=row["end"],
        text=Words(**{lang: _text(row, watch, stage, lang) for lang in LANGUAGES}),
        count=int(row["count"]),
        where={column: str(value) for column, value in where.items() if value is not None},
    )


def _details(row: dict[str, Any], mine: pl.DataFrame, watch: Watch) -> dict[str, Any]:
    return {
        "watch": watch.kind,
        "strength": round(float(row["strength"]), 3),
        "seen": {name: _plain(value) for name, value in row.items() if name not in {"entity", "start", "end"}},
        "history": _history(row, mine, watch),
    }


def _text(row: dict[str, Any], watch: Watch, stage: Stage, lang: str) -> str:
    words = _words()
    kind = "declared" if row.get("declared") is not None else watch.kind
    shown = {name: _shown(name, value, stage, lang) for name, value in row.items()}
    more = (row.get("firsts") or 1) - 1
    period = row.get("period") or 0.0
    return str(words[kind][lang]).format(
        **shown
        | {
            "column": watch.columns[-1] if watch.columns else "",
            "whose": words["whose"][watch.scope][lang],
            "more": words["more"][lang].format(more=more) if more else "",
            "limit": number(watch.minutes, lang),
            "period": words["minutes" if period >= 120 else "seconds"][lang].format(
                number=number(period / 60 if period >= 120 else period, lang)
            ),
        }
    )


def _shown(name: str, value: object, stage: Stage, lang: str) -> str:
    if isinstance(value, datetime):
        form = {"en": "%Y-%m-%d %H:%M", "vi": "%H:%M %d/%m/%Y"}[lang]
        return value.astimezone(stage.calendar.zone).strftime(form)
    if isinstance(value, float | int):
        if name in {"share", "jitter"}:
            return number(100 * value, lang) + " %"
        return number(float(value), lang)
    return "" if value is None else str(value)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _history(row: dict[str, Any], mine: pl.DataFrame, watch: Watch) -> dict[str, Any]:
    """Return what the entity had in its last days (of hourly watches: hours), 0 where it had nothing."""
    span = timedelta(days=1) if watch.kind in DAILY else timedelta(hours=1)
    last = row["start"]
    windows = [last - span * back for back in range(HISTORY - 1, -1, -1)]
    at = "at" if "at" in mine.columns else "first"
    rows = mine.filter((pl.col("entity") == row["entity"]) & (pl.col(at) >= windows[0]) & (pl.col(at) < last + span))
    place = (pl.col(at) - pl.lit(windows[0])).dt.total_seconds() // int(span.total_seconds())
    counted = pl.col("count").sum() if "count" in mine.columns else pl.len()
    found = dict(rows.group_by(place.alias("place")).agg(counted.alias("sum")).iter_rows())
    return {
        "feature": watch.name,
        "words": {lang: watch.words.get(lang) for lang in LANGUAGES},
        "windows": [each.isoformat() for each in windows],
        "values": [round(float(found.get(place, 0.0)), 3) for place in range(HISTORY)],
    }


@cache
def _words() -> dict[str, Any]:
    read: dict[str, Any] = read_table("anomaly/exact/words.yml")
    return read
