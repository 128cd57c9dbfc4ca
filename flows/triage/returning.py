"""Verdicts come back: what Kibana's alerts say is kept, and written as `soc-verdicts` for dashboards."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from connectors.elastic.alerts import read_verdicts
from connectors.elastic.client import Cluster, connect
from connectors.store import Store
from connectors.store_cases import Cases, Verdict
from detectors.identity import digest
from detectors.schema import TIME
from flows import running
from flows.settings import Settings, password
from flows.triage.writing import write

ACTOR: Final = "kibana"
OVERLAP: Final = timedelta(hours=1)  # what was said shortly before the last look may have become visible after it
VERDICT: Final = pl.Schema(
    [
        ("@timestamp", TIME),
        ("event.id", pl.String),
        ("event.reference", pl.String),  # the finding
        ("soc.verdict.status", pl.String),
        ("soc.verdict.reason", pl.String),
        ("soc.verdict.tags", pl.List(pl.String)),
    ]
)


def reader(settings: Settings) -> Cluster:
    """Return how to reach Elasticsearch to read findings and alerts: as the reader if there is one, else the writer."""
    if not settings.triage.username:
        return running.cluster(settings)
    part = settings.triage
    return Cluster((settings.elastic.url,), part.username, password(part), settings.elastic.ca)


def bring(settings: Settings, store: Store) -> int:
    """Read what was said since the last look, keep it; return how much was new."""
    cases = Cases(store)
    last = cases.last_verdict()
    client = connect(reader(settings))
    try:
        found = list(read_verdicts(client, settings.triage.space, last and last - OVERLAP))
    finally:
        client.close()
    write(settings, frame(found), "soc-verdicts")
    return cases.verdicts(found, ACTOR)


def frame(found: list[Verdict]) -> pl.DataFrame:
    """Return verdicts as documents; an alert that says the same at the same time is the same document."""
    rows = [
        (
            one.time,
            digest(("verdict", one.alert, one.time.isoformat(), one.status, one.reason or "")),
            one.finding,
            one.status,
            one.reason,
            list(one.tags),
        )
        for one in found
    ]
    return pl.DataFrame(rows, schema=VERDICT, orient="row")
