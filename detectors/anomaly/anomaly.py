"""An anomaly, and the finding that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from shlex import quote
from typing import Any, Final

import orjson
import polars as pl

from detectors.anomaly.parts import Words
from detectors.evidence import ENTITIES
from detectors.findings import Detection, Found, nothing, rule_words
from detectors.identity import finding_id, group_key, match_id
from detectors.meta import Meta
from detectors.questions import ANOMALY, decide
from detectors.schema import FINDING, MATCH

ENTITY_TEXT: Final = 200
EVENT_IDS: Final = 50  # named under a finding
ABOUT: Final = {
    "pyod": Words(
        en="A model learnt what is usual; what is told is stranger than the alarm budget lets come up by chance.",
        vi="Mô hình đã học hành vi thường ngày; chỉ báo khi mức lạ vượt quá ngân sách cảnh báo.",
    ),
    "soc": Words(
        en="What comes in is held against the weeks before; what hardly ever comes up is told.",
        vi="Dữ liệu mới được so với những tuần trước; chỉ báo điều hầu như chưa từng xảy ra.",
    ),
}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Somebody or something behaved as never before, from `start` until `end`."""

    detector: str  # "anomaly.logons"
    version: str  # of what found it
    title: Words
    check: Words
    level: str
    tags: tuple[str, ...]
    source: str
    column: str  # that names the entity
    entity: str
    start: datetime
    end: datetime
    text: Words  # what is usual, what was seen
    details: dict[str, Any] = field(default_factory=dict)  # the same for machines
    count: int = 1  # events of the window
    where: dict[str, str] = field(default_factory=dict)  # what its events have beside the entity

    @property
    def group(self) -> str:
        return group_key(f"{self.column}={self.entity}")

    @property
    def id(self) -> str:
        """Name it by entity, window and detector: another model that finds it again adds no finding."""
        return finding_id(self.detector, self.group, self.start)

    @property
    def query(self) -> dict[str, Any]:
        """Return the search for its events, as Elasticsearch takes it."""
        period = {"gte": self.start.isoformat(), "lt": self.end.isoformat()}
        terms = [{"term": {name: value}} for name, value in {self.column: self.entity, **self.where}.items()]
        return {"bool": {"filter": [*terms, {"range": {"@timestamp": period}}]}}

    @property
    def command(self) -> str | None:
        """Return what shows its events from the archive, for a shell; none where no event has the entity's column."""
        fields = {self.column: self.entity, **self.where}
        if self.column.startswith("soc.") or not all(value.isprintable() for value in fields.values()):
            return None
        parts = [f"--where {quote(f'{name}={value}')}" for name, value in fields.items()]
        since, until = (f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for time in (self.start, self.end))
        return " ".join(("soc hunt", *parts, f"--since {since}", f"--until {until}"))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Events behind an anomaly: their ids, and the first of them whole (JSON as `soc.evidence` has it)."""

    ids: Sequence[str] = ()
    shown: Sequence[dict[str, Any]] = ()


def found(anomalies: Sequence[Anomaly], evidence: dict[str, Evidence], lang: str) -> Found:
    """Return findings and matches of anomalies in one language (`soc.anomaly` has both); evidence is by their ids."""
    if not anomalies:
        return nothing()
    rows = [_finding(one, evidence.get(one.id, Evidence()), lang) for one in anomalies]
    matches = [_match(one, evidence[one.id], lang) for one in anomalies if one.id in evidence and evidence[one.id].ids]
    return Found(pl.DataFrame(matches, schema=MATCH), pl.DataFrame(rows, schema=FINDING))


def document(one: Anomaly) -> dict[str, Any]:
    """Return all that is known of an anomaly, for machines and for the report."""
    return {
        "text": {"en": one.text.en, "vi": one.text.vi},
        "entity": {"field": one.column, "value": one.entity},
        "window": [one.start.isoformat(), one.end.isoformat()],
        "version": one.version,
        "query": one.query,
        "command": one.command,
        **one.details,
    }


def _finding(one: Anomaly, evidence: Evidence, lang: str) -> dict[str, Any]:
    provider = "pyod" if "p" in one.details else "soc"
    meta = Meta(
        id=one.detector,
        title=one.title.get(lang),
        level=one.level,
        status="experimental",
        description=ABOUT[provider].get(lang),
        tags=one.tags,
        runbook=one.check.get(lang),
        asks=ANOMALY,
    )
    entities: dict[str, list[str]] = {name: [] for name in ENTITIES}
    for column, value in {**one.where, one.column: one.entity}.items():
        if column in entities:
            entities[column] = [value]
    return {
        **rule_words(Detection(meta, one.version, provider=provider)),
        **entities,
        "@timestamp": one.start,
        "event.id": one.id,
        "event.action": "anomaly",
        "event.start": one.start,
        "event.end": one.end,
        "message": f"{one.entity[:ENTITY_TEXT]}: {one.text.get(lang)}",
        "related.hosts": entities["host.name"],
        "related.ip": [*entities["source.ip"], *entities["destination.ip"]],
        "related.user": entities["user.name"],
        "soc.source": one.source,
        "soc.origin": [],
        "soc.group": one.group,
        "soc.window.start": one.start,
        "soc.window.end": one.end,
        "soc.count": one.count,
        "soc.capped": [],
        "soc.evidence": orjson.dumps(list(evidence.shown), default=str).decode(),
        "soc.decisions": decide(meta, lambda name: entities.get(name, []), one.start, one.end),
        "soc.anomaly": orjson.dumps(document(one), default=str).decode(),
    }


def _match(one: Anomaly, evidence: Evidence, lang: str) -> dict[str, Any]:
    ids = list(evidence.ids)[:EVENT_IDS]
    return {
        "@timestamp": one.start,
        "soc.match.id": match_id(one.detector, one.version, ids),
        "rule.id": one.detector,
        "rule.name": one.title.get(lang),
        "soc.level": one.level,
        "event.id": ids,
        "soc.source": one.source,
        "soc.group": one.group,
        "soc.finding.id": one.id,
        "soc.silenced": None,
    }
