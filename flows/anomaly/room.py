"""Where models are trained and used: what the settings name, opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connectors.archive import Archive
from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.models import Registry
from detectors.anomaly import featureset
from detectors.anomaly.calendar import WorkCalendar
from detectors.anomaly.featureset import FeatureSet
from detectors.errors import UsageError
from detectors.workdays import Workdays
from flows import assembly, enriching
from flows.settings import Settings

Say = Callable[[str], object]
LOOKS_BACK: Final = timedelta(days=45)  # events that the usual ranges of a scored day are made of
YEARS: Final = (date(2020, 1, 1), date(2036, 1, 1))  # whose days off are worked out


@dataclass(frozen=True, slots=True)
class Room:
    """Where models are trained and used."""

    settings: Settings
    archive: Archive
    registry: Registry
    sets: dict[str, FeatureSet]
    calendar: WorkCalendar
    enrichment: Enrichment
    definitions: Mapping[str, Definition]
    now: datetime
    say: Say

    @property
    def cache(self) -> Path:
        return self.settings.anomaly.models

    def chosen(self, names: Sequence[str]) -> list[FeatureSet]:
        """Return the feature sets of these names, or all."""
        if unknown := sorted(set(names) - set(self.sets)):
            raise UsageError(f"there is no feature set {', '.join(unknown)}", fix=f"known: {', '.join(self.sets)}")
        return [one for one in self.sets.values() if not names or one.name in names]


def room(settings: Settings, now: datetime, say: Say) -> Room:
    """Open what the settings name; `now` is the time of the work, `say` hears how it goes."""
    part = settings.anomaly
    enrichment = enriching.load(settings)
    for fault in enrichment.faults:
        say(str(fault))
    return Room(
        settings,
        Archive(settings.archive),
        Registry(part.location, part.key),
        featureset.load(part.features, lambda fault: say(str(fault))),
        work_calendar(settings, enrichment.workdays),
        enrichment,
        assembly.definitions(settings),
        now,
        say,
    )


def work_calendar(settings: Settings, workdays: Workdays) -> WorkCalendar:
    """Return when people are expected to work: as the calendar of agencies announces it, and the settings add."""
    ordinals = range(YEARS[0].toordinal(), YEARS[1].toordinal())
    days = [date.fromordinal(each) for each in ordinals]
    off = {day for day in days if day.weekday() < 5 and not workdays.works(day)}
    return WorkCalendar(
        ZoneInfo(settings.zone),
        holidays=frozenset(off.union(settings.anomaly.holidays)),
        worked=frozenset(day for day in days if day.weekday() >= 5 and workdays.works(day)),
    )
