"""What is doubtful about exceptions: what a filter probably does not mean, and what nobody needs or answers for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import polars as pl

from detectors.correlation import exceptions
from detectors.errors import Place
from detectors.sigma.exceptions import Exceptions, resolve
from detectors.sigma.filters import NARROW, Filter
from detectors.sigma.predicates import ABSENCE_OPS, And, Node, Not, Or, Predicate
from flows import assembly
from flows.authoring.memo import Memo
from flows.authoring.remarks import Remark
from flows.ruleset import RuleSet
from flows.settings import Settings

if TYPE_CHECKING:
    from connectors.definition import Definition
    from connectors.store import Store

UNUSED: Final = timedelta(days=60)
SOON: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Uses:
    """When exceptions last took something, and since when anything is known of that."""

    since: datetime | None = None
    last: Mapping[str, datetime] | None = None


def of(rules: RuleSet, settings: Settings, memo: Memo) -> Iterator[Remark]:
    """Yield what is doubtful of the exceptions among rules, with what the store knows of their use.

    Definitions are loaded if `memo` (which must depend on them) doesn't know what these exceptions reach.
    """
    zone = ZoneInfo(settings.zone)
    yield from correlated(rules)
    yield from doubts(rules.filters, datetime.now(UTC), zone, _used(settings.store))
    asked = Exceptions(rules.filters, rules.rules, zone, rules.called)
    reach = [(each.title, each.place, each.semantics) for each in asked.filters]
    question = repr((reach, [(number, rule.logsource) for number, rule in asked.questions])).encode(errors="replace")
    told = memo.known(
        question, lambda: [astuple(each) for each in blind(asked, assembly.definitions(settings).values())]
    )
    memo.save()
    yield from (Remark(Place(*place), *rest) for place, *rest in told)


def _used(path: Path) -> Uses | None:
    from connectors.store import Store  # noqa: PLC0415 - only where there are exceptions

    if not path.is_file():
        return None
    store = Store(path)
    try:
        return uses(store)
    finally:
        store.close()


def uses(store: Store) -> Uses:
    """Ask a store; the times are those of events."""
    last = store.taken().drop_nulls("last").group_by("soc.exception.id").agg(pl.col("last").max())
    return Uses(store.first(), dict(last.iter_rows()))


def doubts(filters: Sequence[Filter], now: datetime, zone: tzinfo, known: Uses | None = None) -> Iterator[Remark]:
    """Yield what is doubtful of filters, one after the other."""
    for each in filters:
        yield from _polarity(each)
        yield from _terms(each)
        yield from expiring(each, now, zone)
        yield from _unused(each, now, zone, known or Uses())


def correlated(rules: RuleSet) -> Iterator[Remark]:
    """Yield exceptions from what correlations count: from rules, and from other correlations."""
    feeds = {member.id: linked.rule.meta.title for linked in rules.correlations for member in linked.members}
    ruled = resolve(rules.filters, rules.rules, rules.called).filters
    grouped = exceptions.resolve(rules.filters, rules.correlations, rules.logsources, rules.called).filters
    named = {rules.rules[rule].id: numbers for rule, numbers in ruled.items()} | {**grouped}
    titles = {meta.id: meta.title for meta in rules.metas()}
    for each in feeds.keys() & named.keys():
        for number in named[each]:
            message = f"what it takes of `{titles[each]}` is not counted by the correlation `{feeds[each]}` either"
            yield Remark(rules.filters[number].place, "warning", "correlated", message, "see that this is meant")


def blind(asked: Exceptions, definitions: Iterable[Definition]) -> Iterator[Remark]:
    """Yield exceptions that hardly take anything: where events' fields are known, they lack one that is needed."""
    numbers, rules = zip(*asked.questions, strict=True) if asked.questions else ((), ())
    from flows.blindness import look  # noqa: PLC0415 - formats and enrichment: not where all is known already

    known, open_, lacks = set[int](), set[int](), defaultdict[int, set[str]](set)
    for definition in definitions:
        seen = look(rules, definition).whole
        (open_ if definition.own_columns is None else known).update(seen.live)
        for place, fields in seen.blind.items():
            lacks[place] |= fields
    sighted = {numbers[place] for place in known | (open_ - lacks.keys())}
    for number in sorted({numbers[place] for place in lacks} - sighted):
        each = asked.filters[number]
        missing = set[str]().union(*(lacks[place] for place in lacks if numbers[place] == number))
        named = ", ".join(f"`{name}`" for name in sorted(missing))
        message = f"the exception `{each.title}` hardly takes anything: events of its rules lack {named}"
        yield Remark(each.place, "warning", "blind", message, "see the fields that there are with `soc parse`")


def expiring(each: Filter, now: datetime, zone: tzinfo) -> Iterator[Remark]:
    """Yield that an exception has ended, or soon will."""
    until = each.terms.until(zone)
    if until is not None and until - SOON <= now:
        verb = "ended" if until <= now else "ends"
        message = f"the exception `{each.title}` {verb} on {until.astimezone(zone):%d/%m/%Y %H:%M}"
        fix = "delete it, or renew `valid_to`" if until <= now else "renew `valid_to` if it is still needed"
        yield Remark(each.place, "warning", verb, message, fix)


def _polarity(each: Filter) -> Iterator[Remark]:
    if each.terms.intent != NARROW and not _bare(each.condition):
        message = f"the exception `{each.title}` takes events that have none of the fields it names"
        fix = "write `not` before what is excepted, or `intent: narrow` under `soc` if only that shall be kept"
        yield Remark(each.place, "error", "polarity", message, fix)


def _bare(node: Node) -> bool:
    """Say whether a condition is true of an event that has no fields at all."""
    match node:
        case Predicate():
            return node.op in ABSENCE_OPS
        case Not(part):
            return not _bare(part)
        case And(parts):
            return all(map(_bare, parts))
        case Or(parts):
            return any(map(_bare, parts))


def _terms(each: Filter) -> Iterator[Remark]:
    missing = [name for name in ("owner", "reason", "valid_to") if not getattr(each.terms, name)]
    if missing:
        message = f"the exception `{each.title}` has no {', '.join(missing)}"
        yield Remark(each.place, "warning", "terms", message, "write them under `soc`")


def _written(each: Filter) -> datetime | None:
    """Return when the file of an exception was last written: before that, it could take nothing as it is now."""
    try:
        return datetime.fromtimestamp(Path(each.place.file).stat().st_mtime, UTC)
    except (OSError, ValueError, OverflowError):
        return None


def _unused(each: Filter, now: datetime, zone: tzinfo, known: Uses) -> Iterator[Remark]:
    """Yield that an exception took nothing for long, as far as this is known."""
    if known.since is None:
        return
    begun = max(known.since, each.terms.since(zone) or known.since, _written(each) or known.since)
    last = max(begun, (known.last or {}).get(each.id, begun))
    if now - last >= UNUSED:
        days = (now - last) // timedelta(days=1)
        message = f"the exception `{each.title}` took nothing for {days} days"
        yield Remark(each.place, "warning", "unused", message, "delete it if nobody needs it")
