"""Correlations at work: matches are kept, and what follows from them is told.

Matches are kept before anything is concluded from them, and are called told only after all conclusions are stored. So
nothing is lost when the work is killed in between, and of two workers who keep matches of the same window at the same
time one at least sees both. What was told before is not told again, although that would change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import polars as pl

from detectors.contracts import Block, Clock, Hits, Intervals, Memory
from detectors.correlation import ledger
from detectors.correlation.alerts import (
    EVENTS,
    KEPT_ENTITIES,
    Key,
    described,
    found,
    gathered,
    placed,
    spelt,
    suppressed,
    texts_of,
    withdrawn,
)
from detectors.correlation.evaluate import FIELD, Alerts, among, evaluate, merged, text
from detectors.correlation.exceptions import Excepted
from detectors.correlation.link import SECOND, Linked, Member
from detectors.correlation.windows import Flags, Numbers, distinct
from detectors.errors import SocError
from detectors.findings import SIGNAL, Detection, Found, nothing
from detectors.identity import digest
from detectors.maintenance import HOST, Calendar
from detectors.schema import TIME

MANY = 64  # stretches of time; more are taken as one
PIECE = 100_000  # events that are told of at once, if they are of several findings
_ALWAYS = ("event.id", "time", "soc.source", *(f"{FIELD}{name}" for name in KEPT_ENTITIES))


class Correlator:
    """Tells what follows from matches of rules.

    A correlation that fails costs itself: `failures` says of it (by id) why.
    """

    def __init__(
        self,
        correlations: Sequence[Linked],
        memory: Memory,
        calendar: Calendar | None = None,
        excepted: Excepted | None = None,
    ) -> None:
        self.failures: dict[str, str] = {}
        self._correlations = {linked.rule.meta.id: linked for linked in correlations}
        self._memory, self._calendar, self._excepted = memory, calendar or Calendar(), excepted or Excepted()
        named = [self._excepted.semantics] if self._excepted.of else []  # what they took has to be told without them
        self._by = digest([*sorted(linked.semantics for linked in correlations), *named])

    @cached_property
    def fields(self) -> dict[str, tuple[str, ...]]:
        """Return the fields that have to be kept of the matches of each rule."""
        found: dict[str, set[str]] = defaultdict(set)
        for linked in self._correlations.values():
            for leaf in linked.leaves():
                found[leaf.id].update(leaf.group, leaf.fields, KEPT_ENTITIES)
        return {rule: tuple(sorted(names)) for rule, names in found.items()}

    @cached_property
    def silent(self) -> frozenset[str]:
        """Return the rules that have no findings of their own, because a correlation puts them together."""
        told, used = set(), set()
        for linked in self._correlations.values():
            for member in linked.members:
                used.add(member.id)
                if linked.rule.generate:
                    told.add(member.id)
        return frozenset(used - told)

    def take(self, blocks: Sequence[Block]) -> Iterator[Found]:
        """Keep matches and yield what follows from them at once; `told` has to be called when all of that is stored."""
        blocks = [block for block in blocks if block.matches.height]
        if not blocks:
            return
        times = {block.rule: block.matches["time"].unique().sort().to_numpy() for block in blocks}
        touched = {
            identity: _touched([times[leaf.id] for leaf in linked.leaves() if leaf.id in times], linked.reach)
            for identity, linked in self._correlations.items()
            if any(leaf.id in times for leaf in linked.leaves())
        }
        waiting = {name: within[0][0] for name, within in touched.items() if self._correlations[name].waits}
        self._memory.keep(blocks, waiting)
        for identity, within in touched.items():
            if identity not in waiting:
                yield from self._tell(self._correlations[identity], within, None, blocks)

    def told(self, blocks: Sequence[Block]) -> None:
        """Note that all that `take` yielded for these matches is stored."""
        self._memory.told([block for block in blocks if block.matches.height], self._by)

    def settle(self, sources: Mapping[str, Sequence[str]], late: int = 0) -> Iterator[Found]:
        """Yield what follows where time had to pass; a result has to be stored before the next is asked for.

        `sources` names for each rule the sources whose events it looks at. Time has come as far as the oldest of the
        newest events of all sources that a correlation needs, less `late` microseconds. A source that never had an
        event doesn't count, but of every rule one source must have had some.
        """
        waiting = self._memory.waiting()
        times = _slowest(self._memory.times())
        for identity, seen in waiting.items():
            linked = self._correlations.get(identity)
            if linked is None:
                continue
            newest = [[times[name] for name in sources.get(leaf.id, ()) if name in times] for leaf in linked.leaves()]
            if not all(newest):
                continue
            until = min(map(min, newest)) - late
            if until >= seen.since:
                yield from self._settled(linked, seen.since, until)
                self._memory.settle(identity, seen, until + 1)

    def _settled(self, linked: Linked, since: int, until: int) -> Iterator[Found]:
        """Yield what a correlation finds from a time on, and what it finds no longer."""
        if self._tells(linked):
            try:
                yield from self._judged(linked, since, until)
            except SocError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever breaks one correlation, the others must go on
                self._fail(linked, error)

    def _judged(self, linked: Linked, since: int, until: int) -> Iterator[Found]:
        detection = _detection(linked)
        micros = detection.seconds * SECOND
        known = ledger.steps(self._memory, linked, since // micros * micros)
        late = [anchor for (_, anchor), step in known.items() if step.last >= since]  # told, and matches came since
        within = [(min([since, *late]), until)]
        reached = [(within[0][0] - linked.reach, until)]
        frames: dict[str, pl.DataFrame] = {}
        alerts = evaluate(linked, self._recall(frames, reached, None), within, until, self._excepted.left)
        yield from self._suppressed(detection, alerts, None, frames)
        if linked.rule.meta.id in self.silent:
            return
        left = self._excepted.left(alerts)
        events = gathered(left, frames, detection.seconds)
        true = ledger.standing(left, events, texts_of(left), micros) if left else {}
        made, gone = ledger.now(known, true), ledger.untrue(known, true, since, until)
        if left is not alerts:  # what an exception takes since is no less true
            events_of_all = gathered(alerts, frames, detection.seconds)
            still = ledger.standing(alerts, events_of_all, texts_of(alerts), micros)
            gone = {key: step for key, step in gone.items() if key not in still}
        shown = self._contradicting(linked, frames, gone)
        gone = {key: gone[key] for key in shown.select("group", "anchor").unique().iter_rows()}
        # Kept before it is told: what is told and not kept could never be taken back.
        ledger.enter(self._memory, linked, {key: step for key, step in (made | gone).items() if known.get(key) != step})
        if events.height:
            told = {key: step.number for key, step in made.items()}
            for _, some in _pieces(events, events):
                whole = described(some, frames)
                yield found(detection, whole, whole, self._originals, told, mute=partial(self._muted, detection))
        shown = shown.filter(self._muted(detection, shown).is_null())
        if shown.height:
            yield withdrawn(detection, shown, self._originals, {key: step.number for key, step in gone.items()})

    def _contradicting(
        self, linked: Linked, frames: Mapping[str, pl.DataFrame], gone: Mapping[Key, ledger.Step]
    ) -> pl.DataFrame:
        """Return the events of the groups of findings that are true no longer.

        Where less is left of them than there was, matches were forgotten: that makes nothing untrue.
        """
        parts = [EVENTS.to_frame()]
        for rule, frame in ledger.grouped(linked, frames):
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

    def conclude(self) -> Iterator[Found]:
        """Yield everything that follows from all matches that were kept, as if nothing came after them."""
        times = self._memory.times().values()
        for linked in self._correlations.values():
            yield from self._tell(linked, None, max(times, default=None), ())

    def _tell(
        self, linked: Linked, within: Intervals | None, horizon: int | None, blocks: Sequence[Block]
    ) -> Iterator[Found]:
        """Yield what a correlation finds, and what exceptions take of it; of silent ones that only."""
        if not self._tells(linked):
            return
        try:
            yield from self._found(linked, within, horizon, blocks)
        except SocError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever breaks one correlation, the others must go on
            self._fail(linked, error)

    def _tells(self, linked: Linked) -> bool:
        """Say whether anything is to be told of a correlation, or of what exceptions take of it."""
        return linked.rule.meta.id not in self.silent or linked.rule.meta.id in self._excepted.of

    def _fail(self, linked: Linked, error: Exception) -> None:
        self.failures.setdefault(linked.rule.meta.id, f"{type(error).__name__}: {error}")

    def _found(
        self, linked: Linked, within: Intervals | None, horizon: int | None, blocks: Sequence[Block]
    ) -> Iterator[Found]:
        reached = None if within is None else merged([(begin - linked.reach, end) for begin, end in within])
        touched = _groups(linked, blocks)
        frames: dict[str, pl.DataFrame] = {}
        alerts = evaluate(linked, self._recall(frames, reached, touched), within, horizon, self._excepted.left)
        if not alerts:
            return
        detection = _detection(linked)
        if linked.rule.meta.id in self._excepted.of:
            before = self._earlier(alerts, frames, reached) if blocks else None
            yield from self._suppressed(detection, alerts, before, frames)
            del before
        if linked.rule.meta.id in self.silent:
            return
        # Windows and matches of a million events take hundreds of MB: each goes as soon as it has told what it can.
        left = self._excepted.left(alerts)
        events, texts = _events(left, frames, detection.seconds), texts_of(left)
        alerts = left = replace(alerts, parts=())
        known = self._known(alerts, frames, reached, detection.seconds) if blocks else None
        del alerts, left
        first, new = (events, events) if known is None else self._fresh(events, known)
        del events, known
        if not new.height:
            return
        mute = partial(self._muted, detection)
        for some, fresh in _pieces(first, new):
            whole = _spelt(some, linked, texts, frames)
            told = whole if fresh is some else _spelt(fresh, linked, texts, frames)
            yield found(detection, whole, told, self._originals, {}, mute=mute)

    def _known(
        self, alerts: Alerts, frames: Mapping[str, pl.DataFrame], within: Intervals | None, seconds: int
    ) -> pl.DataFrame:
        """Return the events of alerts that were told before."""
        earlier = self._earlier(alerts, frames, within)
        return earlier.of(self._excepted.left(earlier.alerts), seconds)

    def _fresh(self, events: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the events of findings that are told, and the events that were not told before.

        Findings that were told stand there: their new matches are all that is to be told.
        """
        rows = "row" in known.columns
        new = events.filter(~_among(events, known)) if rows else events.join(known, on=known.columns, how="anti")
        key = known.columns[:2]
        if self._calendar.windows:  # those that were muted have to be told if anything loud is new
            return events.join(new.select(key).unique(), on=key, how="semi"), new
        return events.join(known.select(key).unique(), on=key, how="anti"), new

    def _suppressed(
        self, detection: Detection, alerts: Alerts, earlier: _Earlier | None, frames: Mapping[str, pl.DataFrame]
    ) -> Iterator[Found]:
        """Yield what exceptions take of alerts that they did not take before."""
        before = {} if earlier is None else {each.id: taken for each, taken in self._excepted.taken(earlier.alerts)}
        for each, taken in self._excepted.taken(alerts):
            events = gathered(taken, frames, detection.seconds)
            if earlier is not None and each.id in before:
                known = earlier.of(before[each.id], detection.seconds)
                events = events.join(known, on=known.columns, how="anti")
            if events.height:
                yield replace(nothing(), suppressed=suppressed(detection, each, described(events, frames)))

    def _muted(self, detection: Detection, events: pl.DataFrame) -> pl.Series:
        """Return why events make no finding: their correlation only signals, or maintenance goes on."""
        if detection.meta.signal:
            return pl.repeat(SIGNAL, events.height, dtype=pl.String, eager=True)
        if not self._calendar.windows:
            return pl.repeat(None, events.height, dtype=pl.String, eager=True)
        host = pl.col(f"{FIELD}{HOST}").alias(HOST)
        seen = events.select(pl.col("time").cast(TIME).alias("@timestamp"), host)
        hits = Hits(np.zeros(events.height, np.int32), np.arange(events.height))
        silenced = self._calendar.silenced(seen, hits, [detection])
        return pl.Series([silenced.get(row) for row in range(events.height)], dtype=pl.String)

    def _recall(
        self, frames: dict[str, pl.DataFrame], reached: Intervals | None, touched: pl.DataFrame | None
    ) -> Callable[[Member], pl.DataFrame]:
        """Return what recalls the matches of a member once, and puts them among the frames."""

        def recall(member: Member) -> pl.DataFrame:
            if member.id not in frames:
                columns = dict.fromkeys([*_ALWAYS, *(f"{FIELD}{name}" for name in self.fields[member.id])])
                frame = self._memory.recall(member.id, columns, reached, self._by)
                frames[member.id] = frame if touched is None else _only(frame, member, touched)
            return frames[member.id]

        return recall

    def _earlier(self, alerts: Alerts, frames: Mapping[str, pl.DataFrame], within: Intervals | None) -> _Earlier:
        """Return alerts that were told before: most of those whose events alerts within these times may share.

        The matches are those at hand, so windows that begin before them are missed; what they hold is told again.
        """
        linked = alerts.linked
        told = among(alerts, lambda member: frames[member.id]["told"].to_numpy(), within)
        if told is not None:
            return _Earlier(told, frames, among=True)
        matches = {rule: frame.filter("told").select(_asked_for(linked, rule)) for rule, frame in frames.items()}
        return _Earlier(evaluate(linked, lambda member: matches[member.id], within, None, self._excepted.left), matches)

    def _originals(self, shown: pl.DataFrame) -> dict[str, str]:
        """Return the raw records of the events that findings show."""
        raw: dict[str, str] = {}
        for rule in shown["rule"].unique():
            ids = shown.filter(pl.col("rule") == rule)["event.id"]
            times = shown.filter(pl.col("rule") == rule)["time"]
            asked = merged([(time, time) for time in times.to_list()])
            frame = self._memory.recall(rule, ("event.id", "event.original"), asked, self._by)
            raw.update(
                frame.filter(pl.col("event.id").is_in(ids.implode())).select("event.id", "event.original").iter_rows()
            )
        return {name: text or "" for name, text in raw.items()}


@dataclass(frozen=True, slots=True)
class _Earlier:
    """Alerts that were told before, and the matches that they are made of."""

    alerts: Alerts
    matches: Mapping[str, pl.DataFrame]
    among: bool = False  # whether they are among the matches of what is told now, and so of one group and row with them

    def of(self, alerts: Alerts, seconds: int) -> pl.DataFrame:
        """Return the events of some of the alerts: finding by finding, as what is told now can be told by."""
        numbered = self.among and len(alerts.linked.members) == 1  # of several rules one event has several rows
        if numbered and (places := placed(alerts, seconds)) is not None:
            return places
        names = ("number", "anchor", "row") if numbered else ("group", "anchor", "event.id")
        return gathered(alerts, self.matches, seconds).select(names)


def _events(alerts: Alerts, frames: Mapping[str, pl.DataFrame], seconds: int) -> pl.DataFrame:
    """Return the events of alerts, in numbers alone if they can be told apart by these."""
    places = placed(alerts, seconds)
    return gathered(alerts, frames, seconds) if places is None else places


def _spelt(events: pl.DataFrame, linked: Linked, texts: pl.Series, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return events with what is told of them, however they were given; `texts` are the keys of groups."""
    return described(events if "group" in events.columns else spelt(events, linked, texts, frames), frames)


def _among(events: pl.DataFrame, known: pl.DataFrame) -> Flags:
    """Say of which events the anchor and the row are known."""
    anchors = distinct(np.sort(np.concatenate([each["anchor"].to_numpy() for each in (events, known)])))
    rows = 1 + max(each["row"].to_numpy().max(initial=0) for each in (events, known))

    def keys(frame: pl.DataFrame) -> Numbers:
        return np.asarray(np.searchsorted(anchors, frame["anchor"].to_numpy()) * rows + frame["row"].to_numpy())

    return np.isin(keys(events), keys(known), kind="sort")


def _pieces(events: pl.DataFrame, new: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Cut events, and the new ones, into such of some findings each, so that a million need no more room than some."""
    if new.height <= PIECE:
        yield events, new
        return
    key = ["number", "anchor"]
    counts = new.group_by(key, maintain_order=True).len()
    piece = counts.select(*key, (pl.col("len").cum_sum() // PIECE).alias("piece"))

    def cut(frame: pl.DataFrame) -> dict[tuple[object, ...], pl.DataFrame]:
        part = frame.join(piece, on=key, how="inner", maintain_order="left")
        return part.partition_by("piece", as_dict=True, include_key=False, maintain_order=True)

    fresh = cut(new)
    of = fresh if events is new else cut(events)
    for name, some in fresh.items():
        yield of.get(name, events.clear()), some


def _detection(linked: Linked) -> Detection:
    return Detection(linked.rule.meta, linked.semantics, provider="sigma")


def _asked_for(linked: Linked, rule: str) -> list[str]:
    """Return the columns of a rule's matches that decide on alerts."""
    names = {name for leaf in linked.leaves() if leaf.id == rule for name in (*leaf.group, *leaf.fields)}
    return ["event.id", "time", *(f"{FIELD}{name}" for name in sorted(names))]


def _slowest(times: Mapping[Clock, int]) -> dict[str, int]:
    """Return how far time has come in each source: as far as in the stream that is behind."""
    found: dict[str, int] = {}
    for (source, _), time in times.items():
        found[source] = min(time, found.get(source, time))
    return found


def _touched(times: Sequence[Numbers], reach: int) -> list[tuple[int, int]]:
    """Return when windows end that hold matches at these times."""
    moments = distinct(np.sort(np.concatenate(times)))
    apart = np.flatnonzero(np.diff(moments) > reach)
    if len(apart) >= MANY:
        apart = apart[:0]
    begins, ends = moments[np.append(0, apart + 1)], moments[np.append(apart, len(moments) - 1)] + reach
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def _groups(linked: Linked, blocks: Sequence[Block]) -> pl.DataFrame | None:
    """Return the groups that new matches are in; None where all groups have to be looked at."""
    count = len(linked.rule.group_by)
    if not blocks or not count or any(member.inner is not None for member in linked.members):
        return None
    keys = [
        block.matches.select(text(name).alias(str(number)) for number, name in enumerate(member.group))
        for member in linked.members
        for block in blocks
        if block.rule == member.id
    ]
    return pl.concat(keys).unique()


def _only(frame: pl.DataFrame, member: Member, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the matches in these groups."""
    keys = frame.select(text(name).alias(column) for name, column in zip(member.group, groups.columns, strict=True))
    at = keys.with_row_index("at").join(groups, on=groups.columns, how="semi", maintain_order="left")["at"]
    return frame if at.len() == frame.height else frame[at]
