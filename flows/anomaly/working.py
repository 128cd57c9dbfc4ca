"""What `soc train` and `soc score` do: learn of the archive, and look at its closed windows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from connectors.models import Stored
from detectors.anomaly.anomaly import Anomaly, found
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.drift import Drift, stability, uniformity
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.scoring import Budget, Origin, Scored, fitting, matrix, score
from detectors.contracts import Sink
from detectors.errors import InputError, SocError, UnavailableError
from detectors.findings import Found
from flows.anomaly import accepting, drifting, marks, watching
from flows.anomaly.challenge import WEEK, Contest, contest
from flows.anomaly.collecting import collect, known_period, midnight
from flows.anomaly.evidence import archived
from flows.anomaly.feedback import factors, real_windows
from flows.anomaly.room import LOOKS_BACK, Room, room, work_calendar
from flows.anomaly.training import prepared, revived, train, trained_period
from flows.settings import Settings

__all__ = ["Room", "room", "work_calendar"]
TRAINED_ON = timedelta(days=60)
TELLING = 200  # windows; of fewer nobody can tell whether they have shifted


def train_all(where: Room, names: Sequence[str], since: datetime | None, until: datetime | None) -> list[Stored]:
    """Train a model per feature set of which the archive has enough; return the versions.

    The first model of a set, and one after a model that can't be used any more, is put into use at once; others wait
    for `soc models promote`.
    """
    made = []
    for chosen in where.chosen(names):
        if not chosen.features:
            continue
        known = known_period(where.archive, chosen)
        if known is None:
            where.say(f"{chosen.name}: nothing in the archive")
            continue
        end = midnight(min(until or where.now, known[1]), where.calendar)
        begin = midnight(max(since or end - TRAINED_ON, known[0]), where.calendar)
        if begin >= end:
            where.say(f"{chosen.name}: no whole day from {begin} until {end}; the archive has {known[0]} to {known[1]}")
            continue
        try:
            made.append(_train(where, chosen, begin, end))
        except SocError as error:  # costs this set only
            where.say(str(error))
    return made


def _train(where: Room, chosen: FeatureSet, begin: datetime, end: datetime) -> Stored:
    frame, left_out = _frame(where, chosen, begin, end)
    trained = train(frame, chosen, without=real_windows(where.settings, chosen.name, chosen.entity))
    manifest = {**trained.manifest, "trained": where.now.isoformat(), "left_out": left_out}
    version = where.registry.save(chosen.name, trained.arrays, manifest)
    if not _usable(where, chosen):
        where.registry.promote(chosen.name, version)
    stored, _ = where.registry.load(chosen.name, version)
    counts = manifest["windows"]
    state = "in use" if stored.champion else f"put it into use: soc models promote {chosen.name} {version}"
    where.say(f"{chosen.name} {version}: {counts['entities']:,} entities, {counts['all']:,} windows; {state}")
    return stored


def _usable(where: Room, chosen: FeatureSet) -> bool:
    """Say whether there is a model in use, and it can score; say why not of one that can't."""
    if where.registry.champion(chosen.name) is None:
        return False
    try:
        fitting(revived(*where.registry.load(chosen.name)), chosen)
    except UnavailableError:
        raise
    except SocError as error:
        where.say(f"{error}; the one in use is replaced")
        return False
    return True


def _frame(where: Room, chosen: FeatureSet, begin: datetime, end: datetime) -> tuple[pl.DataFrame, int]:
    def report(fault: InputError) -> None:
        where.say(str(fault))

    tally = collect(
        where.archive,
        where.definitions,
        chosen,
        where.calendar,
        (begin, end),
        enrichment=where.enrichment,
        cache=where.cache,
        report=report,
    )
    frame, left_out = prepared(tally, chosen, where.calendar)
    if left_out:
        where.say(f"{chosen.name}: {left_out:,} entities that come up least often were left out")
    return frame, left_out


def closed(chosen: FeatureSet, calendar: WorkCalendar, now: datetime, late: int) -> datetime:
    """Return until when the windows of a set are closed: over, and their late events come."""
    settled = now - timedelta(seconds=late)
    return midnight(settled, calendar) if chosen.window == "day" else settled.replace(minute=0, second=0, microsecond=0)


def judge(where: Room, chosen: FeatureSet, since: datetime, until: datetime, version: str | None = None) -> Scored:
    """Score the windows of a set from `since` until `until` with a version of its model (default: that in use).

    It is told when the model learnt of some of them: there it takes for usual what isn't.
    """
    stored, arrays = where.registry.load(chosen.name, version)
    period = trained_period(stored.manifest)
    if since < period[1]:
        where.say(
            f"{chosen.name}: version {stored.version} learnt of windows until {period[1]:%Y-%m-%d}, so it may miss "
            "what is unusual in them; `soc train --until` an earlier day, or `soc score --since` a later one"
        )
    frame, _ = _frame(where, chosen, midnight(since - LOOKS_BACK, where.calendar), until)
    return score(
        revived(stored, arrays),
        frame,
        chosen,
        since,
        budget=budget(where.settings, chosen),
        origin=Origin(
            stored.version,
            period,
            float(stored.manifest["weekly"]),
            tuple(chosen.of(where.archive.sources())),
        ),
    )


def budget(settings: Settings, chosen: FeatureSet) -> Budget:
    """Return how many findings of a set people want to see."""
    part = settings.anomaly
    return Budget(part.weekly, part.organisation, factors(settings, chosen.name, chosen.entity))


def drift(where: Room, chosen: FeatureSet) -> Drift | None:
    """Return how the last whole week looks to the model in use; nothing if there are too few windows to tell."""
    days = last_week(where, chosen)
    if not chosen.features or days is None or where.registry.champion(chosen.name) is None:
        return None
    stored, _ = where.registry.load(chosen.name)
    frame, _ = _frame(where, chosen, midnight(days[0] - LOOKS_BACK, where.calendar), days[1])
    rows = frame.filter(pl.col("window") >= days[0])
    if rows.height < TELLING:
        return None
    done = judge(where, chosen, *days)
    indices = stability(stored.manifest["shares"], matrix(rows, chosen))
    return Drift(
        dict(zip(chosen.names, indices, strict=True)),
        uniformity(done.p_values["p"].to_numpy()),
        len(done.anomalies) + done.over,
        where.settings.anomaly.weekly,
        {feature.name: feature.words for feature in chosen.features},
    )


def watch_drift(where: Room, names: Sequence[str], sink: Sink | None) -> list[str]:
    """Tell of every model that no longer fits what comes in, once a week, and train its set again; return the sets."""
    drifted, told = [], []
    for chosen in where.chosen(names):
        try:
            found_ = drift(where, chosen)
        except SocError as error:  # costs this set only
            where.say(str(error))
            continue
        days = last_week(where, chosen)
        if found_ is None or days is None or not found_.reasons:
            continue
        drifted.append(chosen.name)
        told.append(drifting.anomaly(chosen, found_, where.registry.champion(chosen.name) or "", days[1]))
        where.say(f"{chosen.name} drifts: {told[-1].text.en}")
    made = found(told, {}, where.settings.language)
    if sink is not None:
        sink.findings(made.findings)
        if drifted:
            renew(where, drifted)
    return drifted


class Looked(NamedTuple):
    """What a look at closed windows gave."""

    found: Found
    anomalies: list[Anomaly]
    failed: set[str]  # feature sets that were not looked at whole; the next run does


def score_all(where: Room, names: Sequence[str], since: datetime | None, sink: Sink | None) -> Looked:
    """Score the closed windows of every set, by its model in use and its exact detectors; store what is found.

    Without `since` it goes on where the last run ended; a window scored again adds nothing.
    """
    anomalies, failed = list[Anomaly](), set[str]()
    for chosen in where.chosen(names):
        for look in (_modelled, watching.watch):
            try:
                anomalies += look(where, chosen, since)
            except SocError as error:  # costs this set only
                where.say(str(error))
                failed.add(chosen.name)
    evidence = archived(where.archive, where.definitions, where.sets, anomalies, where.enrichment)
    made, anomalies = accepting.sifted(where, found(anomalies, evidence, where.settings.language), anomalies)
    if sink is not None:
        sink.suppressed(made.suppressed)
        sink.findings(made.findings)
        sink.matches(made.matches)
        for chosen in where.chosen(names):  # only now: a run that was killed is done again
            if chosen.name in failed:
                continue
            marks.write(where.cache, chosen.name, closed(chosen, where.calendar, where.now, where.settings.late))
            watching.remember(where, chosen)
    return Looked(made, anomalies, failed)


def _modelled(where: Room, chosen: FeatureSet, since: datetime | None) -> list[Anomaly]:
    """Return what the model in use finds in the windows closed since the last run, or `since`."""
    if not chosen.features or where.registry.champion(chosen.name) is None:
        return []
    known = known_period(where.archive, chosen)
    if known is None:
        where.say(f"{chosen.name}: nothing in the archive")
        return []
    until = closed(chosen, where.calendar, where.now, where.settings.late)
    until = min(until, midnight(known[1], where.calendar) if chosen.window == "day" else known[1])
    begin = since or marks.read(where.cache, chosen.name) or until - timedelta(days=1)
    begin = midnight(begin, where.calendar) if chosen.window == "day" else begin
    if begin >= until:
        return []
    done = judge(where, chosen, begin, until)
    over = f", {done.over:,} more beyond the budget" if done.over else ""
    where.say(f"{chosen.name}: {_many(len(done.anomalies))} in {done.windows:,} windows{over}")
    return done.anomalies


def _many(anomalies: int) -> str:
    return "1 anomaly" if anomalies == 1 else f"{anomalies:,} anomalies"


def compare(where: Room, chosen: FeatureSet, versions: tuple[str, str], since: datetime, until: datetime) -> Contest:
    """Let two versions, that in use first, score the same days."""
    one, other = (judge(where, chosen, since, until, version) for version in versions)
    return contest(where, chosen, (one, other), (since, until))


def promote(where: Room, chosen: FeatureSet, version: str, *, force: bool = False) -> bool:
    """Put a version into use if it wins against that in use on the last week of the archive, or if forced."""
    champion, days = where.registry.champion(chosen.name), last_week(where, chosen)
    if champion != version and days is not None and not force and _usable(where, chosen):
        told = compare(where, chosen, (str(champion), version), *days)
        where.say(f"{chosen.name}: {told}")
        if not told.wins:
            return False
    where.registry.promote(chosen.name, version)
    return True


def renew(where: Room, names: Sequence[str]) -> list[Stored]:
    """Train on all but the last week, and put into use what wins on that week."""
    made = []
    for chosen in where.chosen(names):
        days = last_week(where, chosen) if chosen.features else None
        if days is None:
            continue
        for one in train_all(where, [chosen.name], None, days[0]):
            if one.champion or promote(where, chosen, one.version):
                where.say(f"{chosen.name} {one.version} is in use")
            made.append(where.registry.load(chosen.name, one.version)[0])
    return made


def last_week(where: Room, chosen: FeatureSet) -> tuple[datetime, datetime] | None:
    """Return the last seven whole days that the archive has."""
    known = known_period(where.archive, chosen)
    if known is None:
        return None
    end = midnight(min(known[1], where.now - timedelta(seconds=where.settings.late)), where.calendar)
    return end - WEEK, end
