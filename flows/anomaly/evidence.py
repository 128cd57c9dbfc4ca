"""The events behind an anomaly, read back from the archive."""

from __future__ import annotations

from typing import Any

from connectors.archive import Archive
from connectors.definitions import Definition
from connectors.parser import DefinedParser
from detectors.anomaly.anomaly import EVENT_IDS, Anomaly, Evidence
from detectors.anomaly.featureset import FeatureSet
from detectors.anomaly.tally import selected
from detectors.findings import EVIDENCE, ORIGINAL, event_ids


def evidence_of(
    archive: Archive, definitions: dict[str, Definition], sets: dict[str, FeatureSet], one: Anomaly
) -> Evidence:
    """Return the first events of an anomaly's entity in its window."""
    chosen = sets[one.detector.removeprefix("anomaly.")]
    ids: list[str] = []
    shown: list[dict[str, Any]] = []
    for source in sorted(set(chosen.sources).intersection(archive.sources(), definitions)):
        parser = DefinedParser(definitions[source])
        for batch in archive.read(source, one.start, one.end, lambda _: None):
            events = selected(parser.parse(batch, chosen.columns).frame(), chosen)
            rows = events.filter(events["entity"] == one.entity).sort("@timestamp").head(EVENT_IDS - len(ids))
            names = event_ids(batch, rows)
            for name, row in zip(names[: EVIDENCE - len(shown)], rows.iter_rows(named=True), strict=False):
                shown.append(
                    {
                        "event.id": name,
                        "@timestamp": row["@timestamp"],
                        "event.original": str(row["event.original"])[:ORIGINAL],
                        "fields": {key: row[key] for key in sorted(chosen.columns) if row.get(key) is not None},
                    }
                )
            ids += names
            if len(ids) >= EVENT_IDS:
                return Evidence(ids, shown)
    return Evidence(ids, shown)
