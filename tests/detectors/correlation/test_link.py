"""References: found by name or id, refused with the place and the nearest name."""

from __future__ import annotations

from detectors.content import contents
from detectors.correlation.link import Linked, link
from detectors.correlation.rule import Correlation
from detectors.sigma.rule import Rule
from tests.property.correlations import TEXT

HEAD = "title: X{0}\nname: x{0}\nid: 00000000-0000-4000-8000-00000000010{0}\n"


def linked(*bodies: str) -> tuple[tuple[Linked, ...], list[str]]:
    """Link correlations x0, x1 … over the rules a, b and c."""
    made = [f"{HEAD.format(number)}correlation: {{{body}}}\n" for number, body in enumerate(bodies)]
    read = [*contents(TEXT + "---\n".join(made), "r.yml")]
    correlations = [each for each in read if isinstance(each, Correlation)]
    found, faults = link(correlations, [each for each in read if isinstance(each, Rule)])
    return found, [str(fault).partition(": ")[2] for fault in faults]


def count(rules: str, more: str = "group-by: user") -> str:
    return f"type: event_count, rules: {rules}, timespan: 1m, condition: {{gte: 2}}, {more}"


def test_rules_go_by_name_or_id_and_never_by_title() -> None:
    made, faults = linked(count("a"), count("00000000-0000-4000-8000-000000000000"), count("'Rule a'"), count("aa"))
    assert [each.rule.name for each in made] == ["x0", "x1"]
    assert made[0].semantics == made[1].semantics
    assert faults == [
        "`Rule a` is a title; rules go by name or id; write a",
        "no rule has the name or id `aa`; did you mean `a`?",
    ]


def test_the_place_of_a_fault_is_the_reference() -> None:
    text = "title: T\ncorrelation:\n  type: event_count\n  rules: [nobody]\n  timespan: 1m\n  condition: {gte: 2}\n"
    (made,) = contents(text, "r.yml")
    assert isinstance(made, Correlation)
    assert [str(fault.place) for fault in link([made], [])[1]] == ["r.yml:4:11"]


def test_circles_are_refused_and_cost_nobody_else() -> None:
    made, faults = linked(count("x1"), count("x0"), count("x2"), count("b"))
    assert [each.rule.name for each in made] == ["x3"]
    assert sum("refers back to this correlation" in fault for fault in faults) == 2


def test_a_name_that_several_rules_have_is_refused_where_it_is_used() -> None:
    double = TEXT + TEXT.replace("4000-8000", "4000-9000") + "title: X\ncorrelation: {" + count("a") + "}\n"
    read = [*contents(double, "r.yml")]
    correlations = [each for each in read if isinstance(each, Correlation)]
    made, faults = link(correlations, [each for each in read if isinstance(each, Rule)])
    assert not made
    assert "`a` is the name of 2 rules; refer to it by id" in str(faults[0])


def test_a_correlation_of_a_broken_one_is_broken() -> None:
    made, faults = linked(count("nobody"), count("x0"))
    assert not made
    assert "`x0` can't be run" in faults[1]


def test_an_inner_correlation_has_its_groups_and_its_metric() -> None:
    assert linked(count("a"), count("x0"))[1] == []
    assert "`x0` has no `address`" in linked(count("a"), count("x0", "group-by: address"))[1][0]
    value = "type: value_sum, rules: x0, timespan: 1m, condition: {gte: 2, field: event_count}"
    (_, outer), faults = linked(count("a"), value)
    assert faults == []
    assert outer.waits


def test_aliases_rename_fields_per_rule() -> None:
    (made,), faults = linked(count("[a, b]", "group-by: ip, aliases: {ip: {a: source.ip, b: destination.ip}}"))
    assert faults == []
    assert [member.group for member in made.members] == [("source.ip",), ("destination.ip",)]
    (fault,) = linked(count("[a, b]", "aliases: {ip: {a: source.ip, c: destination.ip}}"))[1]
    assert "the alias is for `c`, which is not among the rules" in fault


def test_the_same_rule_by_name_and_by_id_is_refused() -> None:
    (fault,) = linked(count("[a, 00000000-0000-4000-8000-000000000000]"))[1]
    assert "two of its rules are the same" in fault


def test_reach_adds_up_and_absence_waits() -> None:
    (inner, outer), _ = linked(count("a"), "type: temporal, timespan: 1m, condition: x0 and not b, group-by: user")
    assert (inner.reach, outer.reach) == (60_000_000, 120_000_000)
    assert (inner.waits, outer.waits) == (False, True)


def test_other_words_are_the_same_detection_and_other_rules_are_not() -> None:
    (first, second, third), _ = linked(count("a"), count("a", "group-by: user, generate: true"), count("b"))
    assert first.semantics == second.semantics != third.semantics
