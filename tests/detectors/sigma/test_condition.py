"""The grammar of conditions (specification, Condition)."""

from __future__ import annotations

import time

import pytest

from detectors.sigma import condition
from detectors.sigma.document import TextError
from detectors.sigma.predicates import And, Node, Not, Or, Predicate

A, B, C = (Predicate(name, "equals", ("x",)) for name in "abc")
PARTS: dict[str, Node] = {
    "a": A,
    "b": B,
    "c": C,
    "sel-one": A,
    "sel-two": B,
    "sel_one": C,
    "_hidden": C,
    "notepad": A,
    "android": B,
    "oracle": C,
    "all": A,
}


def read(text: str) -> Node:
    return condition.read(text, PARTS)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("a or b and c", Or((A, And((B, C))))),
        ("a and b or c", Or((And((A, B)), C))),
        ("(a or b) and c", And((Or((A, B)), C))),
        ("not a and b", And((Not(A), B))),
        ("not (a and b)", Not(And((A, B)))),
        ("not not a", A),
        ("not not not a", Not(A)),
        ("((a))", A),
        ("notepad", A),
        ("not notepad", Not(A)),
        ("android or oracle", Or((B, C))),
        ("all", A),
        ("a\n  and b", And((A, B))),
        ("1 of sel-*", Or((A, B))),
        ("any of sel-*", Or((A, B))),
        ("all of sel-*", And((A, B))),
        ("1 of *_one", C),
        ("1 of a", A),
        ("1 of _*", C),
        ("not 1 of sel*", Not(Or((A, B, C)))),
        ("a and not b or c", Or((And((A, Not(B))), C))),
    ],
)
def test_reads(text: str, tree: Node) -> None:
    assert read(text) == tree


def test_them_leaves_out_names_that_begin_with_an_underscore() -> None:
    parts: dict[str, Node] = {"a": A, "_b": B}
    assert condition.read("all of them", parts) == A
    assert condition.read("all of *", parts) == A


@pytest.mark.parametrize(
    ("text", "offset", "message", "fix"),
    [
        ("a AND b", 2, "`AND`", "write `and`"),
        ("a b", 2, "`b`", ""),
        ("selection", 0, "there is no `selection`", "did you mean `"),
        ("sel-onne", 0, "there is no `sel-onne`", "did you mean `sel-one`?"),
        ("a and", 5, "missing at the end", ""),
        ("and a", 0, "`and`", ""),
        ("(a or b", 0, "`(` without its `)`", ""),
        ("a)", 1, "`)`", ""),
        ("2 of sel*", 0, "`2 of`", "write `1 of`"),
        ("ALL OF sel*", 0, "`ALL`", "write `all`"),
        ("1 of nothing_*", 5, "fits nothing", ""),
        ("1 of", 4, "missing at the end", ""),
        ("a | count() by b > 5", 2, "aggregation", "correlation"),
        ("not", 3, "missing at the end", ""),
        ("a or $b", 5, "`$`", ""),
    ],
)
def test_refuses(text: str, offset: int, message: str, fix: str) -> None:
    with pytest.raises(TextError) as caught:
        read(text)
    assert caught.value.offset == offset
    assert message in caught.value.message
    assert fix in caught.value.fix


def test_depth_is_bounded_and_costs_no_time() -> None:
    begin = time.process_time()
    assert read("(" * 64 + "a" + ")" * 64) == A
    with pytest.raises(TextError, match="nested deeper than 64"):
        read("(" * 1000 + "a" + ")" * 1000)
    assert read("not " * 1000 + "a") == A
    assert time.process_time() - begin < 1


def test_a_condition_that_names_a_large_part_over_and_over_is_refused() -> None:
    large = Predicate("f", "contains", tuple(map(str, range(100_000))))
    assert condition.read("large or large", {"large": large}) == large
    with pytest.raises(TextError, match="more than 16 million characters") as caught:
        condition.read("large or large or large", {"large": large})
    assert caught.value.offset == len("large or large or ")


def test_a_long_condition_is_refused() -> None:
    assert read("a" + " or a" * 19_999) == A
    with pytest.raises(TextError, match="longer than 100000 characters"):
        read("a" + " or a" * 20_001)
