"""The events behind anomalies, read back from where they came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from connectors.archive import Archive
from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.parser import DefinedParser
from detectors.anomaly.anomaly import EVENT_IDS, Anomaly, Evidence
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.moments import LONGEST
from detectors.anomaly.tally import selected
from detectors.contracts import Batch
from detectors.evidence import EVIDENCE, ORIGINAL
from detectors.findings import event_ids
from flows.anomaly.collecting import events_of


class Behind:
    """Gathers the first events of each anomaly's entity in its window, batch by batch."""

    def __init__(self, sets: Mapping[str, FeatureSet], anomalies: Sequence[Anomaly], enrichment: Enrichment) -> None:
        self._sets, self._anomalies, self._enrichment = sets, anomalies, enrichment
        self._ids: dict[str, list[str]] = defaultdict(list)
        self._shown: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def look(self, batch: Batch, parser: DefinedParser) -> None:
        """Take from a batch what belongs to anomalies that lack events."""
        for chosen in self._sets.values():
            mine = [one for one in self._anomalies if set_of(one) == chosen.name]
            if not chosen.of([batch.source]) or not any(self._lacks(one) for one in mine):
                continue
            events = selected(events_of(batch, parser, chosen, self._enrichment), chosen)
            for one in mine:
                if self._lacks(one):
                    self._take(one, chosen, batch, events)

    def evidence(self) -> dict[str, Evidence]:
        """Return what was gathered, by the ids of the anomalies."""
        return {one.id: Evidence(self._ids[one.id], self._shown[one.id]) for one in self._anomalies}

    def _lacks(self, one: Anomaly) -> bool:
        return len(self._ids[one.id]) < EVENT_IDS

    def _take(self, one: Anomaly, chosen: FeatureSet, batch: Batch, events: pl.DataFrame) -> None:
        inside = pl.col("@timestamp").is_between(one.start, one.end, closed="left") & (pl.col("entity") == one.entity)
        for column, value in one.where.items():
            inside &= (
                pl.col(column).cast(pl.String).str.slice(0, LONGEST) == value if column in events.columns else False
            )
        ids, shown = self._ids[one.id], self._shown[one.id]
        rows = events.filter(inside).sort("@timestamp").head(EVENT_IDS - len(ids))
        names = event_ids(batch, rows)
        columns = sorted(chosen.columns.intersection(rows.columns))
        for name, row in zip(names[: EVIDENCE - len(shown)], rows.iter_rows(named=True), strict=False):
            fields = {key: row[key] for key in columns if row[key] is not None}
            shown.append(
                {
                    "event.id": name,
                    "@timestamp": row["@timestamp"],
                    "event.original": str(row["event.original"])[:ORIGINAL],
                    "fields": fields,
                }
            )
        ids += names


def set_of(one: Anomaly) -> str:
    """Return the feature set that an anomaly is of: `anomaly.traffic`, or of a watch `anomaly.traffic.beacons`."""
    return one.detector.split(".")[1]


def archived(
    archive: Archive,
    definitions: Mapping[str, Definition],
    sets: Mapping[str, FeatureSet],
    anomalies: Sequence[Anomaly],
    enrichment: Enrichment,
) -> dict[str, Evidence]:
    """Return the evidence of anomalies from the archive; a damaged file costs what it holds."""
    found: dict[str, Evidence] = {}
    for one in anomalies:
        behind = Behind(sets, [one], enrichment)
        for source in sets[set_of(one)].of(set(archive.sources()).intersection(definitions)):
            parser = DefinedParser(definitions[source])
            for batch in archive.read(source, one.start, one.end, lambda _: None):
                behind.look(batch, parser)
        found |= behind.evidence()
    return found
