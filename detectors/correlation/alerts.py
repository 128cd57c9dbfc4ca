"""Alerts to matches and findings.

A finding of a correlation is a group × a tumbling window in which alerts end. The events of these alerts are its
matches, each once however many alerts it is part of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from detectors.correlation.evaluate import FIELD, Alerts, covered
from detectors.correlation.link import SECOND
from detectors.findings import ENTITIES, EVIDENCE, LISTED, Detection, Found, rule_words
from detectors.identity import finding_id, match_id
from detectors.schema import FINDING, MATCH, TIME

KEPT_ENTITIES: Final = ("host.name", "user.name", "source.ip", "destination.ip")
EVERYTHING: Final = "all"  # the group of a correlation that has no groups
_EVENTS: Final = pl.Schema(
    {
        "group": pl.String,
        "anchor": pl.Int64,
        "rule": pl.String,
        "event.id": pl.String,
        "time": pl.Int64,
        "soc.source": pl.String,
        **dict.fromkeys((f"{FIELD}{name}" for name in KEPT_ENTITIES), pl.String),
    }
)

Originals = Callable[[pl.DataFrame], Mapping[str, str]]  # events (rule, event.id, time) → their raw records by id


def gathered(alerts: Alerts, matches: Mapping[str, pl.DataFrame], seconds: int) -> pl.DataFrame:
    """Return the events of all alerts, each once per finding: by its group and the start of its window."""
    frames = [_EVENTS.to_frame()]
    for number, part in enumerate(alerts.parts):
        if not len(part.windows):
            continue
        anchors = part.windows.stop // (seconds * SECOND) * (seconds * SECOND)
        owners, owner = np.unique(np.stack([part.windows.group, anchors]), axis=1, return_inverse=True)
        texts = _texts(alerts)
        for member, whose, rows in covered(alerts, number, np.arange(len(anchors)), owner.ravel()):
            named = pl.DataFrame({"group": texts.gather(owners[0][whose]), "anchor": owners[1][whose]})
            columns = [name for name in _EVENTS if name not in ("group", "anchor", "rule")]
            frame = matches[member.id][rows].select(columns).hstack(named)
            frames.append(frame.with_columns(pl.lit(member.id).alias("rule")).select(_EVENTS.names()))
    return pl.concat(frames).unique(["group", "anchor", "event.id"], keep="first", maintain_order=True)


def _texts(alerts: Alerts) -> pl.Series:
    """Return the group keys as text: `source.ip=192.0.2.7 | user.name=lan`."""
    names, groups = alerts.linked.rule.group_by, alerts.matches.groups
    if not names:
        return pl.Series([EVERYTHING])
    parts = [pl.lit(f"{name}=") + pl.col(key) for name, key in zip(names, groups.columns, strict=True)]
    return groups.select(pl.concat_str(parts, separator=" | ")).to_series()


def found(detection: Detection, events: pl.DataFrame, new: pl.DataFrame, originals: Originals) -> Found:
    """Make matches of the new ones of gathered events, and the findings that these belong to."""
    identity = detection.meta.id
    names = {
        (group, anchor): finding_id(identity, group, _moment(anchor))
        for group, anchor in new.select("group", "anchor").unique().iter_rows()
    }
    owners = [names[each] for each in new.select("group", "anchor").iter_rows()]
    matches = new.select(
        pl.col("time").cast(TIME).alias("@timestamp"),
        pl.Series(
            "soc.match.id",
            [match_id(identity, detection.semantics, each) for each in zip(owners, new["event.id"], strict=True)],
        ),
        pl.lit(identity).alias("rule.id"),
        pl.col("event.id").reshape((-1, 1)).cast(pl.List(pl.String)),
        "soc.source",
        pl.col("group").alias("soc.group"),
        pl.Series("soc.finding.id", owners, pl.String),
    ).cast(MATCH)
    shown = _shown(events.join(new.select("group", "anchor").unique(), on=["group", "anchor"]))
    raw = originals(shown) if shown.height else {}
    parts = events.partition_by("group", "anchor", as_dict=True, maintain_order=True)
    evidence = shown.partition_by("group", "anchor", as_dict=True, maintain_order=True)
    rows = [_finding(names[key], parts[key], evidence[key], raw, detection) for key in names]
    return Found(matches, pl.DataFrame(rows, schema=FINDING))


def _moment(micros: int) -> datetime:
    moment: datetime = pl.Series([micros]).cast(TIME)[0]
    return moment


def _shown(events: pl.DataFrame) -> pl.DataFrame:
    """Return a few events of each finding: the first of every rule, then the next of every rule."""
    place = pl.int_range(pl.len()).over("group", "anchor", "rule")
    ordered = events.sort("time", "event.id").with_columns(place.alias("place")).sort("place", "time", "event.id")
    return ordered.group_by("group", "anchor", maintain_order=True).head(EVIDENCE).sort("time", "event.id")


def _finding(
    name: str, events: pl.DataFrame, shown: pl.DataFrame, raw: Mapping[str, str], detection: Detection
) -> dict[str, Any]:
    group, anchor = events["group"][0], _moment(events["anchor"][0])
    first, last = (events.select(pl.col("time").cast(TIME)).to_series().sort()[at] for at in (0, -1))
    entities: dict[str, list[str]] = {name: [] for name in ENTITIES}
    for field in KEPT_ENTITIES:
        entities[field] = events[f"{FIELD}{field}"].drop_nulls().unique(maintain_order=True).head(LISTED).to_list()
    return {
        **rule_words(detection),
        **entities,
        "@timestamp": first,
        "event.id": name,
        "event.action": "correlation-matched",
        "event.start": first,
        "event.end": last,
        "message": f"{detection.meta.title} ({group})",
        "related.hosts": entities["host.name"],
        "related.ip": sorted({*entities["source.ip"], *entities["destination.ip"]})[:LISTED],
        "related.user": entities["user.name"],
        "soc.source": ", ".join(events["soc.source"].unique().sort()),
        "soc.origin": [],
        "soc.group": group,
        "soc.window.start": anchor,
        "soc.window.end": anchor + timedelta(seconds=detection.seconds),
        "soc.count": events.height,
        "soc.evidence": orjson.dumps(
            [_document(row, raw) for row in shown.iter_rows(named=True)], default=str
        ).decode(),
    }


def _document(row: Mapping[str, Any], raw: Mapping[str, str]) -> dict[str, Any]:
    fields = {name.removeprefix(FIELD): value for name, value in row.items() if name.startswith(FIELD) and value}
    return {
        "event.id": row["event.id"],
        "@timestamp": _moment(row["time"]),
        "event.original": raw.get(row["event.id"], ""),
        "fields": {"rule.id": row["rule"], **fields},
    }
