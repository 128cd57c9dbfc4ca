"""Filter documents: what is read of them, and what is refused where."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from detectors.content import contents
from detectors.contracts import LogSource
from detectors.errors import Place, RuleError
from detectors.sigma.filters import Filter, Terms
from detectors.sigma.predicates import Not, Predicate
from detectors.sigma.rule import Rule

MEANT = "did you mean `selection`?"
REFERENCES = "list ids or names of rules under it, or write `any`"
HOME = ZoneInfo("Asia/Ho_Chi_Minh")
GOOD = """title: Scanner of the centre
id: 00000000-0000-4000-8000-00000000000A
logsource: {product: linux, service: sshd}
filter:
  rules:
    - 00000000-0000-4000-8000-000000000001
    - root_guessed
  selection: {source: 203.0.113.9}
  condition: not selection
soc: {owner: SOC, reason: weekly, document: 12/QĐ, organisation: sotp, valid_from: 2026-03-09, valid_to: 2026-03-10}
"""


def read(text: str) -> Filter:
    (found,) = contents(text, "f.yml")
    assert isinstance(found, Filter), str(found)
    return found


def faults(text: str) -> list[str]:
    found = list(contents(text, "f.yml"))
    assert all(isinstance(each, RuleError) for each in found), "the filter was accepted"
    return [str(each) for each in found]


def test_all_of_a_filter_is_read() -> None:
    found = read(GOOD)
    assert (found.id, found.title) == ("00000000-0000-4000-8000-00000000000a", "Scanner of the centre")
    assert found.logsource == LogSource(product="linux", service="sshd")
    assert [(each.rule, each.line, each.column) for each in found.rules] == [
        ("00000000-0000-4000-8000-000000000001", 6, 7),
        ("root_guessed", 7, 7),
    ]
    assert found.condition == Not(Predicate("source", "equals", ("203.0.113.9",)))
    assert found.terms == Terms("SOC", "sotp", "weekly", "12/QĐ", "2026-03-09", "2026-03-10")


def test_a_filter_survives_its_encoding() -> None:
    found = read(GOOD)
    assert Filter.decode(found.encode(), Place("f.yml", 1, 1)) == found


@pytest.mark.parametrize("rules", ["any", "'any'"])
def test_any_means_every_rule(rules: str) -> None:
    assert (
        read(
            f"title: t\nlogsource: {{product: linux}}\nfilter: {{rules: {rules}, s: {{f: x}}, condition: not s}}"
        ).rules
        == ()
    )


def test_one_rule_needs_no_list() -> None:
    text = "title: t\nlogsource: {product: linux}\nfilter: {rules: a, s: {f: x}, condition: not s}"
    assert [each.rule for each in read(text).rules] == ["a"]


def test_selectors_leave_rules_and_condition_out() -> None:
    text = (
        "title: t\nlogsource: {product: linux}\nfilter: {rules: any, a: {f: x}, b: {g: y}, condition: not all of them}"
    )
    assert "g" in str(read(text).condition)
    assert "any" not in str(read(text).condition)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title: Scanner of the centre\n", "", "1:1: no title; add `title:`"),
        ("logsource: {product: linux, service: sshd}\n", "", "1:1: no logsource; add `logsource:` with a category"),
        ("not selection", "not selectin", f"9:18: condition: there is no `selectin` in the detection; {MEANT}"),
        ("source: 203", "source|cidrr: 203", "8:22: `source|cidrr`: unknown modifier `cidrr`; did you mean `cidr`?"),
        ("root_guessed", "5", f"7:7: `5` does not name a rule; {REFERENCES}"),
        ("owner:", "ownr:", "10:7: soc.ownr is not known; did you mean `owner`?"),
        ("owner: SOC", "owner: [SOC]", "10:14: soc.owner is not a text; put it in quotes"),
        ("to: 2026-03-10", "to: 2026-03-08", "10:106: `valid_to` is before `valid_from`; exchange them"),
        ("valid_to: 2026-03-10", "intent: x", "10:104: soc.intent `x` is not known; write `narrow`, or leave it out"),
    ],
)  # fmt: skip
def test_each_fault_has_its_place_and_fix(old: str, new: str, told: str) -> None:
    assert faults(GOOD.replace(old, new)) == [f"f.yml:{told}"]


@pytest.mark.parametrize("time", ["2026", "soon", "'2026-13-40'", "9999-12-31", "true", "[2026-03-10]"])
def test_what_is_no_time_is_refused(time: str) -> None:
    (told,) = faults(GOOD.replace("valid_to: 2026-03-10", f"valid_to: {time}"))
    assert told.startswith("f.yml:10:")


def test_terms_are_a_map() -> None:
    bare = GOOD[: GOOD.index("soc:")]
    (told,) = faults(bare + "soc: 5\n")
    assert told.startswith("f.yml:10:6: `soc` is not a map")
    assert read(bare).terms == Terms()


@pytest.mark.parametrize("rules", ["[]", "null", "[any]"])
def test_no_rule_is_not_every_rule(rules: str) -> None:
    (told,) = faults(
        f"title: t\nlogsource: {{product: linux}}\nfilter: {{rules: {rules}, s: {{f: x}}, condition: not s}}"
    )
    assert told.endswith(REFERENCES)


def test_all_faults_are_told_at_once_in_order() -> None:
    text = (
        GOOD.replace("title: Scanner of the centre", "title: ''")
        .replace("not selection", "not (selection")
        .replace("SOC", "''")
    )
    assert [told.split(": ")[0] for told in faults(text)] == ["f.yml:1:8", "f.yml:9:18", "f.yml:10:14"]


def test_kinds_of_documents_may_stand_in_one_file() -> None:
    rule = "title: r\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n"
    kinds = [
        type(each) for each in contents(f"{rule}---\n{GOOD}---\ntitle: x\n---\n{rule.replace('f: x', 'f: y')}", "f.yml")
    ]
    assert kinds[:2] == [Rule, Filter]
    assert kinds[-1] is Rule
    assert set(kinds[2:-1]) == {RuleError}


def test_days_are_whole_days_of_the_zone() -> None:
    terms = read(GOOD).terms
    assert terms.since(HOME) == datetime(2026, 3, 8, 17, tzinfo=UTC)
    assert terms.until(HOME) == datetime(2026, 3, 10, 17, tzinfo=UTC)


def test_times_are_exact_and_bring_their_zone() -> None:
    terms = read(GOOD.replace("2026-03-10}", "'2026-03-09T12:00+09:00'}")).terms
    assert terms.until(HOME) == datetime(2026, 3, 9, 3, tzinfo=UTC)


def test_what_a_filter_says_names_it_when_it_brings_no_id() -> None:
    bare = GOOD.replace("id: 00000000-0000-4000-8000-00000000000A\n", "")
    assert read(bare).id == read(bare.replace("weekly", "daily")).id
    assert read(bare).id != read(bare.replace("203.0.113.9", "203.0.113.8")).id
