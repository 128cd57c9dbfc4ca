"""The events behind anomalies, read back from where they came."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from connectors.archive import Archive
from connectors.definitions import Definition
from connectors.parser import DefinedParser
from detectors.anomaly.anomaly import EVENT_IDS, Anomaly, Evidence
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.tally import selected
from detectors.contracts import Batch
from detectors.evidence import EVIDENCE, ORIGINAL
from detectors.findings import event_ids


class Behind:
    """Gathers the first events of each anomaly's entity in its window, batch by batch."""

    def __init__(self, sets: Mapping[str, FeatureSet], anomalies: Sequence[Anomaly]) -> None:
        self._sets, self._anomalies = sets, anomalies
        self._ids: dict[str, list[str]] = defaultdict(list)
        self._shown: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def look(self, batch: Batch, parser: DefinedParser) -> None:
        """Take from a batch what belongs to anomalies that lack events."""
        for chosen in self._sets.values():
            mine = [one for one in self._anomalies if one.detector == f"anomaly.{chosen.name}"]
            if batch.source not in chosen.sources or not any(self._lacks(one) for one in mine):
                continue
            events = selected(parser.parse(batch, chosen.columns).frame(), chosen)
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


def archived(
    archive: Archive,
    definitions: Mapping[str, Definition],
    sets: Mapping[str, FeatureSet],
    anomalies: Sequence[Anomaly],
) -> dict[str, Evidence]:
    """Return the evidence of anomalies from the archive; a damaged file costs what it holds."""
    found: dict[str, Evidence] = {}
    for one in anomalies:
        behind = Behind(sets, [one])
        chosen = sets[one.detector.removeprefix("anomaly.")]
        for source in sorted(set(chosen.sources).intersection(archive.sources(), definitions)):
            parser = DefinedParser(definitions[source])
            for batch in archive.read(source, one.start, one.end, lambda _: None):
                behind.look(batch, parser)
        found |= behind.evidence()
    return found
