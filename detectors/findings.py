"""Hits to matches, matches to findings.

A finding is a rule × a group key × a tumbling window anchored in event time. Its name depends on nothing else, so it
doesn't matter in which batch, order or run its events arrive; the first batch that has any writes its document.
A match may make no finding, because its rule is but a signal or maintenance goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import numpy as np
import polars as pl

from detectors.attack import attack
from detectors.contracts import Batch, Hits
from detectors.evidence import ENTITIES, EVIDENCE, LISTED, Record, documents, entity_columns, evidence, listed, seen
from detectors.identity import event_ids as names_of
from detectors.identity import finding_id, group_key, matches_of, written
from detectors.meta import Meta
from detectors.questions import decide
from detectors.schema import FINDING, MATCH, SEVERITY, SUPPRESSED, TIME
from detectors.telling import of_group, tell

WINDOWS = {"critical": 3600, "high": 4 * 3600, "medium": 86400, "low": 86400, "informational": 86400}  # seconds
RISK = {"critical": 90.0, "high": 70.0, "medium": 45.0, "low": 20.0, "informational": 5.0}
SIGNAL = "signal"  # why the match of a rule that only signals makes no finding
TOGETHER = 2_000  # findings that are made at once: each takes some 6 kB, and as much again where it is stored
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # the window of events whose time can't be read


_FINDING = ("rule", "soc.group", "start")  # what names a finding


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
    known: int = 0  # findings that matches belong to and that were told before


@cache
def nothing() -> Found:
    """Return what a batch without hits adds."""
    return Found(MATCH.to_frame(), FINDING.to_frame())


def joined(parts: Iterable[Found]) -> Found:
    """Return parts of what a batch adds as one."""
    found = [nothing(), *parts]
    matches, findings, suppressed = (
        pl.concat(each) for each in zip(*((one.matches, one.findings, one.suppressed) for one in found), strict=True)
    )
    return Found(matches, findings, suppressed, sum(one.known for one in found))


def assemble(
    batch: Batch,
    events: pl.DataFrame,
    hits: Hits,
    detections: Sequence[Detection],
    entity: Sequence[str],
    *,
    whole: Callable[[Sequence[int]], pl.DataFrame],
    silenced: Mapping[int, str] | None = None,
    known: Container[str] = frozenset(),
) -> Iterator[Found]:
    """Make matches and findings of hits, so many at a time as memory bears.

    `events` are the hit events only, with the columns that `named` names; `hits.row` numbers their rows. `entity` names
    the ECS fields that form the group key of rules that don't choose their own. `whole` returns rows of `events` with
    all that they hold, for the few that are shown as evidence. `silenced` tells of hits, by their places, why they make
    no finding. Findings that are `known` are not made again: the first batch that has events of one writes it.
    """
    if not hits.row.size:
        return
    frame = _silenced(identified(batch, events, hits, detections, entity), detections, silenced or {})
    loud = pl.col("soc.silenced").is_null()
    ids = frame.filter(loud)["soc.finding.id"].unique(maintain_order=True)
    fresh = [name for name in ids if name not in known]
    later = loud & pl.col("soc.finding.id").is_in(fresh[TOGETHER:])
    for begin in range(0, max(len(fresh), 1), TOGETHER):
        told = frame.filter(loud & pl.col("soc.finding.id").is_in(fresh[begin : begin + TOGETHER]))
        findings = _findings(told, events, whole, detections, batch)
        matches = _matches(told if begin else frame.filter(~later), detections, batch)
        yield Found(matches, findings, known=0 if begin else len(ids) - len(fresh))


def identified(
    batch: Batch, events: pl.DataFrame, hits: Hits, detections: Sequence[Detection], entity: Sequence[str]
) -> pl.DataFrame:
    """Return a row per hit with its group and all ids, in order of time; `hit` is its place among the hits."""
    ids = event_ids(batch, events)
    frame = _grouped(events, hits, detections, entity, batch.source)
    ruled = {rule: detections[rule] for rule in np.unique(hits.rule).tolist()}
    begun = {rule: matches_of(told.meta.id, told.semantics) for rule, told in ruled.items()}
    ends = [written(name) for name in ids]
    matches = [begun[rule].ended(ends[row]) for rule, row in frame.select("rule", "row").iter_rows()]
    groups = frame.select(_FINDING).unique(maintain_order=True)
    findings = [finding_id(ruled[rule].meta.id, group, start) for rule, group, start in groups.iter_rows()]
    named = groups.with_columns(pl.Series("soc.finding.id", findings, pl.String))
    own = pl.Series("id", ids, pl.String).gather(frame["row"]), pl.Series("soc.match.id", matches, pl.String)
    return frame.hstack([*own]).join(named, on=_FINDING, how="left", maintain_order="left")


def named(hits: Hits, detections: Sequence[Detection], entity: Sequence[str]) -> frozenset[str]:
    """Name the columns that findings of these hits tell of, or are grouped by."""
    own = (detections[rule].meta.group_by for rule in np.unique(hits.rule).tolist())
    return frozenset(ENTITIES).union(entity, *own)


def event_ids(batch: Batch, events: pl.DataFrame) -> list[str]:
    """Return the ids of events of a batch."""
    return names_of(batch.source, batch.origins(events), events)


def _grouped(
    events: pl.DataFrame, hits: Hits, detections: Sequence[Detection], entity: Sequence[str], source: str
) -> pl.DataFrame:
    """Return a row per hit with its group key and the start of its window, in order of time."""
    rules, numbers = np.unique(hits.rule, return_inverse=True)
    told = [detections[rule] for rule in rules.tolist()]
    keys = [each.meta.group_by or tuple(entity) for each in told]
    fields = [*dict.fromkeys(keys)]
    texts = pl.concat([_group_texts(events, names, source) for names in fields])
    places = np.array([fields.index(key) * events.height for key in keys])[numbers] + hits.row
    frame = pl.DataFrame(
        {
            "hit": np.arange(hits.row.size),
            "rule": hits.rule,
            "row": hits.row,
            "soc.group": texts.gather(places),
            "@timestamp": events["@timestamp"].gather(hits.row),
            "seconds": np.array([each.seconds for each in told], np.int64)[numbers],
        }
    )
    window = pl.col("seconds") * 1_000_000
    start = (pl.col("@timestamp").dt.epoch("us") // window * window).cast(TIME)
    return frame.with_columns(start.fill_null(UNKNOWN_TIME).alias("start")).sort("@timestamp", "rule", "row")


def _group_texts(events: pl.DataFrame, fields: Sequence[str], source: str) -> pl.Series:
    """Return per event the group key as text, "host.name=DC01 | user.name=lan"; fields without a value are left out."""
    present = [name for name in fields if name in events.columns]
    if not present:
        return pl.Series([source]).new_from_index(0, events.height)
    parts = [pl.lit(f"{name}=") + pl.col(name).cast(pl.String) for name in present]
    text = pl.concat_str(parts, separator=" | ", ignore_nulls=True)
    texts = events.select(pl.when(text == "").then(pl.lit(source)).otherwise(text)).to_series()
    return pl.Series(map(group_key, texts.to_list()), dtype=pl.String)


def _silenced(frame: pl.DataFrame, detections: Sequence[Detection], silenced: Mapping[int, str]) -> pl.DataFrame:
    """Add why a match makes no finding."""
    signals = [rule for rule in frame["rule"].unique() if detections[rule].meta.signal]
    if not signals and not silenced:
        return frame.with_columns(pl.lit(None, pl.String).alias("soc.silenced"))
    told = pl.col("hit").replace_strict(silenced, default=None, return_dtype=pl.String)
    reason = pl.when(pl.col("rule").is_in(signals)).then(pl.lit(SIGNAL)).otherwise(told)
    return frame.with_columns(reason.alias("soc.silenced"))


def _matches(frame: pl.DataFrame, detections: Sequence[Detection], batch: Batch) -> pl.DataFrame:
    rules, numbers = np.unique(frame["rule"], return_inverse=True)
    metas = [detections[rule].meta for rule in rules.tolist()]
    told = [(meta.id, meta.title, meta.level) for meta in metas]
    names = pl.DataFrame(told, schema=["rule.id", "rule.name", "soc.level"], orient="row")
    made = frame.select(
        "@timestamp",
        "soc.match.id",
        *names[numbers],
        pl.col("id").reshape((-1, 1)).cast(pl.List(pl.String)).alias("event.id"),
        pl.lit(batch.source).alias("soc.source"),
        "soc.group",
        pl.when(pl.col("soc.silenced").is_null()).then("soc.finding.id"),
        "soc.silenced",
    )
    return made.cast(MATCH)


_MADE = ("soc.evidence", "message", "soc.message.vi", "soc.title.vi", "soc.decisions", "related.ip")
_COUNTED = (
    pl.concat_list(pl.when(pl.col(name).list.len() > LISTED).then(pl.lit(name)).otherwise(None) for name in ENTITIES)
    .list.drop_nulls()
    .alias("soc.capped"),
    *(pl.col(name).list.head(LISTED) for name in (*ENTITIES, "soc.label")),
)
_TOLD = (
    pl.all().exclude("soc.label"),
    pl.col("event.start").alias("@timestamp"),
    pl.col("soc.finding.id").alias("event.id"),
    pl.lit("rule-matched").alias("event.action"),
    pl.col("host.name").alias("related.hosts"),
    pl.col("user.name").alias("related.user"),
    pl.col("soc.label").alias("soc.origin"),
    pl.col("start").alias("soc.window.start"),
    (pl.col("start") + pl.duration(seconds="seconds")).alias("soc.window.end"),
)


def _findings(
    frame: pl.DataFrame,
    events: pl.DataFrame,
    whole: Callable[[Sequence[int]], pl.DataFrame],
    detections: Sequence[Detection],
    batch: Batch,
) -> pl.DataFrame:
    if frame.is_empty():
        return FINDING.to_frame()
    entities = [column.gather(frame["row"]) for column in (*entity_columns(events), batch.labels(events))]
    found = (
        frame.hstack(entities)
        .group_by("soc.finding.id", maintain_order=True)
        .agg(
            pl.col("rule", "soc.group", "start", "seconds").first(),
            pl.col("@timestamp").min().alias("event.start"),
            pl.col("@timestamp").max().alias("event.end"),
            pl.len().alias("soc.count"),
            pl.col("row", "id").head(EVIDENCE),
            *(listed(name) for name in (*ENTITIES, "soc.label")),
        )
    )
    rules, numbers = np.unique(found["rule"], return_inverse=True)
    words = pl.concat([_words(detections[rule]) for rule in rules.tolist()])[numbers]
    shown = np.unique(found["row"].explode())
    records = dict(zip(shown.tolist(), documents(whole(shown.tolist())), strict=True))
    rows = [_made(row, records, detections) for row in found.iter_rows(named=True)]
    made = pl.DataFrame(rows, schema={name: FINDING[name] for name in _MADE}, orient="row")
    told = found.hstack([*words, *made]).with_columns(_COUNTED)
    told = told.select(pl.lit(batch.source).alias("soc.source"), *_TOLD)
    others = (pl.lit(None).alias(name) for name in FINDING if name not in told.columns)
    return told.with_columns(others).select(FINDING.names()).cast(FINDING)


def _made(
    row: Mapping[str, Any], records: Mapping[int, Record], detections: Sequence[Detection]
) -> tuple[str, str, str | None, str | None, str | None, list[str]]:
    """Return what a finding has that no expression makes (_MADE)."""
    shown = [records[number] for number in row["row"]]

    def values(name: str) -> list[Any]:
        return row[name] if name in ENTITIES and row[name] else seen(shown, name) or of_group(row["soc.group"], name)

    meta = detections[row["rule"]].meta
    told, decisions = tell(meta, row["soc.group"], values), decide(meta, values, row["event.start"], row["event.end"])
    addresses = sorted({*row["source.ip"], *row["destination.ip"]})[:LISTED]
    return evidence(shown, row["id"]), told.message, told.message_vi, told.title_vi, decisions, addresses


@lru_cache(maxsize=10_000)
def _words(detection: Detection) -> pl.DataFrame:
    return pl.DataFrame([rule_words(detection)], schema={name: FINDING[name] for name in rule_words(detection)})


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
        "soc.harmless.vi": list(meta.falsepositives_vi),
        "soc.runbook": meta.runbook,
    }
