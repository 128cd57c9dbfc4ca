"""`soc rules try EXCEPTION`: what an exception would have taken away, before it takes anything.

Rules run over the archive as they would have, other exceptions included. An exception that would have taken a match of
a finding which somebody found to be real is refused: by what the archive holds, and by the evidence of such findings,
which stays when the archive is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
import polars as pl

from connectors.archive import Archive
from connectors.parser import DefinedParser
from connectors.store import Store
from connectors.store_schema import REAL
from detectors.contracts import Batch, Hits
from detectors.correlation import exceptions as correlated
from detectors.errors import RuleError, UsageError
from detectors.findings import event_ids, joined
from detectors.schema import RECORD
from detectors.sigma.exceptions import resolve
from detectors.sigma.filters import Filter
from flows import assembly
from flows.archived import archived
from flows.assembly import Parts
from flows.gathering import findings_of
from flows.ruleset import RuleSet
from flows.settings import Settings
from flows.sifting import sift
from flows.withheld import Loss, Withheld, reached

EXAMPLES = 3  # records shown of each rule and exception


@dataclass(slots=True)
class Effect:
    """What one exception takes of one rule."""

    taken: int = 0
    findings: set[str] = field(default_factory=set)  # that lose matches
    examples: list[tuple[str | None, str]] = field(default_factory=list)  # time, record


@dataclass(frozen=True, slots=True)
class Hidden:
    """A real finding that an exception would have hidden, whole or in part."""

    finding: str
    rule: str
    reason: str
    exception: str


@dataclass(slots=True)
class Trial:
    """What tried exceptions do."""

    parts: Parts  # the rules that they touch, with all exceptions
    tried: frozenset[str]  # ids of the exceptions that are tried
    withheld: Withheld | None = None  # what correlations lose, where any is touched
    faults: tuple[RuleError, ...] = ()
    left: dict[str, int] = field(default_factory=dict)  # rule → matches that stay
    left_findings: set[str] = field(default_factory=set)
    effects: dict[tuple[str, str], Effect] = field(default_factory=dict)  # exception, rule →
    losses: list[Loss] = field(default_factory=list)
    hidden: dict[str, Hidden] = field(default_factory=dict)  # finding →


def prepare(settings: Settings, path: Path, folders: Sequence[Path] = ()) -> Trial:
    """Load the rules that the exceptions of a file or folder touch, and what else is excepted from them.

    Raises:
        UsageError: there is no exception in it, and no fault either.
    """
    here, where = path.resolve(), assembly.rule_folders(settings, folders)
    inside = any(here.is_relative_to(folder.resolve()) for folder in where)
    loaded = assembly.load_rules(settings, where if inside else [*where, path])
    mine = [each for each in loaded.filters if Path(each.place.file).resolve().is_relative_to(here)]
    faults = tuple(
        fault for fault in loaded.faults if fault.place and Path(fault.place.file).resolve().is_relative_to(here)
    )
    if not mine and not faults:
        raise UsageError(f"no exception in {path}", fix="give a file with a `filter:` section")
    others = [each for each in loaded.filters if each not in mine]
    rules = _touched(loaded, mine)
    parts = assembly.parts(settings, replace(rules, filters=(*mine, *others)))
    left = assembly.parts(settings, replace(rules, filters=tuple(others)), parts)
    withheld = Withheld(parts, left.exceptions, left.excepted, mine) if rules.correlations else None
    return Trial(parts, frozenset(each.id for each in mine), withheld, faults)


def _touched(loaded: RuleSet, tried: Sequence[Filter]) -> RuleSet:
    """Return the rules and correlations that exceptions touch, and the rules that these correlations need."""
    touched = {loaded.rules[number].id for number in resolve(tried, loaded.rules, loaded.called).filters}
    named = correlated.resolve(tried, loaded.correlations, loaded.logsources, loaded.called).filters
    correlations = reached(loaded.correlations, named, touched)
    needed = touched.union(leaf.id for linked in correlations for leaf in linked.leaves())
    return RuleSet(tuple(rule for rule in loaded.rules if rule.id in needed), (), (), correlations)


def run(trial: Trial, archive: Archive, since: datetime | None, until: datetime | None) -> None:
    """Run the rules over the archive, and count what stays and what goes."""
    parts = trial.parts
    for batch, parser in archived(parts, archive, archive.sources(), since, until):
        _batch(trial, batch, parser)
    if trial.withheld is not None:
        trial.losses += trial.withheld.losses()


def judge(trial: Trial, store: Store) -> None:
    """Find the real findings among what is taken: those of the archive, and those whose evidence is taken."""
    real = {name: reason for name, reason in store.reasons().items() if reason in REAL}
    for (exception, rule), effect in trial.effects.items():
        for name in effect.findings & real.keys():
            trial.hidden[name] = Hidden(name, _title(trial, rule), real[name], exception)
    for loss in trial.losses:
        for name in loss.findings & real.keys():
            trial.hidden[name] = Hidden(name, loss.title, real[name], loss.takers[0].id)
    for name in real.keys() - trial.hidden.keys():
        finding = store.finding(name)
        taker = _by_evidence(trial, finding) if finding is not None else None
        if finding is not None and taker is not None:
            trial.hidden[name] = Hidden(name, str(finding["rule.name"]), real[name], taker.id)


def lines(trial: Trial) -> Iterator[str]:
    """Yield a trial in words."""
    titles = {each.id: each.title for each in trial.parts.exceptions.filters}
    for (exception, rule), effect in sorted(trial.effects.items(), key=lambda pair: -pair[1].taken):
        matches = effect.taken + trial.left.get(rule, 0)
        whole = len(effect.findings - trial.left_findings)
        yield (
            f"{titles[exception]} takes {effect.taken:,} of {matches:,} matches of {_title(trial, rule)}, "
            f"and {whole:,} of its findings whole"
        )
        yield from (f"  e.g. {time or 'without a time'}  {record}" for time, record in effect.examples)
    for loss in trial.losses:
        yield from loss.lines()
    taking = {exception for exception, _ in trial.effects} | {each.id for loss in trial.losses for each in loss.takers}
    for name in sorted(trial.tried - taking):
        yield f"{titles[name]} takes nothing"
    for hidden in trial.hidden.values():
        title = titles[hidden.exception]
        yield f"REFUSED: {title} would hide a finding that is {hidden.reason}: {hidden.finding} {hidden.rule}"


def _batch(trial: Trial, batch: Batch, parser: DefinedParser) -> None:
    parts = trial.parts
    parsed = parser.parse(batch, parts.engine.wanted(parser.dialect))
    events, hits = parsed.events, parts.engine.detect(parser.dialect, parsed.events, parsed.encoded)
    sifted = sift(batch, parser, events, hits, parts.exceptions, detections=parts.detections)
    if trial.withheld is not None:
        trial.withheld.take(batch, parser, events, hits, sifted.hits)
    found = joined(findings_of(batch, parser, events, sifted.hits, parts.detections))
    for rule, finding in found.matches.select("rule.id", "soc.finding.id").iter_rows():
        trial.left[rule] = trial.left.get(rule, 0) + 1
        trial.left_findings.add(finding)
    taken = _newly(sifted.suppressed, trial.tried)
    if taken.height:
        rows = np.unique(hits.row)
        originals = dict(zip(event_ids(batch, events[rows]), events["event.original"][rows], strict=True))
        _count(trial, taken, originals)


def _newly(suppressed: pl.DataFrame, tried: frozenset[str]) -> pl.DataFrame:
    """Return what only the tried exceptions take; what others take anyway is no effect of theirs."""
    ours = pl.col("soc.exception.id").is_in(tried)
    return suppressed.filter(ours & ours.all().over("soc.match.id"))


def _count(trial: Trial, taken: pl.DataFrame, originals: Mapping[str, str]) -> None:
    time = pl.col("@timestamp").dt.strftime("%Y-%m-%dT%H:%M:%SZ")  # Python's calendar ends, logs' times don't
    columns = ("soc.exception.id", "rule.id", "soc.finding.id", time, "event.id")
    for exception, rule, finding, when, events in taken.select(columns).iter_rows():
        effect = trial.effects.setdefault((exception, rule), Effect())
        effect.taken += 1
        effect.findings.add(finding)
        if len(effect.examples) < EXAMPLES:
            effect.examples.append((when, originals[events[0]]))


def _by_evidence(trial: Trial, finding: Mapping[str, object]) -> Filter | None:
    """Return a tried exception that takes any of the events which a finding shows."""
    parts = trial.parts
    if trial.withheld is not None and (taker := trial.withheld.hides(finding)) is not None:
        return taker
    numbers = [number for number, rule in enumerate(parts.engine.rules) if rule.id == finding["rule.id"]]
    definition = parts.definitions.get(str(finding["soc.source"]))
    shown = orjson.loads(str(finding["soc.evidence"]))
    if not numbers or definition is None or not shown:
        return None
    parser = DefinedParser(definition, enrichment=parts.enrichment)
    events = parser.parse(Batch(definition.name, "evidence", "evidence", _records(shown)), None).events
    rows = np.arange(events.height)
    taken = parts.exceptions.take(parser.dialect, events, Hits(np.full(rows.size, numbers[0], np.int32), rows))
    found = (parts.exceptions.filters[number] for number in taken.filter)
    return next((each for each in found if each.id in trial.tried), None)


def _records(shown: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
    """Return evidence as the records that it was, with the times that were read then."""
    columns = {
        "event.original": [each["event.original"] for each in shown],
        "log.offset": range(len(shown)),
        "soc.index": [0] * len(shown),
    }
    times = pl.Series("@timestamp", [each["@timestamp"] for each in shown], pl.String)
    return pl.DataFrame(columns, schema=RECORD).with_columns(
        times.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    )


def _title(trial: Trial, rule: str) -> str:
    return next(each.meta.title for each in trial.parts.engine.rules if each.id == rule)
