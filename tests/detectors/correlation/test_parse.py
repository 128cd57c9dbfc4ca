"""Correlation documents: every fault at its place, and what the words mean."""

from __future__ import annotations

import pytest

from detectors.content import contents
from detectors.correlation.rule import Bound, Correlation, Term, decode_correlation, encode_correlation
from detectors.sigma.rule import Rule

HEAD = "title: T\nid: 8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11\n"


def read(body: str) -> list[str | Correlation | Rule]:
    text = HEAD + "correlation:\n" + "".join(f"  {line.strip()}\n" for line in body.strip().splitlines())
    return [each if isinstance(each, Correlation | Rule) else str(each) for each in contents(text, "r.yml")]


def good(body: str) -> Correlation:
    (found,) = read(body)
    assert isinstance(found, Correlation), found
    return found


def test_all_faults_are_told_at_once_at_their_places() -> None:
    assert read(
        """
        type: event_cuont
        rules: [a, 5, a]
        groupby: source.ip
        timespan: 1.5h
        condition: {gte: many}
        aliases: {ip: source.ip}
        generate: maybe
        """
    ) == [
        "r.yml:4:9: the type event_cuont is not known; did you mean `event_count`?",
        "r.yml:5:14: `rules` has 5, which is not a name; write names as texts",
        "r.yml:6:3: correlation.groupby is not known; did you mean `group-by`?",
        "r.yml:7:13: the timespan 1.5h can't be used; write a whole number and s, m, h, d or w, such as 90s or 24h; "
        "a year at most",
        "r.yml:9:17: the alias `ip` is not a map of rules to fields; write `aliases: {name: {rule: field}}`",
        "r.yml:10:13: `generate` is true or false",
    ]


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("type: event_count", "no condition; add `condition:` with `gte:` and a number"),
        ("type: event_count\ncondition: {gte: many}", "`gte` takes a number, not many"),
        ("type: event_count\ncondition: {gte: true}", "`gte` takes a number, not True"),
        ("type: event_count\ncondition: {gte: .inf}", "`gte` takes a number, not inf"),
        ("type: event_count\ncondition: {gtee: 5}", "condition.gtee is not known; did you mean `gte`?"),
        ("type: event_count\ncondition: {gte: 5, field: x}", "event_count looks at no field"),
        ("type: event_count\ncondition: {lt: 1}", "the condition can never be true"),
        ("type: event_count\ncondition: {gt: 5, lt: 6}", "the condition can never be true"),
        ("type: event_count\ncondition: a and b", "a text is no condition of event_count"),
        ("type: value_count\ncondition: {gte: 5}", "value_count needs a field"),
        ("type: value_sum\ncondition: {gte: 5, field: [a, b]}", "value_sum takes one field"),
        ("type: value_percentile\ncondition: {lte: 1, field: a}", "value_percentile doesn't say which percentile"),
        ("type: value_percentile\ncondition: {lte: 1, field: a, percentile: 101}", "a percentile is from 0 to 100"),
        ("type: value_median\ncondition: {lte: 1, field: a, percentile: 50}", "value_median has no percentile"),
        ("type: temporal\ncondition: {gte: 3}", "the condition can never be true"),
        ("type: temporal\ncondition: a and c", "there is no `c` in `rules`"),
        ("type: temporal\ncondition: a", "the condition doesn't name `b`"),
        ("type: temporal\ncondition: not a or b", "`not` alone is true at all times"),
        ("type: temporal\ncondition: a and not a and b", "this can never be true"),
        ("type: temporal\ncondition: 1 of them", "`of` can't stand in a correlation"),
        ("type: temporal\ncondition: (a or b", "`(` without its `)`"),
        ("type: temporal\ncondition: [a, b]", "['a', 'b'] is no condition"),
    ],
)
def test_a_condition_that_cannot_be_run_says_why(condition: str, told: str) -> None:
    found = read(f"{condition}\nrules: [a, b]\ntimespan: 5m")
    assert len(found) == 1
    assert told in str(found[0])


@pytest.mark.parametrize("timespan", ["0m", "5", "5H", "-5m", "2y", "[5m]"])
def test_a_timespan_that_means_nothing_is_refused(timespan: str) -> None:
    (told,) = read(f"type: event_count\nrules: a\ntimespan: {timespan}\ncondition: {{gte: 2}}")
    assert "can't be used" in str(told)


def test_ranges_texts_and_single_words_are_read() -> None:
    made = good(
        """
        type: value_count
        rules: a
        group-by: user
        timespan: 2h
        condition: {field: [x, y], gt: '5', lte: 7.5}
        """
    )
    assert made.bounds == (Bound("gt", 5.0), Bound("lte", 7.5))
    assert (made.fields, made.group_by, made.span, made.generate) == (("x", "y"), ("user",), 7200, False)


def test_temporal_wants_all_its_rules_unless_it_says_otherwise() -> None:
    made = good("type: temporal_ordered\nrules: [a, b, c]\ntimespan: 5m")
    assert made.bounds == (Bound("gte", 3),)


def test_an_extended_condition_becomes_terms_and_may_name_the_rules() -> None:
    made = good("type: temporal\ntimespan: 5m\ncondition: a and (b or not (c or d))")
    assert [each.word for each in made.rules] == ["a", "b", "c", "d"]
    assert set(made.terms) == {Term((0, 1)), Term((0,), (2, 3))}


def test_generate_counts_in_either_place() -> None:
    body = "type: event_count\nrules: a\ntimespan: 5m\ncondition: {gte: 2}"
    assert good(body + "\ngenerate: true").generate
    (outside,) = contents(HEAD + "generate: true\ncorrelation:\n  " + body.replace("\n", "\n  "), "r.yml")
    assert isinstance(outside, Correlation)
    assert outside.generate


def test_a_correlation_without_an_id_is_named_by_what_it_does() -> None:
    body = "correlation: {type: event_count, rules: a, timespan: 5m, condition: {gte: %d}}\n"
    ids = {
        each.meta.id
        for title, limit in (("T", 2), ("U", 2), ("T", 3))
        for each in contents(f"title: {title}\n{body % limit}", "r.yml")
        if isinstance(each, Correlation)
    }
    assert len(ids) == 2


def test_the_cache_gives_back_what_it_was_given() -> None:
    made = good(
        """
        type: temporal
        group-by: ip
        timespan: 5m
        condition: a and not b
        aliases: {ip: {a: source.ip, b: destination.ip}}
        """
    )
    assert decode_correlation(encode_correlation(made), "r.yml") == made
    assert decode_correlation(encode_correlation(made), "s.yml").rules[0].place.file == "s.yml"
