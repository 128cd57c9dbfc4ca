"""Correlations at work: matches are kept, and what follows from them is told.

Matches are kept before anything is concluded from them, and are called told only after all conclusions are stored. So
nothing is lost when the work is killed in between, and of two workers who keep matches of the same window at the same
time one at least sees both. What was told before is not told again, although that would change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np
import polars as pl

from detectors.contracts import Block, Hits, Intervals, Memory
from detectors.correlation import events as of_alerts
from detectors.correlation import ledger, reach
from detectors.correlation.alerts import found, suppressed, withdrawn
from detectors.correlation.earlier import Earlier, earlier, fresh, pieces
from detectors.correlation.evaluate import FIELD, Alerts, evaluate, merged
from detectors.correlation.events import KEPT_ENTITIES, described, gathered, texts_of
from detectors.correlation.exceptions import Excepted
from detectors.correlation.link import SECOND, Linked, Member
from detectors.errors import SocError
from detectors.findings import SIGNAL, Detection, Found, nothing
from detectors.identity import digest
from detectors.maintenance import HOST, Calendar
from detectors.schema import TIME

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
            identity: reach.touched([times[leaf.id] for leaf in linked.leaves() if leaf.id in times], linked.reach)
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
        times = reach.slowest(self._memory.times())
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
        shown = ledger.contradicting(linked, frames, gone)
        gone = {key: gone[key] for key in shown.select("group", "anchor").unique().iter_rows()}
        # Kept before it is told: what is told and not kept could never be taken back.
        ledger.enter(self._memory, linked, {key: step for key, step in (made | gone).items() if known.get(key) != step})
        if events.height:
            told = {key: step.number for key, step in made.items()}
            for _, some in pieces(events, events):
                whole = described(some, frames)
                yield found(detection, whole, whole, self._originals, told, mute=partial(self._muted, detection))
        shown = shown.filter(self._muted(detection, shown).is_null())
        if shown.height:
            yield withdrawn(detection, shown, self._originals, {key: step.number for key, step in gone.items()})

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
        touched = reach.groups(linked, blocks)
        frames: dict[str, pl.DataFrame] = {}
        alerts = evaluate(linked, self._recall(frames, reached, touched), within, horizon, self._excepted.left)
        if not alerts:
            return
        detection = _detection(linked)
        if linked.rule.meta.id in self._excepted.of:
            before = earlier(alerts, frames, reached, self._excepted.left) if blocks else None
            yield from self._suppressed(detection, alerts, before, frames)
            del before
        if linked.rule.meta.id in self.silent:
            return
        # Windows and matches of a million events take hundreds of MB: each goes as soon as it has told what it can.
        left = self._excepted.left(alerts)
        events, texts = of_alerts.compact(left, frames, detection.seconds), texts_of(left)
        alerts = left = replace(alerts, parts=())
        known = self._known(alerts, frames, reached, detection.seconds) if blocks else None
        del alerts, left
        anew = bool(self._calendar.windows)
        first, new = (events, events) if known is None else fresh(events, known, anew=anew)
        del events, known
        if not new.height:
            return
        mute = partial(self._muted, detection)
        for some, unheard in pieces(first, new):
            whole = of_alerts.whole(some, linked, texts, frames)
            told = whole if unheard is some else of_alerts.whole(unheard, linked, texts, frames)
            yield found(detection, whole, told, self._originals, {}, mute=mute)

    def _known(
        self, alerts: Alerts, frames: Mapping[str, pl.DataFrame], within: Intervals | None, seconds: int
    ) -> pl.DataFrame:
        """Return the events of alerts that were told before."""
        told = earlier(alerts, frames, within, self._excepted.left)
        return told.of(self._excepted.left(told.alerts), seconds)

    def _suppressed(
        self, detection: Detection, alerts: Alerts, told: Earlier | None, frames: Mapping[str, pl.DataFrame]
    ) -> Iterator[Found]:
        """Yield what exceptions take of alerts that they did not take before."""
        before = {} if told is None else {each.id: taken for each, taken in self._excepted.taken(told.alerts)}
        for each, taken in self._excepted.taken(alerts):
            events = gathered(taken, frames, detection.seconds)
            if told is not None and each.id in before:
                known = told.of(before[each.id], detection.seconds)
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
                frames[member.id] = frame if touched is None else reach.only(frame, member, touched)
            return frames[member.id]

        return recall

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


def _detection(linked: Linked) -> Detection:
    return Detection(linked.rule.meta, linked.semantics, provider="sigma")
