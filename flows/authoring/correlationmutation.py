"""What a correlation's tests are worth: leave a rule, a field, a bound or the timespan out, and some test must fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from detectors.contracts import Block
from detectors.correlation.link import MAX_REACH, SECOND, Linked, Member
from detectors.correlation.rule import TEMPORAL, Bound, Correlation, Term
from detectors.errors import Place
from detectors.sigma.asking import Asking, Bits
from detectors.sigma.document import Document
from detectors.sigma.logsources import routes
from detectors.sigma.outline import Change, changes, outline
from detectors.sigma.valuelist import Lists
from flows import correlationtests, ruletests
from flows.assembly import Parts
from flows.authoring.mutation import Score, Survivor, survivor

Each = TypeVar("Each")
OLD: Final = {"condition": "condition", "timespan": "timeframe"}  # where a rule of Sigma 1 says it


@dataclass(frozen=True, slots=True)
class _Change:
    place: Place
    what: str
    linked: Linked
    fix: str


def score(linked: Linked, parts: Parts, lists: Lists) -> Score:
    """Leave everything out of a correlation in turn, and say what its tests don't notice."""
    document = ruletests.document_of(linked.rule)
    if document is None:
        return Score(0, ())
    asked = [*ruletests.correlated(linked, document, parts)]
    blocks, expected = [made for _, made in asked], [case.match for case, _ in asked]
    tried = [*_changes(linked, document)]
    missed = [
        Survivor(each.place, f"no test fails without {each.what}", each.fix)
        for each in tried
        if correlationtests.alerts(each.linked, blocks) == expected
    ]
    counted = [*_counted(linked, document, parts, lists)]
    missed += [survivor(change) for change, made in counted if correlationtests.alerts(linked, made) == expected]
    return Score(len(tried) + len(counted), tuple(missed))


def _counted(
    linked: Linked, document: Document, parts: Parts, lists: Lists
) -> Iterator[tuple[Change, list[list[Block]]]]:
    """Yield what can be left out of the detection that a rule of Sigma 1 counts, and the matches of its tests then."""
    rule = next((each for each in parts.rules.rules if each.place == linked.rule.place), None)
    if rule is None:
        return
    top, given = outline(document, lists), [made for _, made in ruletests.runnable(rule, document, parts)]
    by = [(Asking(made.dialect, made.events), routes(rule.logsource, made.dialect.logsource)) for made in given]
    for change in changes(top):
        rows = [_rows(asking.matched(top, ways, change)) for asking, ways in by]
        yield change, [[ruletests.counted(linked, *each, rule=rule)] for each in zip(given, rows, strict=True)]


def _rows(bits: Bits) -> list[int]:
    return [row for row in range(bits.bit_length()) if bits >> row & 1]


def _changes(linked: Linked, document: Document) -> Iterator[_Change]:
    """Yield a correlation without each of its parts."""
    rule = linked.rule
    for number, reference in enumerate(rule.rules if len(rule.rules) > 1 else ()):
        without = _without_rule(linked, number)
        if without is not None:
            fix = "add events that only this rule keeps from an alert, or brings to one"
            yield _Change(reference.place, f"the rule `{reference.word:.80}`", without, fix)
    for number, name in enumerate(rule.group_by):
        members = tuple(replace(each, group=_but(each.group, number)) for each in linked.members)
        made = replace(linked, rule=replace(rule, group_by=_but(rule.group_by, number)), members=members)
        place = _place(document, "group-by")
        yield _Change(place, f"`{name:.80}` in `group-by`", made, f"add events that differ in `{name:.80}` only")
    for number, bound in enumerate(rule.bounds if "condition" in document.data.get("correlation", OLD) else ()):
        made = replace(linked, rule=replace(rule, bounds=_but(rule.bounds, number)))
        fix = "add events that miss it by one"
        yield _Change(_place(document, "condition"), f"`{bound.operator}: {bound.limit:g}`", made, fix)
    longest = replace(rule, span=MAX_REACH // SECOND)
    made = replace(linked, rule=longest, reach=linked.reach - linked.span + MAX_REACH)
    yield _Change(_place(document, "timespan"), "the timespan", made, "add events that lie too far apart")


def _place(document: Document, key: str) -> Place:
    """Return where a correlation says something, or a rule of Sigma 1 in its condition or beside it."""
    if "correlation" in document.data:
        return document.key("correlation", key)
    return document.key("detection", OLD.get(key, "condition"))


def _without_rule(linked: Linked, number: int) -> Linked | None:
    """Return a correlation without one of its rules; None where nothing is left to ask for."""
    rule = linked.rule
    terms = tuple(term for each in rule.terms if (term := _term(each, number)).present)
    if rule.terms and not terms:
        return None
    bounds = rule.bounds
    if rule.type in TEMPORAL:  # all that are left must match
        bounds = tuple(Bound(each.operator, min(each.limit, len(rule.rules) - 1)) for each in bounds)
    made: Correlation = replace(rule, rules=_but(rule.rules, number), terms=terms, bounds=bounds)
    members: tuple[Member, ...] = _but(linked.members, number)
    return replace(linked, rule=made, members=members)


def _term(term: Term, gone: int) -> Term:
    present, absent = (
        tuple(slot - (slot > gone) for slot in slots if slot != gone) for slots in (term.present, term.absent)
    )
    return Term(present, absent)


def _but(values: tuple[Each, ...], number: int) -> tuple[Each, ...]:
    return (*values[:number], *values[number + 1 :])
