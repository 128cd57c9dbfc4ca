"""Patterns that are expected until a day: their anomalies are kept as suppressed, not told; afterwards told again."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from detectors.anomaly.anomaly import Anomaly
from detectors.findings import Found
from detectors.identity import digest
from detectors.schema import SUPPRESSED
from flows.anomaly.room import Room
from flows.sections import Accepted


def sifted(where: Room, found: Found, anomalies: Sequence[Anomaly]) -> tuple[Found, list[Anomaly]]:
    """Take from findings what is accepted at the time of its window, and keep it as suppressed.

    An acceptance that has ended is named as long as it stands in the settings.
    """
    for one in where.settings.anomaly.accepted:
        if one.until < where.now.date():
            where.say(f"{one.set}, {one.entity}: accepted until {one.until}, which is over; it is told again")
    pairs = [(one, accepted) for one in anomalies if (accepted := _accepted(where, one))]
    if not pairs:
        return found, list(anomalies)
    ids = [one.id for one, _ in pairs]
    names = found.findings.filter(pl.col("event.id").is_in(ids))
    matches = dict(found.matches.select("soc.finding.id", "event.id").iter_rows())
    levels = dict(names.select("event.id", "soc.level").iter_rows())
    rows = [_row(where, one, accepted, levels[one.id], matches.get(one.id, [])) for one, accepted in pairs]
    kept = Found(
        found.matches.filter(~pl.col("soc.finding.id").is_in(ids)),
        found.findings.filter(~pl.col("event.id").is_in(ids)),
        pl.DataFrame(rows, schema=SUPPRESSED),
    )
    return kept, [one for one in anomalies if one.id not in ids]


def _accepted(where: Room, one: Anomaly) -> Accepted | None:
    day = one.start.astimezone(where.calendar.zone).date()
    for each in where.settings.anomaly.accepted:
        named = one.detector in {f"anomaly.{each.set}", each.set} and one.entity == each.entity
        if named and day <= each.until and (each.since is None or day >= each.since):
            return each
    return None


def _row(where: Room, one: Anomaly, accepted: Accepted, level: str, events: list[str]) -> dict[str, object]:
    name = digest((accepted.set, accepted.entity, accepted.reason, str(accepted.until)))
    return {
        "@timestamp": one.start,
        "soc.suppressed.id": digest((name, one.id)),
        "soc.exception.id": name,
        "soc.exception.title": f"{accepted.reason} ({accepted.owner}, until {accepted.until})",
        "soc.match.id": one.id,
        "rule.id": one.detector,
        "rule.name": one.title.get(where.settings.language),
        "soc.level": level,
        "event.id": events,
        "soc.source": one.source,
        "soc.group": one.group,
        "soc.finding.id": one.id,
    }
