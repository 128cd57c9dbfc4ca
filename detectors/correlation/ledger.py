"""What was told of a correlation whose alerts can become untrue, so that it can be taken back.

Findings are never changed. One that a late match shows to be wrong gets a successor that withdraws it, and if that is
wrong in turn another one: each step is told under a name of its own. An even step is told, an odd one withdrawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from detectors.contracts import Block, Memory
from detectors.correlation.alerts import Key
from detectors.correlation.evaluate import FIELD, Alerts
from detectors.correlation.events import EVENTS, EVERYTHING
from detectors.correlation.link import Linked, Member
from detectors.correlation.windows import changes

_FAR: Final = 2**62
_COLUMNS: Final = ("event.id", "time", *(f"{FIELD}{name}" for name in ("group", "anchor", "step", "count")))


@dataclass(frozen=True, slots=True)
class Step:
    """How a finding stands."""

    number: int
    last: int  # when the last of its alerts ended
    count: int  # events that it had

    @property
    def told(self) -> bool:
        """Say whether it was told last, and not withdrawn."""
        return self.number % 2 == 0


def steps(memory: Memory, linked: Linked, since: int) -> dict[Key, Step]:
    """Return how findings stand that had alerts since then."""
    kept = memory.recall(_name(linked), _COLUMNS, [(since, _FAR)], "")
    found: dict[Key, Step] = {}
    for _, last, group, anchor, number, count in kept.select(_COLUMNS).iter_rows():
        key, before = (group, int(anchor)), Step(int(number), last, int(count))
        known = found.get(key, before)
        newer = before if (before.number, before.count) >= (known.number, known.count) else known
        found[key] = Step(newer.number, max(last, known.last), newer.count)
    return found


def enter(memory: Memory, linked: Linked, made: Mapping[Key, Step]) -> None:
    """Keep how findings stand from now on."""
    if not made:
        return
    rows = [
        (f"{group}:{anchor}:{step.number}:{step.last}:{step.count}", step.last, group, str(anchor), str(step.number),
         str(step.count))
        for (group, anchor), step in made.items()
    ]  # fmt: skip
    schema = {name: pl.Int64 if name == "time" else pl.String for name in _COLUMNS}
    memory.keep([Block(_name(linked), pl.DataFrame(rows, schema=schema, orient="row"))], {})


def standing(alerts: Alerts, events: pl.DataFrame, texts: pl.Series, micros: int) -> dict[Key, Step]:
    """Return the findings that alerts make now, as if none of them had been told."""
    counts = {(group, anchor): count for group, anchor, count in events.group_by("group", "anchor").len().iter_rows()}
    found: dict[Key, Step] = {}
    for part in alerts.parts:
        anchors = part.windows.stop // micros * micros
        ends = np.append(changes(part.windows.group) | changes(anchors), True)[1:]  # windows are in order
        groups, stops = texts.gather(part.windows.group[ends]), part.windows.stop[ends]
        for group, anchor, last in zip(groups, anchors[ends].tolist(), stops.tolist(), strict=True):
            known = found.get((group, anchor))
            found[group, anchor] = Step(0, max(last, known.last if known else last), counts[group, anchor])
    return found


def now(known: Mapping[Key, Step], true: Mapping[Key, Step]) -> dict[Key, Step]:
    """Return the next steps of the findings that are true."""
    made = {}
    for key, step in true.items():
        before = known.get(key, step)
        number = before.number if before.told else before.number + 1
        made[key] = Step(number, max(step.last, before.last), max(step.count, before.count))
    return made


def untrue(known: Mapping[Key, Step], true: Mapping[Key, Step], since: int, until: int) -> dict[Key, Step]:
    """Return the steps that withdraw findings which are not true any more."""
    return {
        key: Step(step.number + step.told, step.last, step.count)
        for key, step in known.items()
        if since <= step.last <= until and key not in true
    }


def grouped(linked: Linked, frames: Mapping[str, pl.DataFrame]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rules that a correlation needs, and their matches with the group of each as text."""
    for member, names in _called(linked, linked.rule.group_by):
        parts = [
            pl.lit(f"{name}=") + pl.col(f"{FIELD}{called}").cast(pl.String).str.to_lowercase()
            for name, called in zip(linked.rule.group_by, names, strict=True)
        ]
        group = pl.concat_str(parts, separator=" | ") if parts else pl.lit(EVERYTHING)
        frame = frames.get(member.id)
        if frame is not None:
            yield member.id, frame.with_columns(group.alias("group"))


def _called(linked: Linked, names: Iterable[str]) -> Iterator[tuple[Member, list[str]]]:
    """Yield detection rules, and what each calls some of the fields that a correlation groups by."""
    for member in linked.members:
        called = [member.group[linked.rule.group_by.index(name)] for name in names]
        if member.inner is None:
            yield member, called
        elif all(name in member.inner.rule.group_by for name in called):
            yield from _called(member.inner, called)


def _name(linked: Linked) -> str:
    return f"told:{linked.rule.meta.id}"


def contradicting(linked: Linked, frames: Mapping[str, pl.DataFrame], gone: Mapping[Key, Step]) -> pl.DataFrame:
    """Return the events of the groups of findings that are true no longer.

    Where less is left of them than there was, matches were forgotten: that makes nothing untrue.
    """
    parts = [EVENTS.to_frame()]
    for rule, frame in grouped(linked, frames):
        for (group, anchor), step in gone.items():
            near = pl.col("time").is_between(anchor - linked.reach, step.last)
            some = frame.filter((pl.col("group") == group) & near)
            parts.append(
                some.with_columns(pl.lit(anchor).alias("anchor"), pl.lit(rule).alias("rule"))
                .select(EVENTS.names())
                .cast(EVENTS)
            )
    shown = pl.concat(parts).unique(["group", "anchor", "event.id"], keep="first", maintain_order=True)
    least = {key: step.count for key, step in gone.items()}
    whole = [
        (group, anchor)
        for group, anchor, count in shown.group_by("group", "anchor").len().iter_rows()
        if count >= least[group, anchor]
    ]
    keys = pl.DataFrame(whole, schema={"group": pl.String, "anchor": pl.Int64}, orient="row")
    return shown.join(keys, on=["group", "anchor"], how="semi")
