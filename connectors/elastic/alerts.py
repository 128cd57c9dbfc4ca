"""What people said in Kibana: status, reason and tags of its alerts, read from their index and never written to.

    {"kibana.alert.uuid": "9f…", "event.id": "<finding>", "kibana.alert.workflow_status": "closed",
     "kibana.alert.workflow_reason": "false_positive", "kibana.alert.workflow_tags": ["vpn"],
     "kibana.alert.workflow_status_updated_at": "2026-11-28T03:00:00.000Z"}

The alert copies `event.id` and `event.module` of its finding; other rules' alerts are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from elasticsearch import Elasticsearch

from connectors.elastic.findings import pages, value_of
from connectors.store_cases import Verdict
from connectors.store_schema import REASONS

INDEX: Final = ".alerts-security.alerts-{space}"
STATUS: Final = {"open": "new", "acknowledged": "in_progress", "closed": "closed"}
TRUE: Final = frozenset({"true_positive", "true-positive", "đúng"})  # a tag says what no reason of Kibana does


def read_verdicts(client: Elasticsearch, space: str, since: datetime | None) -> Iterator[Verdict]:
    """Yield what was said since a time, oldest first; alerts that nobody touched say nothing."""
    changed = "kibana.alert.workflow_status_updated_at"
    within = {"range": {changed: {"gte": since.isoformat()}}} if since else {"exists": {"field": changed}}
    query = {"bool": {"filter": [within, {"term": {"event.module": "soc"}}, {"exists": {"field": "event.id"}}]}}
    sort = [{changed: "asc"}, {"event.id": "asc"}]
    for hit in pages(client, INDEX.format(space=space), query, sort, "read what Kibana's alerts say"):
        verdict = read(hit["_id"], hit["_source"])
        if verdict is not None:
            yield verdict


def read(alert: str, source: Mapping[str, Any]) -> Verdict | None:
    """Return what an alert says; None where it can't be used."""
    finding = value_of(source, "event.id")
    status = STATUS.get(str(value_of(source, "kibana.alert.workflow_status")))
    try:
        time = datetime.fromisoformat(str(value_of(source, "kibana.alert.workflow_status_updated_at")))
    except ValueError:
        return None
    if not isinstance(finding, str) or status is None:
        return None
    given = value_of(source, "kibana.alert.workflow_tags")
    tags = tuple(str(tag) for tag in given) if isinstance(given, list) else (str(given),) if given else ()
    return Verdict(
        finding, alert, time if time.tzinfo else time.replace(tzinfo=UTC), status, _reason(source, status, tags), tags
    )


def _reason(source: Mapping[str, Any], status: str, tags: tuple[str, ...]) -> str | None:
    if status != "closed":
        return None
    if TRUE & {tag.casefold() for tag in tags}:
        return "true_positive"
    reason = value_of(source, "kibana.alert.workflow_reason")
    return reason if reason in REASONS else None
