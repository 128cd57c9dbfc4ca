"""The events of alerts, each once for a finding: a group × a tumbling window in which alerts end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from detectors.correlation.evaluate import FIELD, Alerts, covered
from detectors.correlation.link import SECOND, Linked
from detectors.correlation.windows import changes
from detectors.identity import GROUP, group_key

KEPT_ENTITIES: Final = (
    "organization.id", "organization.name", "host.name", "user.name", "source.ip", "destination.ip",
)  # fmt: skip
EVERYTHING: Final = "all"  # the group of a correlation that has no groups
EVENTS: Final = pl.Schema(
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

_GATHERED: Final = pl.Schema(
    {
        "group": pl.String,
        "number": pl.Int64,
        "anchor": pl.Int64,
        "rule": pl.String,
        "event.id": pl.String,
        "row": pl.Int64,
    }
)
_PLACED: Final = pl.Schema({"number": pl.Int32, "anchor": pl.Int64, "row": pl.Int32})


def gathered(alerts: Alerts, matches: Mapping[str, pl.DataFrame], seconds: int) -> pl.DataFrame:
    """Return the events of all alerts, each once per finding: by its group and the start of its window.

    A row has these, the group's number among those of the alerts, the rule, the event's id, and its row among the
    matches of that rule.
    """
    frames = [_GATHERED.to_frame()]
    for number, part in enumerate(alerts.parts):
        if not len(part.windows):
            continue
        anchors = part.windows.stop // (seconds * SECOND) * (seconds * SECOND)
        begins = changes(part.windows.group) | changes(anchors)  # windows are in order of group and time
        owner, texts = np.cumsum(begins) - 1, texts_of(alerts)
        groups, starts = part.windows.group[begins], anchors[begins]
        for member, whose, rows in covered(alerts, number, np.arange(len(anchors)), owner):
            named = {"group": texts.gather(groups[whose]), "number": groups[whose], "anchor": starts[whose]}
            frame = pl.DataFrame({**named, "event.id": matches[member.id]["event.id"].gather(rows), "row": rows})
            frames.append(frame.with_columns(pl.lit(member.id).alias("rule")).select(_GATHERED.names()).cast(_GATHERED))
    whole = pl.concat(frames)
    once = len(frames) <= 2  # one rule in one kind of window: its matches are told apart already
    return whole if once else whole.unique(["group", "anchor", "event.id"], keep="first", maintain_order=True)


def placed(alerts: Alerts, seconds: int) -> pl.DataFrame | None:
    """Return what `gathered` does in numbers alone: of each event its group's `number`, the `anchor` and its `row`.

    A million events take 16 MB so, and ten times as much with their texts. None where events have to be told apart by
    their names: several rules, or windows of several kinds, may share them.
    """
    linked = alerts.linked
    if len(linked.members) > 1 or linked.members[0].inner is not None or len(alerts.parts) > 1:
        return None
    frames = [_PLACED.to_frame()]
    for part in alerts.parts:
        anchors = part.windows.stop // (seconds * SECOND) * (seconds * SECOND)
        begins = changes(part.windows.group) | changes(anchors)  # windows are in order of group and time
        groups, starts = part.windows.group[begins], anchors[begins]
        for _, whose, rows in covered(alerts, 0, np.arange(len(anchors)), np.cumsum(begins) - 1):
            frames.append(pl.DataFrame({"number": groups[whose], "anchor": starts[whose], "row": rows}).cast(_PLACED))
    return pl.concat(frames)


def compact(alerts: Alerts, frames: Mapping[str, pl.DataFrame], seconds: int) -> pl.DataFrame:
    """Return the events of alerts, in numbers alone if they can be told apart by these."""
    places = placed(alerts, seconds)
    return gathered(alerts, frames, seconds) if places is None else places


def whole(events: pl.DataFrame, linked: Linked, texts: pl.Series, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return events with what is told of them, however they were given; `texts` are the keys of groups."""
    return described(events if "group" in events.columns else _spelt(events, linked, texts, frames), frames)


def described(events: pl.DataFrame, matches: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return gathered events with what is told of them (EVENTS)."""
    columns = [name for name in EVENTS if name not in ("group", "anchor", "rule", "event.id")]
    parts = [
        part.hstack(matches[str(rule)][part["row"].to_numpy()].select(columns)).select(EVENTS.names()).cast(EVENTS)
        for (rule,), part in events.group_by("rule", maintain_order=True)
    ]
    return pl.concat([EVENTS.to_frame(), *parts])


def texts_of(alerts: Alerts) -> pl.Series:
    """Return the group keys as text: `source.ip=192.0.2.7 | user.name=lan`."""
    names, groups = alerts.linked.rule.group_by, alerts.matches.groups
    if not names:
        return pl.Series([EVERYTHING])
    parts = [pl.lit(f"{name}=") + pl.col(key) for name, key in zip(names, groups.columns, strict=True)]
    texts = groups.select(pl.concat_str(parts, separator=" | ")).to_series()
    long = texts.str.len_chars() > GROUP
    return texts.scatter(long.arg_true(), [group_key(text) for text in texts.filter(long)]) if long.any() else texts


def _spelt(places: pl.DataFrame, linked: Linked, texts: pl.Series, matches: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return events as `gathered` does, of those that `placed` gave; `texts` are the keys of groups."""
    rule = linked.members[0].id
    return places.with_columns(
        texts.gather(places["number"]).alias("group"),
        matches[rule]["event.id"].gather(places["row"]),
        pl.lit(rule).alias("rule"),
    ).select(_GATHERED.names())
