"""The exact detectors over the archive: closed days and hours since the last run, with what was remembered before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from connectors.definition import Definition
from detectors.anomaly.anomaly import Anomaly
from detectors.anomaly.exact import DAILY, REMEMBERS
from detectors.anomaly.exact.firsts import remembered
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.telling import anomalies
from detectors.anomaly.featureset import FeatureSet
from detectors.errors import InputError
from detectors.risk import ODDS
from flows.anomaly import marks, memory
from flows.anomaly.collecting import DAY, SOURCE, collect, known_period, midnight
from flows.anomaly.feedback import factors
from flows.anomaly.room import LOOKS_BACK, Room

CRITICALITY: Final = "soc.asset.criticality"
UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": DAY}
WAYS: Final = {"days": True, "hours": False}
LIVE: Final = timedelta(days=2)  # an archive that ends before has ended: nobody fell silent


def watch(where: Room, chosen: FeatureSet, since: datetime | None) -> list[Anomaly]:
    """Return what the exact detectors of a set find in the days and hours closed since the last run, or `since`."""
    found: list[Anomaly] = []
    for way, daily in WAYS.items():
        watches = [each for each in chosen.watches if (each.kind in DAILY) is daily]
        until = _until(where, chosen, daily=daily)
        begin = since or marks.read(where.cache, f"{chosen.name}.{way}") or (until - DAY if until else None)
        if not watches or until is None or begin is None or begin >= until:
            continue
        moments = _moments(where, chosen, midnight(begin, where.calendar), until)
        for each in watches:
            stage = Stage(
                midnight(begin, where.calendar) if daily else begin,
                until,
                where.calendar,
                declared(where.definitions) if chosen.entity == SOURCE else {},
                factors(where.settings, f"{chosen.name}.{each.name}", chosen.entity),
                weights(where, chosen, moments) if each.kind == "silence" else {},
                apart=chosen.entity == SOURCE and each.kind == "silence",
            )
            seen = _remembered(where, chosen, moments) if each.kind in REMEMBERS else moments
            told, over = anomalies(seen, chosen, each, stage, chosen.of(where.archive.sources()))
            found += told
            if told or over:
                beyond = f", {over:,} more are as usual as those before" if over else ""
                where.say(f"{chosen.name}.{each.name}: {len(told)} found{beyond}")
    return found


def remember(where: Room, chosen: FeatureSet) -> None:
    """Note how far it was looked, and what was seen; only when what was found is stored."""
    for way, daily in WAYS.items():
        if (until := _until(where, chosen, daily=daily)) is not None:
            marks.write(where.cache, f"{chosen.name}.{way}", until)
    if any(each.kind in REMEMBERS for each in chosen.watches) and (until := _until(where, chosen, daily=True)):
        moments = _moments(where, chosen, until - DAY, until)
        if left := memory.write(where.cache, chosen.name, _remembered(where, chosen, moments)):
            where.say(f"{chosen.name}: {left:,} first-seen values are too many to be remembered")


def declared(definitions: Mapping[str, Definition]) -> dict[str, timedelta]:
    """Return for how long sources may be silent, of those whose definition says so."""
    return {
        name: int(each.expected.silence[:-1]) * UNITS[each.expected.silence[-1]]
        for name, each in definitions.items()
        if "silence" in each.expected.model_fields_set
    }


def weights(where: Room, chosen: FeatureSet, moments: pl.DataFrame) -> dict[str, float]:
    """Return how much the silence of sources matters, by their definitions, or that of machines, by the register."""
    if chosen.entity == SOURCE:
        return {name: ODDS[each.criticality] for name, each in where.definitions.items()}
    if chosen.entity != "host.name":
        return {}
    hosts = moments.select(pl.lit(where.now).alias("@timestamp"), pl.col("entity").unique().alias("host.name"))
    told = where.enrichment.added(hosts, {CRITICALITY})
    known = told.select("host.name", CRITICALITY).drop_nulls() if CRITICALITY in told.columns else told.head(0)
    return {name: ODDS.get(each, 1.0) for name, each, *_ in known.iter_rows()}


def _until(where: Room, chosen: FeatureSet, *, daily: bool) -> datetime | None:
    """Return until when windows are closed: over, and their late events come."""
    known = known_period(where.archive, chosen)
    if known is None:
        return None
    settled = where.now - timedelta(seconds=where.settings.late)
    end = settled if where.now - known[1] < LIVE else min(settled, known[1])
    return midnight(end, where.calendar) if daily else end.replace(minute=0, second=0, microsecond=0)


def _moments(where: Room, chosen: FeatureSet, since: datetime, until: datetime) -> pl.DataFrame:
    def report(fault: InputError) -> None:
        where.say(str(fault))

    return collect(
        where.archive,
        where.definitions,
        chosen,
        where.calendar,
        (midnight(since - LOOKS_BACK, where.calendar), until),
        enrichment=where.enrichment,
        cache=where.cache,
        report=report,
    ).moments


def _remembered(where: Room, chosen: FeatureSet, moments: pl.DataFrame) -> pl.DataFrame:
    names = [each.name for each in chosen.watches if each.kind in REMEMBERS]
    mine = moments.filter(pl.col("watch").is_in(names))
    return remembered(mine, memory.read(where.cache, chosen.name))
