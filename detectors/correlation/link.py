"""Names to rules: which matches a correlation needs, and what of each.

A reference is the `name` or the `id` of a rule or of another correlation. A correlation that refers to something
unknown, to a name that several rules have, to itself by any way round, or to a field that an inner correlation
doesn't have, is refused, and so are those that refer to it; the rules that it refers to then have findings as if it
were not there.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson

from detectors.correlation.rule import TEMPORAL, Correlation, Reference, encode_correlation
from detectors.errors import RuleError
from detectors.meta import Meta
from detectors.nearest import nearest

SECOND = 1_000_000  # times are microseconds
MAX_DEPTH = 16  # correlations of correlations of …
MAX_REACH = 366 * 86400 * SECOND


class Named(Protocol):
    """What is asked of a detection rule."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def semantics(self) -> str: ...

    @property
    def meta(self) -> Meta: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One of the rules that a correlation puts together."""

    id: str
    inner: Linked | None  # where it is a correlation itself
    group: tuple[str, ...]  # what it calls the fields of `group_by`
    fields: tuple[str, ...]  # and those of the condition


@dataclass(frozen=True, slots=True)
class Linked:
    """A correlation with all that it refers to."""

    rule: Correlation
    members: tuple[Member, ...]
    semantics: str  # names what is detected, with the rules it refers to
    waits: bool  # for time to pass: more matches could make an alert untrue
    reach: int  # microseconds that matches of an alert may lie before its end, those of inner correlations included

    @property
    def span(self) -> int:
        """The length of its windows, in microseconds."""
        return self.rule.span * SECOND

    def leaves(self) -> Iterator[Member]:
        """Yield the detection rules whose matches it needs."""
        for member in self.members:
            if member.inner is None:
                yield member
            else:
                yield from member.inner.leaves()

    def inner(self) -> Iterator[Linked]:
        """Yield the correlations it refers to, by whatever way."""
        for member in self.members:
            if member.inner is not None:
                yield member.inner
                yield from member.inner.inner()


def link(
    correlations: Sequence[Correlation], rules: Iterable[Named]
) -> tuple[tuple[Linked, ...], tuple[RuleError, ...]]:
    """Return the correlations that can run, and what is wrong with the others."""
    linker = _Linker(correlations, rules)
    found = [made for each in correlations if (made := linker.linked(each)) is not None]
    return tuple(found), tuple(linker.faults)


class _Linker:
    def __init__(self, correlations: Sequence[Correlation], rules: Iterable[Named]) -> None:
        self.faults: list[RuleError] = []
        self._known: dict[str, list[Named | Correlation]] = defaultdict(list)
        self._done: dict[str, Linked | None] = {}
        self._open: list[str] = []
        self._rules = [*rules]
        for rule in self._rules:
            self._name(rule, rule.id, rule.name)
        for correlation in correlations:
            self._name(correlation, correlation.meta.id, correlation.name)

    def _name(self, rule: Named | Correlation, identity: str, name: str) -> None:
        self._known[identity].append(rule)
        if name and name != identity:
            self._known[name].append(rule)

    def linked(self, rule: Correlation) -> Linked | None:
        """Return a correlation linked, or None and a fault put down."""
        if rule.meta.id not in self._done:
            self._open.append(rule.meta.id)
            self._done[rule.meta.id] = self._link(rule)
            self._open.pop()
        return self._done[rule.meta.id]

    def _link(self, rule: Correlation) -> Linked | None:
        before = len(self.faults)
        self._check_aliases(rule)
        made = [self._member(rule, reference) for reference in rule.rules]
        members = [member for member in made if member is not None]
        if len(self.faults) > before or len(members) < len(made):
            return None
        if len({member.id for member in members}) < len(members):
            self._fault("two of its rules are the same, once by name and once by id", rule.rules[0], "keep one of them")
            return None
        reach = rule.span * SECOND + max((member.inner.reach for member in members if member.inner), default=0)
        if reach > MAX_REACH:
            self._fault("its windows and those it refers to reach back more than a year", rule.rules[0])
            return None
        return Linked(rule, tuple(members), self._semantics(rule, members), _waits(rule, members), reach)

    def _member(self, rule: Correlation, reference: Reference) -> Member | None:
        target = self._target(reference)
        if target is None:
            return None
        mapping = self._mapping(rule, reference, target)
        group = tuple(mapping.get(name, name) for name in rule.group_by)
        fields = tuple(mapping.get(name, name) for name in rule.fields)
        if not isinstance(target, Correlation):
            return Member(target.id, None, group, fields)
        inner = self._inner(reference, target)
        if inner is None:
            return None
        for field in (*group, *fields):
            if field not in given(inner):
                self._fault(f"`{reference.word:.80}` has no `{field:.80}`: its alerts have what it groups by, and its "
                            "metric", reference, nearest(field, given(inner)))  # fmt: skip
        return Member(target.meta.id, inner, group, fields)

    def _inner(self, reference: Reference, target: Correlation) -> Linked | None:
        if target.meta.id in self._open:
            self._fault(f"`{reference.word:.80}` refers back to this correlation", reference, "break the circle")
            return None
        if len(self._open) > MAX_DEPTH:
            self._fault(f"correlations refer to each other over more than {MAX_DEPTH} levels", reference)
            return None
        inner = self.linked(target)
        if inner is None:
            self._fault(f"`{reference.word:.80}` can't be run", reference, f"see {target.place}")
        return inner

    def _target(self, reference: Reference) -> Named | Correlation | None:
        found = self._known.get(reference.word) or self._known.get(reference.word.lower(), [])
        if len(found) == 1:
            return found[0]
        if found:
            self._fault(f"`{reference.word:.80}` is the name of {len(found)} rules", reference, "refer to it by id")
            return None
        titled = next((rule for rule in self._rules if rule.meta.title == reference.word), None)
        if titled is not None:
            fix = f"write {titled.name or titled.id}"
            self._fault(f"`{reference.word:.80}` is a title; rules go by name or id", reference, fix)
        else:
            names = [word for word, rules in self._known.items() if any(word == rule.name for rule in rules)]
            self._fault(f"no rule has the name or id `{reference.word:.80}`", reference, nearest(reference.word, names))
        return None

    def _mapping(self, rule: Correlation, reference: Reference, target: Named | Correlation) -> Mapping[str, str]:
        identity = target.meta.id if isinstance(target, Correlation) else target.id
        words = {reference.word, target.name, identity}
        return {alias.name: alias.field for alias in rule.aliases if alias.rule.word in words}

    def _check_aliases(self, rule: Correlation) -> None:
        """Refuse aliases of rules that are not among those put together."""
        legal = {reference.word for reference in rule.rules}
        for reference in rule.rules:
            for target in self._known.get(reference.word, ()):
                legal |= {target.name, target.meta.id if isinstance(target, Correlation) else target.id}
        for alias in rule.aliases:
            if alias.rule.word not in legal:
                fix = nearest(alias.rule.word, [each.word for each in rule.rules])
                self._fault(f"the alias is for `{alias.rule.word:.80}`, which is not among the rules", alias.rule, fix)

    def _semantics(self, rule: Correlation, members: Sequence[Member]) -> str:
        """Name what a correlation detects: 16 hexadecimal digits of SHA-256."""
        data = encode_correlation(rule)
        what = {name: data[name] for name in ("type", "span", "group_by", "bounds", "terms", "percentile")}
        parts = [[self._meaning(member), member.group, member.fields] for member in members]
        return hashlib.sha256(orjson.dumps([what, parts], option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    def _meaning(self, member: Member) -> str:
        rule = member.inner or self._known[member.id][0]
        return "" if isinstance(rule, Correlation) else rule.semantics

    def _fault(self, message: str, reference: Reference, fix: str = "") -> None:
        self.faults.append(RuleError(message, place=reference.place, fix=fix))


def given(inner: Linked) -> tuple[str, ...]:
    """Name the fields that alerts of a correlation have: its groups, and the metric under the name of its type."""
    return (*inner.rule.group_by, inner.rule.type)


def _waits(rule: Correlation, members: Sequence[Member]) -> bool:
    """Say whether more matches could make an alert untrue."""
    inner = [member.inner for member in members if member.inner is not None]
    changing = any(each.rule.type in (*member.group, *member.fields) for member in members if (each := member.inner))
    if changing or any(each.waits for each in inner):
        return True
    if rule.terms:
        return any(term.absent for term in rule.terms)
    growing = rule.type in ("event_count", "value_count", *TEMPORAL)
    return not growing or any(bound.operator not in ("gt", "gte") for bound in rule.bounds)
