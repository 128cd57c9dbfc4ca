"""A rule is blind where what it needs can't come: never where it could match, and always where it can't."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contracts import Dialect, LogSource
from detectors.errors import Place
from detectors.meta import Meta
from detectors.sigma.blind import Names, Sight, lacks, survey
from detectors.sigma.engine import Engine
from detectors.sigma.logsources import Route
from detectors.sigma.predicates import And, Node, Not, Op, Or, Predicate, predicates
from detectors.sigma.rule import Rule
from tests.detectors.sigma.asking import compiled, frame

CAN, CANNOT = ("a", "b", "c"), ("x", "y")
OPS: tuple[Op, ...] = ("equals", "contains", "null", "exists", "missing", "present", "ref_equals")
VALUES = ("", "1", "2")
WINDOWS = Dialect("windows", LogSource(product="windows"), aliases={}, structured=True)
SYSMON, SECURITY = frozenset({"microsoft-windows-sysmon/operational"}), frozenset({"security"})


@st.composite
def leaves(draw: st.DrawFn) -> Predicate:
    op = draw(st.sampled_from(OPS))
    values = {"equals": VALUES, "contains": ("1", "2"), "ref_equals": (*CAN, *CANNOT)}.get(op)
    return Predicate(
        draw(st.sampled_from((*CAN, *CANNOT))), op, (draw(st.sampled_from(values)),) if values is not None else ()
    )


trees: st.SearchStrategy[Node] = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)


def has(name: str) -> bool:
    return name in CAN


def rule(condition: Node, logsource: LogSource = WINDOWS.logsource, waits_for: tuple[str, ...] = ()) -> Rule:
    return Rule(Meta(id="1", title="A test"), logsource, condition, Place("test.yml"), "0", waits_for)


def truths(node: Node, leaf: Iterator[bool]) -> bool:
    """Return the truth of a tree whose leaves, from left to right, have these truths."""
    match node:
        case Predicate():
            return next(leaf)
        case Not(part):
            return not truths(part, leaf)
        case And(parts) | Or(parts):
            found = [truths(part, leaf) for part in parts]  # every leaf takes its truth, needed or not
            return all(found) if isinstance(node, And) else any(found)


def possible(predicate: Predicate) -> tuple[bool, ...]:
    """Return what a predicate may be, if its fields and no others have values at times."""
    asked = {predicate.field, *(predicate.values if predicate.op == "ref_equals" else ())}
    return (False, True) if asked <= set(CAN) else (predicate.op in ("null", "missing"),)


@settings(deadline=None)
@given(trees)
def test_a_condition_is_blind_just_where_no_truth_of_its_parts_makes_it_true(tree: Node) -> None:
    choices = product(*map(possible, predicates(tree)))
    assert bool(lacks(tree, has)) == (not any(truths(tree, iter(choice)) for choice in choices))


@settings(deadline=None)
@given(trees)
def test_with_the_fields_it_lacks_a_condition_is_not_blind(tree: Node) -> None:
    missing = lacks(tree, has)
    assert missing <= set(CANNOT)
    assert not lacks(tree, lambda name: has(name) or name in missing)


@settings(max_examples=50, deadline=None)
@given(st.lists(trees, min_size=5, max_size=5))
def test_the_engine_never_matches_a_blind_rule(conditions: list[Node]) -> None:
    events = [dict(zip(CAN, chosen, strict=True)) for chosen in product((None, *VALUES), repeat=len(CAN))]
    hits = Engine([rule(condition) for condition in conditions]).detect(WINDOWS, frame(events))
    blind = {number for number, condition in enumerate(conditions) if lacks(condition, has)}
    assert blind.isdisjoint(hits.rule.tolist())


@pytest.mark.parametrize(
    ("detection", "missing"),
    [
        ("x: 1", {"x"}),
        ("a: 1", set()),
        ("x: null", set()),
        ("x|exists: false", set()),
        ("x|exists: true", {"x"}),
        ("a|fieldref: x", {"x"}),
        ("- keyword", set()),
        ("{sel: {a: 1, x: 1}, condition: sel}", {"x"}),
        ("{sel: [{x: 1}, {y: 1}], condition: sel}", {"x", "y"}),
        ("{sel: [{x: 1}, {a: 1}], condition: sel}", set()),
        ("{sel: {a: 1}, filter: {x: 1}, condition: sel and not filter}", set()),
        ("{sel: {a: 1}, filter: {x: null}, condition: sel and not filter}", {"x"}),
        ("{sel: {a: 1}, filter: {x: null, b: 1}, condition: sel and not filter}", set()),
        ("{sel: {x: 1}, condition: not sel}", set()),
    ],
)
def test_what_a_condition_lacks(detection: str, missing: set[str]) -> None:
    text = detection.strip("{}").replace(", filter:", "\nfilter:").replace(", condition:", "\ncondition:")
    assert lacks(compiled(text if detection.startswith("{") else detection).condition, has) == missing


def process(condition: Node) -> Rule:
    return rule(condition, LogSource("process_creation", "windows"))


def kinds(route: Route) -> Names:
    """Say what the events of Sysmon and of the Security log have, and nothing of others."""
    head = frozenset({"Channel", "EventID"})
    return {SYSMON: head | {"Image", "Hashes"}, SECURITY: head | {"NewProcessName"}}.get(route.where["Channel"])


def test_a_rule_is_blind_on_one_route_and_sees_on_another() -> None:
    found = survey([process(Predicate("Hashes", "contains", ("1",)))], WINDOWS, kinds)
    assert found.whole == Sight(live={0})
    seen = {min(route.where["Channel"]): sight for route, sight in found.routes}
    assert seen["security"].blind == {0: {"Hashes"}}
    assert seen["microsoft-windows-sysmon/operational"].live == {0}


def test_a_route_calls_fields_by_its_own_names() -> None:
    found = survey([process(Predicate("Image", "endswith", ("1",)))], WINDOWS, kinds)
    assert all(sight.live == {0} for _, sight in found.routes)


def test_a_rule_that_is_blind_on_every_route_is_blind_on_the_source() -> None:
    found = survey([process(Predicate("Company", "equals", ("1",)))], WINDOWS, kinds)
    assert found.whole == Sight(blind={0: frozenset({"Company"})})


def test_an_alias_is_a_way_to_a_field() -> None:
    dialect = Dialect("web", LogSource("webserver"), aliases={"c-uri": ("cs-uri",)}, structured=False)
    made = [
        rule(Predicate(name, "equals", ("1",)), LogSource("webserver")) for name in ("c-uri", "cs-uri", "c-useragent")
    ]
    found = survey(made, dialect, lambda _: frozenset({"cs-uri"}))
    assert found.whole == Sight(live={0, 1}, blind={2: frozenset({"c-useragent"})})


def test_a_column_may_hold_others() -> None:
    syslog = Dialect("syslog", LogSource(product="linux"), aliases={}, structured=False)
    names = ("structured_data", "structured_data.origin.ip", "data.origin", "structured_dat.a")
    made = [rule(Predicate(name, "equals", ("1",)), LogSource(product="linux")) for name in names]
    found = survey(made, syslog, lambda _: frozenset({"structured_data", "origin"}))
    assert found.whole.live == {0, 1}


def test_rules_that_apply_nowhere_are_neither_live_nor_blind() -> None:
    made = [
        rule(Predicate("x", "equals", ("1",)), LogSource("proxy")),  # another source's
        rule(Predicate("x", "equals", ("1",)), waits_for=("list",)),
        process(Predicate("x", "equals", ("1",))),  # no event has a channel, so none takes the route
    ]
    found = survey(made, WINDOWS, lambda route: frozenset({"a"}) if route.where else None)
    assert found.whole == Sight()
