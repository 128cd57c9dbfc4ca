"""Hits to matches, matches to findings.

A finding is a rule × a group key × a tumbling window anchored in event time. Its name depends on nothing else, so it
doesn't matter in which batch, order or run its events arrive; the first batch that has any writes its document.
A match may make no finding, because its rule is but a signal or maintenance goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import orjson
import polars as pl

from detectors.attack import attack
from detectors.contracts import Batch, Hits
from detectors.identity import digest, event_id, finding_id, match_id
from detectors.meta import Meta
from detectors.schema import FINDING, MATCH, RECORD, SEVERITY, SUPPRESSED, TIME

WINDOWS = {"critical": 3600, "high": 4 * 3600, "medium": 86400, "low": 86400, "informational": 86400}  # seconds
RISK = {"critical": 90.0, "high": 70.0, "medium": 45.0, "low": 20.0, "informational": 5.0}
EVIDENCE = 5  # events shown whole in a finding; the others are matches under its id
ORIGINAL = 16_384  # characters of a raw record shown in evidence
LISTED = 50  # distinct hosts, users, addresses … named in a finding; `soc.capped` tells where there are more
GROUP = 1_000  # characters of a group key; of a longer one its beginning, and a digest that keeps it apart
SIGNAL = "signal"  # why the match of a rule that only signals makes no finding
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the window of events whose time can't be read

ENTITIES = (
    "host.name",
    "user.name",
    "source.ip",
    "destination.ip",
    "process.executable",
    "process.command_line",
    "url.original",
    "file.path",
)


@dataclass(frozen=True, slots=True)
class Detection:
    """What findings need to know of a rule or a detector."""

    meta: Meta
    semantics: str  # names what is detected: other words are the same detection
    provider: str  # sigma, pyod

    @property
    def seconds(self) -> int:
        """The length of its findings' windows."""
        return self.meta.window or WINDOWS[self.meta.level]


@dataclass(frozen=True, slots=True)
class Found:
    """What one batch adds: matches, and the findings they belong to."""

    matches: pl.DataFrame  # MATCH
    findings: pl.DataFrame  # FINDING
    suppressed: pl.DataFrame = field(default_factory=SUPPRESSED.to_frame)


def nothing() -> Found:
    """Return what a batch without hits adds."""
    return Found(MATCH.to_frame(), FINDING.to_frame())


def assemble(
    batch: Batch,
    events: pl.DataFrame,
    hits: Hits,
    detections: Sequence[Detection],
    entity: Sequence[str],
    *,
    whole: Callable[[Sequence[int]], pl.DataFrame],
    silenced: Mapping[int, str] | None = None,
) -> Found:
    """Make matches and findings of hits.

    `events` are the hit events only, with the columns that `named` names; `hits.row` numbers their rows. `entity` names
    the ECS fields that form the group key of rules that don't choose their own. `whole` returns rows of `events` with
    all that they hold, for the few that are shown as evidence. `silenced` tells of hits, by their places, why they make
    no finding.
    """
    if not hits.row.size:
        return nothing()
    frame = _silenced(identified(batch, events, hits, detections, entity), detections, silenced or {})
    told = frame.filter(pl.col("soc.silenced").is_null())
    return Found(_matches(frame, detections, batch), _findings(told, events, whole, detections, batch))


def identified(
    batch: Batch, events: pl.DataFrame, hits: Hits, detections: Sequence[Detection], entity: Sequence[str]
) -> pl.DataFrame:
    """Return a row per hit with its group and all ids, in order of time; `hit` is its place among the hits."""
    ids = event_ids(batch, events)
    frame = _grouped(events, hits, detections, entity, batch.source)
    return frame.with_columns(
        pl.Series("id", [ids[row] for row in frame["row"]]),
        pl.Series(
            "soc.match.id",
            [
                match_id(detections[rule].meta.id, detections[rule].semantics, (ids[row],))
                for rule, row in zip(frame["rule"], frame["row"], strict=True)
            ],
        ),
        pl.Series(
            "soc.finding.id",
            [
                finding_id(detections[rule].meta.id, group, start)
                for rule, group, start in zip(frame["rule"], frame["soc.group"], frame["start"], strict=True)
            ],
        ),
    )


def named(hits: Hits, detections: Sequence[Detection], entity: Sequence[str]) -> frozenset[str]:
    """Name the columns that findings of these hits tell of, or are grouped by."""
    own = (detections[rule].meta.group_by for rule in np.unique(hits.rule).tolist())
    return frozenset(ENTITIES).union(entity, *own)


def event_ids(batch: Batch, events: pl.DataFrame) -> list[str]:
    """Return the ids of events of a batch."""
    columns = (events[name].to_list() for name in ("log.offset", "soc.index", "event.original"))
    return [event_id(batch.source, batch.origin, *record) for record in zip(*columns, strict=True)]


def _grouped(
    events: pl.DataFrame, hits: Hits, detections: Sequence[Detection], entity: Sequence[str], source: str
) -> pl.DataFrame:
    """Return a row per hit with its group key and the start of its window, in order of time."""
    frame = pl.DataFrame({"hit": np.arange(hits.row.size), "rule": hits.rule, "row": hits.row})
    keys = {rule: detections[rule].meta.group_by or tuple(entity) for rule in np.unique(hits.rule).tolist()}
    texts = {fields: _group_text(events, fields, source) for fields in set(keys.values())}
    groups = [texts[keys[rule]][row] for rule, row in zip(hits.rule.tolist(), hits.row.tolist(), strict=True)]
    seconds = [detections[rule].seconds for rule in hits.rule.tolist()]
    times = events["@timestamp"].gather(hits.row)
    frame = frame.with_columns(pl.Series("soc.group", groups), times, pl.Series("seconds", seconds, pl.Int64))
    window = pl.col("seconds") * 1_000_000
    start = (pl.col("@timestamp").dt.epoch("us") // window * window).cast(TIME)
    return frame.with_columns(start.fill_null(UNKNOWN_TIME).alias("start")).sort("@timestamp", "rule", "row")


def _group_text(events: pl.DataFrame, fields: Sequence[str], source: str) -> list[str]:
    """Return per event the group key as text, "host.name=DC01 | user.name=lan"; fields without a value are left out."""
    present = [name for name in fields if name in events.columns]
    if not present:
        return [source] * events.height
    parts = [pl.lit(f"{name}=") + pl.col(name).cast(pl.String) for name in present]
    text = pl.concat_str(parts, separator=" | ", ignore_nulls=True)
    texts = events.select(pl.when(text == "").then(pl.lit(source)).otherwise(text)).to_series().to_list()
    return [text if len(text) <= GROUP else f"{text[:GROUP]} … {digest((text,))}" for text in texts]


def _silenced(frame: pl.DataFrame, detections: Sequence[Detection], silenced: Mapping[int, str]) -> pl.DataFrame:
    """Add why a match makes no finding."""
    signals = {rule for rule in frame["rule"].unique() if detections[rule].meta.signal}
    hits = zip(frame["hit"], frame["rule"], strict=True)
    reasons = [SIGNAL if rule in signals else silenced.get(hit) for hit, rule in hits]
    return frame.with_columns(pl.Series("soc.silenced", reasons, pl.String))


def _matches(frame: pl.DataFrame, detections: Sequence[Detection], batch: Batch) -> pl.DataFrame:
    made = frame.select(
        "@timestamp",
        "soc.match.id",
        pl.Series("rule.id", [detections[rule].meta.id for rule in frame["rule"]], pl.String),
        pl.col("id").reshape((-1, 1)).cast(pl.List(pl.String)).alias("event.id"),
        pl.lit(batch.source).alias("soc.source"),
        "soc.group",
        pl.when(pl.col("soc.silenced").is_null()).then("soc.finding.id"),
        "soc.silenced",
    )
    return made.cast(MATCH)


def _findings(
    frame: pl.DataFrame,
    events: pl.DataFrame,
    whole: Callable[[Sequence[int]], pl.DataFrame],
    detections: Sequence[Detection],
    batch: Batch,
) -> pl.DataFrame:
    if frame.is_empty():
        return FINDING.to_frame()
    groups: dict[str, list[_Hit]] = defaultdict(list)
    columns = ("soc.finding.id", "rule", "row", "id", "@timestamp", "soc.group", "start")
    for finding, *hit in zip(*(frame[name].to_list() for name in columns), strict=True):
        groups[finding].append(_Hit(*hit))
    shown = sorted({hit.row for hits in groups.values() for hit in hits[:EVIDENCE]})
    told = _Told(events, shown, whole(shown))
    rows = [_finding(name, hits, told, detections[hits[0].rule], batch) for name, hits in groups.items()]
    return pl.DataFrame(rows, schema=FINDING)


class _Hit(NamedTuple):
    """One event of a finding."""

    rule: int
    row: int
    event: str  # its id
    time: datetime | None
    group: str
    start: datetime  # of the window


def _finding(finding: str, hits: list[_Hit], told: _Told, detection: Detection, batch: Batch) -> dict[str, Any]:
    found = told.entities(hits)
    entities = {name: values[:LISTED] for name, values in found.items()}
    group, start = hits[0].group, hits[0].start
    times = [hit.time for hit in hits if hit.time is not None]
    first, last = min(times, default=None), max(times, default=None)
    return {
        **rule_words(detection),
        **entities,
        "@timestamp": first,
        "event.id": finding,
        "event.action": "rule-matched",
        "event.start": first,
        "event.end": last,
        "message": f"{detection.meta.title} ({group})",
        "related.hosts": entities["host.name"],
        "related.ip": sorted({*entities["source.ip"], *entities["destination.ip"]})[:LISTED],
        "related.user": entities["user.name"],
        "soc.source": batch.source,
        "soc.origin": [batch.label],
        "soc.group": group,
        "soc.window.start": start,
        "soc.window.end": start + timedelta(seconds=detection.seconds),
        "soc.count": len(hits),
        "soc.capped": [name for name, values in found.items() if len(values) > LISTED],
        "soc.evidence": told.evidence(hits),
    }


def rule_words(detection: Detection) -> dict[str, Any]:
    """Return what a finding has of its rule, and the marks that every finding has."""
    meta = detection.meta
    named = attack(meta.tags)
    return {
        "event.kind": "alert",
        "event.category": ["intrusion_detection"],
        "event.type": ["info"],
        "event.module": "soc",
        "event.provider": detection.provider,
        "event.dataset": "soc.findings",
        "event.severity": SEVERITY[meta.level],
        "event.risk_score": RISK[meta.level],
        "rule.id": meta.id,
        "rule.name": meta.title,
        "rule.description": meta.description,
        "rule.author": [name.strip() for name in meta.author.split(",") if name.strip()],
        "rule.license": meta.license,
        "rule.reference": list(meta.references),
        "rule.ruleset": detection.provider,
        "rule.version": detection.semantics,
        "threat.framework": "MITRE ATT&CK" if named.tactics or named.techniques else None,
        "threat.tactic.id": list(named.tactic_ids),
        "threat.tactic.name": list(named.tactics),
        "threat.technique.id": list(named.techniques),
        "soc.level": meta.level,
        "soc.status": meta.status,
        "soc.tags": list(meta.tags),
        "soc.attack": list(named.pairs),
        "soc.falsepositives": list(meta.falsepositives),
        "soc.runbook": meta.runbook,
    }


class _Told:
    """What findings tell of their events, taken out of the frames once for all of them."""

    def __init__(self, events: pl.DataFrame, shown: list[int], whole: pl.DataFrame) -> None:
        """Take the entities of all events, and the rows that are shown, whole."""
        present = [name for name in ENTITIES if name in events.columns]
        self._entities: dict[str, list[str | None]] = {name: events[name].cast(pl.String).to_list() for name in present}
        self._shown = dict(zip(shown, whole.iter_rows(named=True), strict=True))

    def entities(self, hits: list[_Hit]) -> dict[str, list[str]]:
        """Return the distinct values of each entity field, as they come, one more at most than are named."""
        return {name: self._distinct(name, hits) for name in ENTITIES}

    def evidence(self, hits: list[_Hit]) -> str:
        """Return the first events whole, as JSON: what an analyst reads before believing the title."""
        return orjson.dumps([_document(hit, self._shown[hit.row]) for hit in hits[:EVIDENCE]], default=str).decode()

    def _distinct(self, name: str, hits: list[_Hit]) -> list[str]:
        if name not in self._entities:
            return []
        texts = self._entities[name]
        found = (text for hit in hits if (text := texts[hit.row]) is not None)
        return list(islice(dict.fromkeys(found), LISTED + 1))


def _document(hit: _Hit, record: dict[str, Any]) -> dict[str, Any]:
    original: str = record["event.original"]
    cut = f" … ({len(original)} characters)" if len(original) > ORIGINAL else ""
    return {
        "event.id": hit.event,
        "@timestamp": record["@timestamp"],
        "event.original": original[:ORIGINAL] + cut,
        "fields": {name: value for name, value in sorted(record.items()) if value is not None and name not in RECORD},
    }
