"""Full mode: findings and verdicts come to where decisions stand; verdicts are written as `soc-verdicts` as well."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from connectors.elastic.alerts import read_verdicts
from connectors.elastic.client import Cluster, connect
from connectors.elastic.following import fetch_matches, follow, follow_coverage
from connectors.store import Store
from connectors.store_cases import Cases, Verdict
from detectors.identity import digest
from detectors.schema import FINDING, TIME
from flows import running
from flows.settings import Settings, password
from flows.triage.writing import write

ACTOR: Final = "kibana"
OVERLAP: Final = timedelta(hours=1)  # what was said shortly before the last look may have become visible after it
OF: Final = ("rule.id", "rule.name", "soc.level", "soc.source", "organization.id", "organization.name")
VERDICT: Final = pl.Schema(
    [
        ("@timestamp", TIME),
        ("event.id", pl.String),
        ("event.reference", pl.String),  # the finding
        ("soc.verdict.status", pl.String),
        ("soc.verdict.reason", pl.String),
        ("soc.verdict.tags", pl.List(pl.String)),
        *((name, FINDING[name]) for name in OF),
    ]
)


def reader(settings: Settings) -> Cluster:
    """Return how to reach Elasticsearch to read findings and alerts: as the reader if there is one, else the writer."""
    if not settings.triage.username:
        return running.cluster(settings)
    part = settings.triage
    return Cluster((settings.elastic.url,), part.username, password(part), settings.elastic.ca)


@dataclass(frozen=True, slots=True)
class Brought:
    """What was new."""

    findings: int = 0
    verdicts: int = 0


def bring(settings: Settings, store: Store) -> Brought:
    """Copy what is new in Elasticsearch, if there is one: findings, ledger, then what was said in Kibana."""
    if not settings.elastic.url:
        return Brought()
    cases = Cases(store)
    last = cases.last_verdict()
    client = connect(reader(settings))
    try:
        since = datetime.now(UTC) - timedelta(days=settings.triage.days)
        new = follow(client, store, since)
        follow_coverage(client, store, since)
        found = list(read_verdicts(client, settings.triage.space, last and last - OVERLAP))
    finally:
        client.close()
    write(settings, frame(found, store), "soc-verdicts")
    return Brought(new, cases.verdicts(found, ACTOR))


def matches(settings: Settings, store: Store, finding: str, patience: float = 30.0) -> int:
    """Copy the matches under a finding, if there is an Elasticsearch; return how many were new."""
    if not settings.elastic.url:
        return 0
    client = connect(replace(reader(settings), timeout=patience))
    try:
        return fetch_matches(client, store, finding)
    finally:
        client.close()


def frame(found: list[Verdict], store: Store) -> pl.DataFrame:
    """Return verdicts as documents; an alert that says the same at the same time is the same document."""
    rows = [
        (
            one.time,
            digest(("verdict", one.alert, one.time.isoformat(), one.status, one.reason or "")),
            one.finding,
            one.status,
            one.reason,
            list(one.tags),
            *((of or {}).get(name) for name in OF),
        )
        for one in found
        for of in (store.finding(one.finding),)
    ]
    return pl.DataFrame(rows, schema=VERDICT, orient="row")
