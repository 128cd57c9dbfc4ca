"""What exact detectors cry wolf about in weeks of a province's routine: a thousand accounts, hundreds of machines."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, Final

import polars as pl

from connectors.simulator.routine import Extent, Routine, play
from detectors.anomaly import featureset
from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.telling import anomalies
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.moments import MOMENTS, finished, moments
from detectors.anomaly.tally import selected
from flows.anomaly.collecting import SOURCE
from flows.bench.behaviour import BEGIN, CALENDAR
from flows.bench.table import table

JUDGED: Final = 14  # the last days, each looked at by itself as the hourly run does


def costs(extent: Extent, seed: int) -> dict[str, Any]:
    """Play the weeks, and count what each exact detector tells of each of the last days."""
    played = play(extent, seed, BEGIN)
    told, watches = list[Anomaly](), list[str]()
    for chosen in featureset.load().values():
        shown = _shown(played, chosen)
        if shown is None:
            continue
        watches += [f"anomaly.{chosen.name}.{each.name}" for each in chosen.watches]
        told += [one for day in range(extent.days - JUDGED, extent.days) for one in _told(shown, chosen, day)]
    counts = Counter(one.detector for one in told)
    return {
        "extent": [extent.accounts, extent.hosts, extent.senders, extent.sources, extent.days],
        "told": {name: counts[name] for name in watches},
        "per_day": len(told) / JUDGED,
        "texts": [f"{one.detector} {one.entity}: {one.text.en}" for one in told],
    }


def _shown(played: Routine, chosen: FeatureSet) -> pl.DataFrame | None:
    """Return the moments of a set, whole days; nothing of sets that the routine has not."""
    if chosen.name in played.hours:
        hours = played.hours[chosen.name]
        named = [hours.with_columns(pl.lit(each.name).alias("watch"), pl.col("at").alias("first"),
                                    pl.col("at").alias("last")) for each in chosen.watches]  # fmt: skip
        return pl.concat([MOMENTS.to_frame(), *named], how="diagonal").select(MOMENTS.names())
    if chosen.name not in played.events:
        return None
    events = selected(played.events[chosen.name], chosen)
    return finished(moments(events, chosen.watches, CALENDAR), chosen.watches, CALENDAR)


def _told(shown: pl.DataFrame, chosen: FeatureSet, day: int) -> list[Anomaly]:
    begin = BEGIN + timedelta(days=day)
    end = begin + timedelta(days=1)
    known = shown.filter(pl.col("at") < end)
    found = []
    for each in chosen.watches:
        apart = chosen.entity == SOURCE and each.kind == "silence"
        found += anomalies(known, chosen, each, Stage(begin, end, CALENDAR, apart=apart), [])[0]
    return found


def shown(told: dict[str, Any]) -> str:
    """Return what was counted, for people."""
    accounts, hosts, senders, sources, days = told["extent"]
    rows = [(name, count, count / JUDGED * 7) for name, count in told["told"].items()]
    return "\n".join(
        [
            table(("exact detector", "false anomalies", "a week"), rows),
            "",
            *told["texts"],
            "",
            f"{accounts:,} accounts, {hosts:,} hosts and addresses, {senders:,} machines that send, {sources:,} "
            f"sources, {days} days: {told['per_day']:.2f} false anomalies a day by exact detectors in the last "
            f"{JUDGED} days",
            "",
        ]
    )
