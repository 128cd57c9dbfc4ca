"""Where a rule is true, one of its cover's predicates is, and putting its parts in order changes nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detectors.sigma.covers import cover, ordered
from detectors.sigma.predicates import ABSENCE_OPS, REFERENCE_OPS, And, Node, Not, Op, Or, Predicate
from tests.detectors.sigma.asking import compiled

OPS: list[Op] = [
    "equals",
    "contains",
    "like",
    "regex",
    "number",
    "cidr",
    "null",
    "missing",
    "exists",
    "ref_equals",
    "hour",
]
LEAVES = [Predicate(f"f{number % 3}", op, (f"x{number}",)) for number, op in enumerate(OPS)]
TREES: st.SearchStrategy[Node] = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)
TRUE = st.sets(st.sampled_from(LEAVES))


def holds(node: Node, true: set[Predicate]) -> bool:
    match node:
        case And(parts):
            return all(holds(part, true) for part in parts)
        case Or(parts):
            return any(holds(part, true) for part in parts)
        case Not(part):
            return not holds(part, true)
        case Predicate():
            return node in true


@given(TREES, TRUE)
def test_a_tree_that_is_true_has_a_predicate_of_its_cover_that_is(tree: Node, true: set[Predicate]) -> None:
    chosen = cover(tree)
    if chosen is not None and holds(tree, true):
        assert true & set(chosen)


@given(TREES)
def test_a_cover_holds_only_what_can_be_looked_for(tree: Node) -> None:
    assert not any(each.op in ABSENCE_OPS | REFERENCE_OPS for each in cover(tree) or ())


@given(TREES, TRUE)
def test_order_changes_no_meaning(tree: Node, true: set[Predicate]) -> None:
    assert holds(ordered(tree), true) == holds(tree, true)


def test_the_rarest_part_is_looked_for() -> None:
    (chosen,) = cover(compiled("EventID: 1\nCommandLine|contains: sekurlsa::logonpasswords").condition) or ()
    assert chosen.field == "CommandLine"


def test_a_mere_contrary_has_no_cover() -> None:
    assert cover(compiled("f|neq: x").condition) is None
    assert cover(compiled("f: null").condition) is None
    assert cover(compiled("a: {f: x}\nb: {g: null}\ncondition: a or b").condition) is None
