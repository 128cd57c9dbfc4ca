"""What a correlation's tests are worth: leave a rule, a field, a bound or the timespan out, and some test must fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from detectors.correlation.link import MAX_REACH, SECOND, Linked, Member
from detectors.correlation.rule import TEMPORAL, Bound, Correlation, Term
from detectors.errors import Place
from detectors.sigma.document import Document
from flows import correlationtests, ruletests
from flows.assembly import Parts
from flows.authoring.mutation import Score, Survivor

Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class _Change:
    place: Place
    what: str
    linked: Linked
    fix: str


def score(linked: Linked, parts: Parts) -> Score:
    """Leave everything out of a correlation in turn, and say what its tests don't notice."""
    document = ruletests.document_of(linked.rule)
    if document is None or "correlation" not in document.data:  # a rule of Sigma 1 says it in its condition
        return Score(0, ())
    asked = [*ruletests.correlated(linked, document, parts)]
    tried = [*_changes(linked, document)]
    blocks, expected = [made for _, made in asked], [case.match for case, _ in asked]
    missed = (each for each in tried if correlationtests.alerts(each.linked, blocks) == expected)
    return Score(
        len(tried), tuple(Survivor(each.place, f"no test fails without {each.what}", each.fix) for each in missed)
    )


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
        place = document.key("correlation", "group-by")
        yield _Change(place, f"`{name:.80}` in `group-by`", made, f"add events that differ in `{name:.80}` only")
    for number, bound in enumerate(rule.bounds if "condition" in document.data["correlation"] else ()):
        made = replace(linked, rule=replace(rule, bounds=_but(rule.bounds, number)))
        fix = "add events that miss it by one"
        yield _Change(document.key("correlation", "condition"), f"`{bound.operator}: {bound.limit:g}`", made, fix)
    longest = replace(rule, span=MAX_REACH // SECOND)
    made = replace(linked, rule=longest, reach=linked.reach - linked.span + MAX_REACH)
    yield _Change(document.key("correlation", "timespan"), "the timespan", made, "add events that lie too far apart")


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
