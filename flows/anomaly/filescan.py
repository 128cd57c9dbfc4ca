"""Anomalies in files: where they hold weeks of one kind of log, the first teach what the last are held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from connectors.files import FileSource
from connectors.parser import DefinedParser
from connectors.recognise import Recognised
from detectors.anomaly import featureset
from detectors.anomaly.anomaly import Anomaly, Evidence, found
from detectors.anomaly.exact.hits import Stage
from detectors.anomaly.exact.telling import anomalies
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.scoring import Origin, score
from detectors.anomaly.tally import Tally, added, tally, whole
from detectors.contracts import Batch
from detectors.errors import SocError
from detectors.findings import Found
from flows import enriching
from flows.anomaly.collecting import events_of, midnight
from flows.anomaly.evidence import Behind
from flows.anomaly.periods import Period
from flows.anomaly.room import work_calendar
from flows.anomaly.training import prepared, train, trained_period
from flows.anomaly.working import budget
from flows.settings import Settings

JUDGED: Final = timedelta(days=7)  # the last days at least, and a third of the time
TOGETHER: Final = 32  # tallies added up at once


class FileScan:
    """Looks at files again, for the sources that have long enough a history."""

    def __init__(
        self,
        paths: Sequence[Path],
        settings: Settings,
        parsers: Mapping[str, DefinedParser],
        recogniser: Callable[[list[str], str], Recognised | None],
        source: str | None = None,
        *,
        protect: Callable[[Batch], Batch],
    ) -> None:
        self._paths, self._settings, self._parsers = paths, settings, parsers
        self._recogniser, self._source, self._protect = recogniser, source, protect
        self._enrichment = enriching.load(settings)
        self._calendar = work_calendar(settings, self._enrichment.workdays)

    def anomalies(
        self, periods: Mapping[str, Period], say: Callable[[str], object], least: timedelta = timedelta(days=21)
    ) -> Found:
        """Return what is out of the ordinary; a set that can't be learnt costs itself."""
        long = {source for source, (first, last) in periods.items() if last - first >= least}
        sets = {one.name: one for one in featureset.load(self._settings.anomaly.features).values()
                if one.of(long)}  # fmt: skip
        if not sets:
            return found([], {}, self._settings.language)
        tallies = self._tallies(sets, long)
        strange: list[Anomaly] = []
        for name, chosen in sets.items():
            try:
                strange += self._judged(chosen, tallies[name], long)
                strange += self._watched(chosen, tallies[name], long)
            except SocError as error:
                say(f"no anomalies: {error}")
        return found(strange, self._evidence(sets, strange, long), self._settings.language)

    def _judged(self, chosen: FeatureSet, counted: Tally, long: set[str]) -> list[Anomaly]:
        if not chosen.features:
            return []
        frame, _ = prepared(counted, chosen, self._calendar)
        first, last = frame["window"].min(), frame["window"].max()
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            return []
        since = midnight(last - max(JUDGED, (last - first) / 3), self._calendar)
        trained = train(frame.filter(pl.col("window") < since), chosen)
        sources = tuple(chosen.of(long))
        manifest = trained.manifest
        origin = Origin("scan", trained_period(manifest), float(manifest["weekly"]), sources)
        return score(
            trained.model, frame, chosen, since, budget=budget(self._settings, chosen), origin=origin
        ).anomalies

    def _watched(self, chosen: FeatureSet, counted: Tally, long: set[str]) -> list[Anomaly]:
        """Return what the exact detectors find in the same last days."""
        first, last = counted.moments["first"].min(), counted.moments["last"].max()
        if not isinstance(first, datetime) or not isinstance(last, datetime):
            return []
        since = midnight(last - max(JUDGED, (last - first) / 3), self._calendar)
        until = last.replace(minute=0, second=0, microsecond=0)
        stage = Stage(since, until, self._calendar)
        return [
            one
            for watch in chosen.watches
            for one in anomalies(counted.moments, chosen, watch, stage, chosen.of(long))[0]
        ]

    def _tallies(self, sets: Mapping[str, FeatureSet], long: set[str]) -> dict[str, Tally]:
        parts: dict[str, list[Tally]] = {name: [] for name in sets}
        for batch, parser in self._batches(long):
            for name, chosen in sets.items():
                if chosen.of([batch.source]):
                    events = events_of(batch, parser, chosen, self._enrichment)
                    parts[name].append(tally(events, chosen, self._calendar))
                    if len(parts[name]) >= TOGETHER:
                        parts[name] = [added(parts[name], chosen)]
        return {name: whole(added(several, sets[name]), sets[name], self._calendar) for name, several in parts.items()}

    def _evidence(
        self, sets: Mapping[str, FeatureSet], strange: Sequence[Anomaly], long: set[str]
    ) -> dict[str, Evidence]:
        if not strange:
            return {}
        behind = Behind(sets, strange, self._enrichment)
        for batch, parser in self._batches(long):
            behind.look(batch, parser)
        return behind.evidence()

    def _batches(self, sources: set[str]) -> Iterator[tuple[Batch, DefinedParser]]:
        files = FileSource(self._paths, self._recogniser, self._source, dead=lambda _: None)  # told already
        try:
            for batch in map(self._protect, files.batches()):
                if batch.source in sources:
                    yield batch, self._parsers[batch.source]
        finally:
            files.close()
