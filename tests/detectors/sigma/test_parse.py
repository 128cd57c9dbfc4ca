"""What an author reads when a rule is wrong, and what a rule brings along when it isn't."""

from __future__ import annotations

import textwrap
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contracts import LogSource
from detectors.errors import RuleError
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule, decode_rule, encode_rule

GOOD = """\
title: A rule
id: 8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11
logsource: {category: test, product: Windows}
detection:
  sel: {f: x}
  condition: sel
"""


def parse(text: str) -> list[str]:
    return [str(each) for each in rules(textwrap.dedent(text), "r.yml")]


def good(text: str = GOOD) -> Rule:
    (found,) = rules(text, "r.yml")
    assert isinstance(found, Rule), str(found)
    return found


def test_all_faults_of_all_documents_are_told_in_one_pass() -> None:
    assert parse(
        """\
        title: First
        id: not-a-uuid
        level: hihg
        status: stabel
        logsource: {category: test, service: 5}
        detection:
          selection:
            f|contans: x
            g|gt: '5'
            h|re: '(a'
          other: []
          condition: selection and nto othr
        ---
        logsource: {definition: none}
        detection:
          sel: {f: x}
        ---
        - a list
        """
    ) == [
        "r.yml:2:5: the id 'not-a-uuid' is not a UUID; make one with `uuidgen`",
        "r.yml:3:8: level 'hihg' is not known; did you mean `high`?",
        "r.yml:4:9: status 'stabel' is not known; did you mean `stable`?",
        "r.yml:5:38: logsource.service is not a text",
        "r.yml:8:7: `f|contans`: unknown modifier `contans`; did you mean `contains`?",
        "r.yml:9:11: `g|gt`: `gt` takes a number, not the text '5'; write a number without quotes",
        r"r.yml:10:11: `h|re`: the pattern `(a` can't be run: missing ): (a; a plain sign is escaped, as in `\(`",
        "r.yml:11:3: an empty detection; give it at least one field",
        "r.yml:12:28: condition: there is no `nto` in the detection; did you mean `not`?",
        "r.yml:14:1: no title; add `title:`",
        "r.yml:14:12: a logsource without category, product or service; name at least one",
        "r.yml:15:1: no condition; add `condition:` that says how the parts go together",
        "r.yml:18:1: not a mapping of keys to values; start with `title:`",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: [unclosed", "r.yml:2:1: not valid YAML: did not find expected ',' or ']'"),
        ("title: a\ntitle: b", "r.yml:2:1: the key `title` stands twice; keep one of them"),
        ("a: {b: 1, b: 2}", "r.yml:1:11: the key `b` stands twice; keep one of them"),
        ("x: !!python/object:os.system a", "r.yml:1:4: not valid YAML: could not determine a constructor"),
        ("title: 2024-13-45", "r.yml:1:8: not valid YAML: month must be in 1..12; put such values in quotes"),
        ("a: &a [*a]", "nested deeper than 200 levels"),
        ("a: *b", "r.yml:1:4: not valid YAML: found undefined alias"),
        ("title: \x07", "r.yml:1:8: not valid YAML: unacceptable character"),
        (GOOD.replace("title: A rule\n", ""), "r.yml:1:1: no title; add `title:`"),
        (GOOD.replace("{f: x}", "{f: !!binary aGk=}"), "a value can't be bytes; put it in quotes"),
        (
            GOOD.replace("sel:", "no:").replace(" sel", " 'no'"),
            "r.yml:5:3: YAML takes the name `no` for False; put it in",
        ),
        (GOOD.replace("{f: x}", "{On: x}"), "r.yml:5:9: YAML takes the name `On` for True; put it in quotes"),
        (GOOD + "correlation: {type: event_count}", "a Sigma correlation is not run by this version"),
        (GOOD + "filter: {rules: any}", "a Sigma filter is not run by this version"),
        (GOOD + "action: global", "rule collections with `action` are not run; write each rule whole"),
        (GOOD.replace("condition: sel", "condition: sel | count() > 5"), "r.yml:6:18: condition: an aggregation"),
        (GOOD.replace("condition: sel", "condition: 'sel or x'"), "r.yml:6:22: condition: there is no `x`"),
        (
            GOOD + "taxonomy: ecs",
            "r.yml:7:11: the taxonomy `ecs` is not known; use the field names of the taxonomy `sigma`",
        ),
        (
            GOOD.replace("category:", "categroy:"),
            "r.yml:3:13: logsource.categroy is not known; did you mean `category`?",
        ),
        (GOOD.replace("condition: sel", "condition: [sel, slo]"), "r.yml:6:20: condition: there is no `slo`"),
        (GOOD + "soc: {window: 1 hour}", "`window` is not a number of seconds; write 900, 15m, 4h or 1d"),
        (GOOD + "soc: {signal: often}", "`signal` is neither true nor false"),
        (GOOD + "soc: 5", "`soc` is not a map"),
        (GOOD + "soc: {falsepositives: [A test]}", "`falsepositives` is not a map; write `en:` and `vi:` under it"),
    ],
)
def test_refused(text: str, message: str) -> None:
    (fault,) = parse(text)
    assert message in fault


def test_a_document_that_is_wrong_costs_only_itself() -> None:
    found = list(rules(f"{GOOD}---\ntitle: 2024-13-45\n---\n{GOOD}", "r.yml"))
    assert [isinstance(each, Rule) for each in found] == [True, False, True]


def test_an_alias_bomb_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    begin = time.process_time()
    (fault,) = parse("\n".join(lines))
    assert "more than 200000 parts, an alias counted each time" in fault
    assert time.process_time() - begin < 5


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000 + "a", "{a: " * 100_000, "[" * 2_000])
def test_deep_nesting_is_refused_and_breaks_nothing(text: str) -> None:
    (fault,) = parse(f"title: x\ndetection: {text}" if text[0] != "-" else text)
    assert "nested deeper than 200" in fault or "not valid YAML" in fault


def test_a_rule_without_an_id_is_named_by_what_it_detects() -> None:
    nameless = GOOD.replace("id: 8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11\n", "")
    first, renamed = good(nameless), good(nameless.replace("A rule", "Another title"))
    other = good(nameless.replace("{f: x}", "{f: y}"))
    assert first.meta.id == renamed.meta.id != other.meta.id


def test_what_a_rule_brings_along() -> None:
    rule = good(
        GOOD + "level: high\nstatus: test\ntags: [attack.t1059]\nreferences: one\nfields: [a]\nsimulation: {a: 1}\n"
        "runbook: {vi: Xem, en: Look}\nsoc: {group-by: [host.name], window: 600}\n"
    )
    assert (rule.meta.level, rule.meta.status, rule.meta.tags) == ("high", "test", ("attack.t1059",))
    assert (rule.meta.references, rule.meta.group_by, rule.meta.window) == (("one",), ("host.name",), 600)
    assert rule.meta.runbook == "[vi] Xem\n\n[en] Look"
    assert rule.logsource == LogSource("test", "windows")
    assert rule.place.file == "r.yml"
    assert decode_rule(encode_rule(rule)) == rule


def test_a_level_is_medium_unless_said() -> None:
    assert good().meta.level == "medium"


def test_words_change_no_semantics_and_detections_do() -> None:
    assert good().semantics == good(GOOD.replace("A rule", "B")).semantics
    assert good().semantics != good(GOOD.replace("f: x", "f: y")).semantics
    assert good().semantics != good(GOOD.replace("Windows", "linux")).semantics


def test_free_text_under_correlation_is_no_correlation() -> None:
    assert good(GOOD + "correlation: see also the other rule\n").meta.title == "A rule"


def test_conditions_in_a_list_are_linked_by_or() -> None:
    text = GOOD.replace("  condition: sel", "  two: {f: y}\n  condition: [sel, two]")
    assert isinstance(good(text), Rule)
    assert good(text).semantics == good(text.replace("[sel, two]", "sel or two")).semantics


def test_errors_are_of_the_tree() -> None:
    assert all(isinstance(each, RuleError) for each in rules("title: [", "r.yml"))


KEYS = st.sampled_from(
    ["sel", "_a", "f|contains", "|all", "|re", "condition", "f|expand", "", "f|", "1 of", 5, True, None]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.sampled_from(["sel", "1 of *", "not (", "*", ""]),
)
SECTIONS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.dictionaries(KEYS, SECTIONS, max_size=4), SECTIONS), SECTIONS, SECTIONS)
def test_whatever_stands_there_is_a_rule_or_its_faults(detection: object, logsource: object, other: object) -> None:
    words = dict.fromkeys(("title", "id", "level", "status", "description", "tags", "soc", "taxonomy", "filter"), other)
    for extra in ({"title": "t", "logsource": {"category": "test"}}, {**words, "logsource": logsource}):
        text = yaml.safe_dump({**extra, "detection": detection}, allow_unicode=True)
        found = list(rules(text, "r.yml"))
        assert found
        assert all(isinstance(each, Rule) or each.place for each in found)


@pytest.mark.parametrize(
    ("written", "seconds"), [("900", 900), ("45s", 45), ("15m", 900), ("4h", 14_400), ("1d", 86_400)]
)
def test_windows_are_seconds_or_lengths(written: str, seconds: int) -> None:
    (rule,) = rules(f"{GOOD}soc: {{window: {written}, signal: true}}", "r.yml")
    assert isinstance(rule, Rule)
    assert (rule.meta.window, rule.meta.signal) == (seconds, True)
