"""What tried exceptions withhold from correlations: the groups that they name, and matches that would be counted.

Correlations run twice over the same matches, as they would with the exceptions and as they would without.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from connectors.parser import DefinedParser
from detectors.contracts import Batch, Hits
from detectors.correlation.exceptions import Excepted
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.schema import MATCH
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.telling import of_group
from flows.assembly import Parts
from flows.correlating import Correlating
from flows.sifting import sift

SHOWN = 3  # groups of each correlation


@dataclass(frozen=True, slots=True)
class Loss:
    """What one correlation loses to the exceptions that are tried."""

    title: str
    takers: tuple[Filter, ...]
    named: bool  # by the exceptions themselves: else they take what it counts
    matches: int  # that there would be without
    taken: int
    whole: int  # findings that would not be made at all
    findings: frozenset[str]  # that lose matches
    groups: tuple[tuple[str, int], ...]  # some that lose most, and how many matches

    def lines(self) -> Iterator[str]:
        """Yield it in words."""
        titles = " and ".join(each.title for each in self.takers)
        verb = "takes" if len(self.takers) == 1 else "take"
        counts = f"{self.taken:,} of {self.matches:,} matches"
        what = f"{counts} of {self.title}" if self.named else f"what {self.title} counts, {counts}"
        yield f"{titles} {verb} {what}, and {self.whole:,} of its findings whole"
        yield from (f"  e.g. {group}  ({count:,} matches)" for group, count in self.groups)


class Withheld:
    """The two runs, side by side; `tried` are the exceptions that only the first has."""

    def __init__(self, parts: Parts, others: Exceptions, excepted: Excepted, tried: Collection[Filter]) -> None:
        """Take parts with all exceptions, and those that are not tried, of rules and of correlations."""
        self._parts, self._others, self._tried = parts, others, tuple(tried)
        without = replace(parts, exceptions=others, excepted=excepted)
        self._runs = [(run, Correlating(run, memory), memory) for run in (parts, without) for memory in (Held(),)]

    def take(self, batch: Batch, parser: DefinedParser, events: pl.DataFrame, hits: Hits, left: Hits) -> None:
        """Keep the matches of a batch: those `left` by all exceptions, and those that the others leave."""
        kept = sift(batch, parser, events, hits, self._others, detections=self._parts.detections).hits
        for (_, correlating, memory), each in zip(self._runs, (left, kept), strict=True):
            memory.keep(correlating.blocks(batch, parser, events, each), {})
            correlating.pass_time(batch, events)

    def losses(self) -> Iterator[Loss]:
        """Yield what each correlation loses, that which loses most first."""
        left, whole = (self._found(correlating) for _, correlating, _ in self._runs)
        lost = whole.join(left, on="soc.match.id", how="anti")
        counts = dict(whole.group_by("rule.id").len().iter_rows())
        for linked in self._parts.rules.correlations:
            name = linked.rule.meta.id
            mine = lost.filter(pl.col("rule.id") == name)
            if mine.height:
                yield self._loss(linked, mine, set(left["soc.finding.id"]), counts[name])

    def hides(self, finding: Mapping[str, object]) -> Filter | None:
        """Return a tried exception that takes the group of a correlation's finding."""
        linked = next(
            (each for each in self._parts.rules.correlations if each.rule.meta.id == finding["rule.id"]), None
        )
        if linked is None:
            return None
        group = {name: next(iter(of_group(str(finding["soc.group"]), name)), None) for name in linked.rule.group_by}
        time = datetime.fromisoformat(str(finding["event.end"]))
        return next((each for each in self._parts.excepted.takers(linked, group, time) if each in self._tried), None)

    def _loss(self, linked: Linked, lost: pl.DataFrame, left: set[str], matches: int) -> Loss:
        findings = frozenset(lost["soc.finding.id"].drop_nulls())
        named = [
            self._parts.excepted.filters[number] for number in self._parts.excepted.of.get(linked.rule.meta.id, ())
        ]
        takers = tuple(each for each in named if each in self._tried)
        groups = lost["soc.group"].value_counts(sort=True).head(SHOWN)
        return Loss(
            title=linked.rule.meta.title,
            takers=takers or self._tried,
            named=bool(takers),
            matches=matches,
            taken=lost.height,
            whole=len(findings - left),
            findings=findings,
            groups=tuple(groups.iter_rows()),
        )

    @staticmethod
    def _found(correlating: Correlating) -> pl.DataFrame:
        """Return the matches (MATCH) of all correlations."""
        return pl.concat([MATCH.to_frame(), *(each.matches for each in correlating.correlator.conclude())])


def reached(correlations: Sequence[Linked], named: Collection[str], rules: Collection[str]) -> tuple[Linked, ...]:
    """Return the correlations that exceptions reach by their ids: themselves, or by what they put together."""
    return tuple(
        linked
        for linked in correlations
        if linked.rule.meta.id in named
        or any(each.rule.meta.id in named for each in linked.inner())
        or any(leaf.id in rules for leaf in linked.leaves())
    )
