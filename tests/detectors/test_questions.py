"""Decision lists: the right questions, and queries that hostile values can't change."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.contracts import LogSource
from detectors.errors import RuleError
from detectors.meta import Meta, Question
from detectors.questions import ANOMALY, LOOKS, MEANS, catalogue, decide, told
from detectors.sigma.parse import rules
from detectors.sigma.rule import decode_rule, encode_rule
from detectors.telling import broken

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
OWN = Question("Was it {user.name}?", "Có phải {user.name} không?", "harmless", "events", ("user.name",), 60, 120)
RULE = """
title: Odd
logsource: {{product: gialai, service: payments}}
detection: {{a: {{b: c}}, condition: a}}
{soc}
"""


def listed(meta: Meta, **seen: list[object]) -> list[dict[str, str]]:
    values = {name.replace("_", "."): each for name, each in seen.items()}
    return told(decide(meta, lambda name: values.get(name, []), NOON, NOON + timedelta(hours=1)))


def test_a_question_has_its_values_and_queries_for_both_ways_of_working() -> None:
    (asked,) = listed(Meta("r", "Odd", questions=(OWN,)), user_name=["lan", "minh"])
    assert (asked["en"], asked["vi"], asked["means"]) == ("Was it lan, minh?", "Có phải lan, minh không?", "harmless")
    span = "--since 2026-03-09T11:59:00Z --until 2026-03-09T13:02:00Z"
    assert asked["command"] == f"soc hunt --where user.name=lan --where user.name=minh {span}"
    assert asked["kql"].startswith('user.name : ("lan" or "minh") and @timestamp >= "2026-03-09T11:59:00Z"')
    assert 'MV_EXPAND user.name | WHERE user.name == "lan" OR user.name == "minh"' in asked["esql"]


def test_findings_are_looked_for_where_a_question_says_so_or_nothing_is_named() -> None:
    meta = Meta("r", "Odd", asks=("again", "other_findings_of_the_account"))
    again, others = listed(meta, user_name=["-x y"])
    assert again["command"].startswith("soc findings list --rule=r --since 2026-02-07T12:00:00Z")
    assert again["kql"].startswith('rule.id : ("r")')
    assert others["command"].startswith("soc findings list --user='-x y' --since")


def test_a_shared_question_without_values_is_left_out_and_an_own_one_asked_without_queries() -> None:
    (asked,) = listed(Meta("r", "Odd", questions=(OWN,), asks=("usual_address",)))
    assert (asked["en"], asked["command"], asked["kql"], asked["esql"]) == ("Was it —?", "", "", "")


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40))
def test_no_value_changes_the_grammar_of_a_query(value: str) -> None:
    (asked,) = listed(Meta("r", "Odd", questions=(OWN,)), user_name=[value])
    if not asked["command"]:
        assert not value or not value.isprintable()
        return
    assert shlex.split(asked["command"])[:4] == ["soc", "hunt", "--where", f"user.name={value}"]
    quoted = re.compile(r'"((?:[^"\\]|\\.)*)"')
    for query in (asked["kql"], asked["esql"]):
        texts = [re.sub(r"\\(.)", r"\1", each) for each in quoted.findall(query)]
        assert value in texts
        assert len(texts) == 3  # the value, and two times: nothing broke out of its quotes


def test_the_catalogue_is_whole() -> None:
    known = catalogue()
    for name, question in known.questions.items():
        assert question.en.endswith("?"), name
        assert question.vi.endswith("?"), name
        assert question.means in MEANS
        assert question.look in LOOKS
        assert not broken(question.en)
        assert not broken(question.vi)
    named = {name for _, names in known.defaults for name in names} | {*known.correlations, *ANOMALY}
    assert named <= known.questions.keys()
    assert known.of(LogSource("process_creation", "windows"))[0] == "program_known"
    assert len(known.of(LogSource("nowhere"))) >= 3  # every rule of anybody has some
    assert len(known.of(None)) >= 3


def test_rules_name_and_bring_questions_and_the_cache_keeps_them() -> None:
    soc = "soc: {questions: [again, {en: 'So {user.name}?', vi: 'Thế à?', means: real, by: user.name, before: 60}]}"
    (rule,) = rules(RULE.format(soc=soc), "r.yml")
    assert not isinstance(rule, RuleError)
    assert rule.meta.asks == ("again",)
    assert rule.meta.questions == (Question("So {user.name}?", "Thế à?", "real", by=("user.name",), before=60),)
    assert decode_rule(orjson.loads(orjson.dumps(encode_rule(rule)))) == rule
    (plain,) = rules(RULE.format(soc=""), "r.yml")
    assert not isinstance(plain, RuleError)
    assert plain.meta.asks == catalogue().of(LogSource(product="gialai"))


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        ("[agian]", "did you mean `again`?"),
        ("again", "is not a list"),
        ("[{en: 'So?', vi: 'Thế', means: real}]", "`vi` is no question"),
        ("[{en: 'So {?', vi: 'Thế?', means: real}]", "`en` is no question"),
        ("[{en: 'So?', vi: 'Thế?', means: maybe}]", "write real or harmless"),
        ("[{en: 'So?', vi: 'Thế?', yes: real}]", "a question has no"),
        ("[{en: 'So?', vi: 'Thế?', means: real, look: here}]", "write events or findings"),
        ("[{en: 'So?', vi: 'Thế?', means: real, by: [1]}]", "names no fields"),
        ("[{en: 'So?', vi: 'Thế?', means: real, after: soon}]", "no number of seconds"),
    ],
)
def test_what_is_no_question_is_told_with_its_place(questions: str, said: str) -> None:
    (fault,) = rules(RULE.format(soc=f"soc: {{questions: {questions}}}"), "r.yml")
    assert isinstance(fault, RuleError)
    assert said in str(fault)
    assert fault.place is not None
    assert (fault.place.file, fault.place.line) == ("r.yml", 5)


def test_a_decision_list_of_another_form_shows_nothing() -> None:
    assert [told(text) for text in (None, "", "{", '{"a": 1}', "[1]")] == [[]] * 5
