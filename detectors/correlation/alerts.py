"""Alerts to matches and findings.

A finding of a correlation is a group × a tumbling window in which alerts end. The events of these alerts are its
matches, each once however many alerts it is part of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from detectors.correlation.evaluate import FIELD
from detectors.correlation.events import KEPT_ENTITIES
from detectors.evidence import ENTITIES, EVIDENCE, LISTED, listed
from detectors.findings import Detection, Found, rule_words
from detectors.identity import finding_id, match_ids, successor_id, suppressed_id
from detectors.questions import decide
from detectors.schema import FINDING, MATCH, SEVERITY, SUPPRESSED, TIME
from detectors.sigma.filters import Filter
from detectors.telling import of_group, tell

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Key = tuple[str, int]  # of a finding: its group, and when its window begins
Mute = Callable[[pl.DataFrame], pl.Series]  # events (EVENTS) → why each makes no finding, or null
Originals = Callable[[pl.DataFrame], Mapping[str, str]]  # events (rule, event.id, time) → their raw records by id


def found(
    detection: Detection,
    events: pl.DataFrame,
    new: pl.DataFrame,
    originals: Originals,
    steps: Mapping[Key, int],
    *,
    mute: Mute,
) -> Found:
    """Make matches of the new ones of some events, and findings of all events of those that nothing was said of.

    `steps` numbers what was said before of findings: of others nothing was. `mute` says of events why they make no
    finding; a finding is made where one of its events does.
    """
    identity = detection.meta.id
    names = _names(identity, new.select("group", "anchor").unique().iter_rows(), steps)
    reasons = mute(new)
    matches = _matches(detection, new, names).with_columns(
        pl.when(reasons.is_null()).then("soc.finding.id").alias("soc.finding.id"), reasons.alias("soc.silenced")
    )
    loud = events.filter(mute(events).is_null()).select("group", "anchor").unique()
    events = events.join(loud, on=["group", "anchor"], how="semi")
    evidence = _evidence(events, originals)
    rows = [
        _finding(names[row["group"], row["anchor"]], row, evidence[row["group"], row["anchor"]], detection)
        | _follows(identity, (row["group"], row["anchor"]), steps)
        for row in _summary(events).iter_rows(named=True)
    ]
    return Found(matches, pl.DataFrame(rows, schema=FINDING))


def suppressed(detection: Detection, taken: Filter, events: pl.DataFrame) -> pl.DataFrame:
    """Return SUPPRESSED: events (EVENTS) of alerts that an exception took."""
    names = _names(detection.meta.id, events.select("group", "anchor").unique().iter_rows(), {})
    matches = _matches(detection, events, names)
    return matches.select(
        "@timestamp",
        pl.Series("soc.suppressed.id", [suppressed_id(each, taken.id) for each in matches["soc.match.id"]], pl.String),
        pl.lit(taken.id).alias("soc.exception.id"),
        pl.lit(taken.title).alias("soc.exception.title"),
        "soc.match.id",
        "rule.id",
        pl.lit(detection.meta.title).alias("rule.name"),
        pl.lit(detection.meta.level).alias("soc.level"),
        "event.id",
        "soc.source",
        "soc.group",
        "soc.finding.id",
    ).cast(SUPPRESSED)


def withdrawn(detection: Detection, events: pl.DataFrame, originals: Originals, steps: Mapping[Key, int]) -> Found:
    """Make findings that withdraw others; they show the events that are known now."""
    meta, identity = detection.meta, detection.meta.id
    names, evidence = _names(identity, steps, steps), _evidence(events, originals)
    rows = [
        _finding(names[key], row, evidence[key], detection)
        | _follows(identity, key, steps)
        | {
            "event.action": "correlation-withdrawn",
            "event.severity": SEVERITY["informational"],
            "event.risk_score": 0.0,
            "soc.level": "informational",
            "message": f"Withdrawn: {meta.title} ({row['group']}); what came late shows that it is not so",
            "soc.message.vi": f"Rút lại: {meta.title_vi or meta.title} ({row['group']}); nhật ký đến muộn cho thấy "
            "không phải như vậy",
        }
        for row in _summary(events).iter_rows(named=True)
        if (key := (row["group"], row["anchor"])) in names
    ]
    return Found(MATCH.to_frame(), pl.DataFrame(rows, schema=FINDING))


def _matches(detection: Detection, events: pl.DataFrame, names: Mapping[Key, str]) -> pl.DataFrame:
    """Return events of findings, whose names are given, as matches that nothing mutes."""
    identity = detection.meta.id
    known = [(*key, name) for key, name in names.items()]
    of = pl.DataFrame(known, schema={"group": pl.String, "anchor": pl.Int64, "owner": pl.String}, orient="row")
    owners = events.select("group", "anchor").join(of, on=["group", "anchor"], how="left", maintain_order="left")
    pairs = pl.DataFrame([owners["owner"], events["event.id"]])
    return events.select(
        pl.col("time").cast(TIME).alias("@timestamp"),
        pl.Series("soc.match.id", match_ids(identity, detection.semantics, pairs), pl.String),
        pl.lit(identity).alias("rule.id"),
        pl.lit(detection.meta.title).alias("rule.name"),
        pl.lit(detection.meta.level).alias("soc.level"),
        pl.col("event.id").reshape((-1, 1)).cast(pl.List(pl.String)),
        "soc.source",
        pl.col("group").alias("soc.group"),
        owners["owner"].alias("soc.finding.id"),
        pl.lit(None, pl.String).alias("soc.silenced"),
    ).cast(MATCH)


def _names(identity: str, keys: Iterable[Any], steps: Mapping[Key, int]) -> dict[Key, str]:
    return {
        (group, anchor): successor_id(finding_id(identity, group, _moment(anchor)), steps.get((group, anchor), 0))
        for group, anchor in keys
    }


def _follows(identity: str, key: Key, steps: Mapping[Key, int]) -> dict[str, str]:
    return {"soc.follows": finding_id(identity, key[0], _moment(key[1]))} if steps.get(key) else {}


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _summary(events: pl.DataFrame) -> pl.DataFrame:
    """Return per finding when its events begin and end, how many they are, and whom they name."""
    entities = [listed(f"{FIELD}{name}").alias(name) for name in KEPT_ENTITIES]
    many = [pl.when(pl.col(name).list.len() > LISTED).then(pl.lit(name)) for name in KEPT_ENTITIES]
    times = pl.col("time").cast(TIME)
    return (
        events.group_by("group", "anchor", maintain_order=True)
        .agg(
            times.min().alias("first"),
            times.max().alias("last"),
            pl.len().alias("count"),
            pl.col("soc.source").unique().sort().str.join(", "),
            *entities,
        )
        .with_columns(
            pl.concat_list(many).list.drop_nulls().alias("capped"),
            *(pl.col(name).list.head(LISTED) for name in KEPT_ENTITIES),
        )
    )


def _evidence(events: pl.DataFrame, originals: Originals) -> dict[tuple[str, int], str]:
    """Return a few events of each finding as JSON: the first of every rule, then the next of every rule."""
    place = pl.int_range(pl.len()).over("group", "anchor", "rule")
    ordered = events.sort("time", "event.id").with_columns(place.alias("place")).sort("place", "time", "event.id")
    shown = ordered.group_by("group", "anchor", maintain_order=True).head(EVIDENCE).sort("time", "event.id")
    raw, found = originals(shown), defaultdict[tuple[str, int], list[dict[str, Any]]](list)
    for row in shown.iter_rows(named=True):
        found[row["group"], row["anchor"]].append(_document(row, raw))
    return {key: orjson.dumps(documents, default=str).decode() for key, documents in found.items()}


def _finding(name: str, seen: Mapping[str, Any], evidence: str, detection: Detection) -> dict[str, Any]:
    anchor = _moment(seen["anchor"])
    entities = {field: seen.get(field, []) for field in ENTITIES}

    def values(name: str) -> list[str]:
        return entities.get(name) or of_group(seen["group"], name)

    told = tell(detection.meta, seen["group"], values)
    return {
        **rule_words(detection),
        **entities,
        "@timestamp": seen["first"],
        "event.id": name,
        "event.action": "correlation-matched",
        "event.start": seen["first"],
        "event.end": seen["last"],
        "message": told.message,
        "soc.message.vi": told.message_vi,
        "soc.title.vi": told.title_vi,
        "soc.decisions": decide(detection.meta, values, seen["first"], seen["last"]),
        "related.hosts": entities["host.name"],
        "related.ip": sorted({*entities["source.ip"], *entities["destination.ip"]})[:LISTED],
        "related.user": entities["user.name"],
        "soc.source": seen["soc.source"],
        "soc.origin": [],
        "soc.group": seen["group"],
        "soc.window.start": anchor,
        "soc.window.end": anchor + timedelta(seconds=detection.seconds),
        "soc.count": seen["count"],
        "soc.capped": seen["capped"],
        "soc.evidence": evidence,
    }


def _document(row: Mapping[str, Any], raw: Mapping[str, str]) -> dict[str, Any]:
    fields = {name.removeprefix(FIELD): value for name, value in row.items() if name.startswith(FIELD) and value}
    return {
        "event.id": row["event.id"],
        "@timestamp": _moment(row["time"]),
        "event.original": raw.get(row["event.id"], ""),
        "fields": {"rule.id": row["rule"], **fields},
    }
