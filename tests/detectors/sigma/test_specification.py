"""The specification, section by section, where a table of values or modifiers doesn't say it: from YAML to hits."""

from __future__ import annotations

import pytest

from detectors.contracts import Dialect, LogSource
from detectors.errors import RuleError
from detectors.sigma.departures import MODIFIERS
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule
from tests.detectors.sigma.asking import DIALECT, Event, compiled, document, faults, frame, matching, texts, which

GOOD = document("f: x")


# Rule document


def test_mandatory_are_title_logsource_and_detection() -> None:
    bare = "title: t\nlogsource: {category: test}\ndetection: {sel: {f: x}, condition: sel}\n"
    assert [type(each) for each in rules(bare, "r.yml")] == [Rule]
    for line in bare.splitlines(keepends=True):
        assert [type(each) for each in rules(bare.replace(line, ""), "r.yml")] == [RuleError]


def test_keys_of_others_are_let_be() -> None:
    extra = GOOD + "name: other\ntaxonomy: sigma\nscope: [server]\nregression_tests_path: a/b\nsimulation: {type: x}\n"
    (found,) = rules(extra, "r.yml")
    assert isinstance(found, Rule)


def test_documents_of_a_file_are_rules_of_their_own() -> None:
    other = GOOD.replace("f: x", "f: y").replace("A test", "Another")
    found = [each for each in rules(f"---\n{GOOD}---\n{other}...\n", "r.yml") if isinstance(each, Rule)]
    assert [each.meta.title for each in found] == ["A test", "Another"]
    assert [which(each, [{"f": "x"}, {"f": "y"}]) for each in found] == [[0], [1]]


@pytest.mark.parametrize(
    ("item", "fits", "not_"),
    [
        ("f: 010", "8", "010"),
        ("f: 0x10", "16", "0x10"),
        ("f: '0x10'", "0x10", "16"),
        ("f: 1_000", "1000", "1_000"),
        ("f: yes", "true", "yes"),
        ("f: 'yes'", "yes", "true"),
        ("f: off", "false", "off"),
        ("f: ~", None, "~"),
        ("f: 1e3", "1E3", "1000"),
        ('f: "a\\tb"', "a\tb", "a\\tb"),
        (r"f: 'a\tb'", r"a\tb", "a\tb"),
        ("f: >-\n  a\n  b", "a b", "a\nb"),
        ("f: |-\n  a\n  b", "a\nb", "a b"),
    ],
)
def test_values_are_what_yaml_1_1_says(item: str, fits: str | None, not_: str) -> None:
    assert texts(item, fits, not_) == [fits]


def test_an_anchor_is_what_it_stands_for() -> None:
    detection = "a: &a {f: x}\nb: {<<: *a, g: y}\nc: *a\ncondition: b and c"
    assert matching(detection, {"f": "x", "g": "y"}, {"f": "x"}, {"g": "y"}) == [0]


# Log source


@pytest.mark.parametrize(
    ("rule", "covered"),
    [
        ("category: proxy", True),
        ("product: squid", True),
        ("service: access", True),
        ("category: proxy, product: squid, service: access", True),
        ("category: Proxy, definition: any text", True),
        ("category: proxy, vendor: a custom attribute", True),
        ("category: webserver", False),
        ("category: proxy, product: windows", False),
        ("category: proxy, service: audit", False),
    ],
)
def test_a_log_source_applies_where_all_it_names_is_so(rule: str, covered: bool) -> None:
    (found,) = rules(GOOD.replace("category: test", rule), "r.yml")
    assert isinstance(found, Rule)
    squid = Dialect("squid", LogSource("proxy", "squid", "access"), {}, structured=True)
    assert Engine([found]).covered(squid) == ([0] if covered else [])


# Condition

# condition → the events of which it is true, each told by the parts that are true of it (-: none)
CONDITIONS = {
    "a": "a ab ac abc",
    "a or b and c": "a ab ac bc abc",
    "a and b or c": "c ab ac bc abc",
    "(a or b) and c": "ac bc abc",
    "not a and b": "b bc",
    "not a or b": "- b c ab bc abc",
    "not (a or b)": "- c",
    "not not a": "a ab ac abc",
    "a and not b and not c": "a",
    "a and not (b or not c)": "ac",
    "1 of them": "a b c ab ac bc abc",
    "any of them": "a b c ab ac bc abc",
    "all of them": "abc",
    "all of *": "abc",
    "not 1 of them": "-",
    "not all of them and c": "c ac bc",
    "1 of a* and not 1 of b*": "a ac",
    "[a and b, c]": "c ab ac bc abc",
    "['not a', 'not b']": "- a b c ac bc",
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_is_its_truth_table(condition: str) -> None:
    cases = ["-", "a", "b", "c", "ab", "ac", "bc", "abc"]
    events: list[Event] = [{part: "x" for part in case if part != "-"} for case in cases]
    detection = f"a: {{a: x}}\nb: {{b: x}}\nc: {{c: x}}\n_d: {{f: never}}\ncondition: {condition}"
    assert " ".join(cases[row] for row in matching(detection, *events)) == CONDITIONS[condition]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("sel-*", [0, 1]),
        ("*_b", [2]),
        ("s*-a", [0]),
        ("sel*", [0, 1, 2]),
        ("_*", [3]),
        ("_sel", [3]),
        ("them", [0, 1, 2]),
    ],
)
def test_a_pattern_fits_whole_names(pattern: str, expected: list[int]) -> None:
    parts = "sel-a: {f: 1}\nsel-b: {f: 2}\nsel_b: {f: 3}\n_sel: {f: 4}\n"
    assert matching(f"{parts}condition: 1 of {pattern}", *({"f": number} for number in "1234")) == expected


# Missing fields

# one item for each modifier there is, and for each kind of value; true of none of the missing
ASKING = [
    "f: x", "f: ''", "f: '*'", "f: 5", "f: true", "f: [x, 5]", "f: 'a*b'",
    "f|contains: x", "f|contains: ''", "f|startswith: x", "f|endswith: x", "f|cased: x", "f|contains|all: [x, y]",
    "f|re: x", "f|re: ''", "f|re: '^$'", "f|re|i: x", "f|re|ignorecase: x", "f|re|m: x", "f|re|multiline: x",
    "f|re|s: x", "f|re|dotall: x", "f|cidr: 0.0.0.0/0", "f|cidr: '::/0'", "f|lt: 5", "f|lte: 5", "f|gt: -5",
    "f|gte: -5", "f|exists: true", "f|fieldref: g", "f|fieldref: f", "f|minute|gte: 0", "f|hour|gte: 0",
    "f|day|gte: 0", "f|week|gte: 0", "f|month|gte: 0", "f|year|gte: 0", "f|base64: x", "f|base64offset: xyz",
    "f|wide: x", "f|utf16le: x", "f|utf16be: x", "f|utf16: x", "f|windash: -x", "f|expand: '%list%'",
]  # fmt: skip
EVENTS: list[Event] = [{"g": "x"}, {"f": None, "g": "x"}, {"g": "x", "h": "y"}]


def test_every_modifier_is_asked_of_a_missing_field() -> None:
    assert {name for item in ASKING for name in item.partition(":")[0].split("|")[1:]} == MODIFIERS.keys() - {"neq"}


@pytest.mark.parametrize("item", ASKING)
def test_of_a_missing_field_everything_is_false_and_its_contrary_true(item: str) -> None:
    lists = {"list": ["*"]}
    key, _, value = item.partition(": ")
    assert matching(item, *EVENTS, lists=lists) == []
    assert matching(f"sel: {{{item}}}\ncondition: not sel", *EVENTS, lists=lists) == [0, 1, 2]
    assert matching(f"{key}|neq: {value}", *EVENTS, lists=lists) == [0, 1, 2]
    assert matching(f"sel: {{g: x}}\nbad: {{{item}}}\ncondition: sel and not bad", *EVENTS, lists=lists) == [0, 1, 2]
    assert matching(f"sel: {{h: y}}\nbad: {{{item}}}\ncondition: sel or not bad", *EVENTS, lists=lists) == [0, 1, 2]


@pytest.mark.parametrize("item", ["f: null", "f|exists: false"])
def test_absence_is_true_of_a_missing_field_and_its_contrary_false(item: str) -> None:
    assert matching(item, *EVENTS) == [0, 1, 2]
    assert matching(f"sel: {{{item}}}\ncondition: not sel", *EVENTS, {"f": ""}) == [3]


def test_a_null_in_the_record_is_a_missing_field() -> None:
    """The specification has `exists` true of it, but a frame holds one kind of nothing: see `departures`."""
    events: list[Event] = [{"f": None}, {"f": ""}, {"f": [None]}, {}]
    assert matching("f|exists: true", *events) == [1, 2]
    assert matching("f|exists: false", *events) == matching("f: null", *events) == [0, 3]


# Placeholders


def test_a_rule_that_waits_for_a_list_never_runs() -> None:
    waiting = compiled("sel: {f|expand: '%a%'}\nbad: {g: y}\ncondition: not sel and not bad")
    assert waiting.waits_for == ("a",)
    assert Engine([waiting]).covered(DIALECT) == []


def test_a_list_may_be_long_and_placeholders_multiply() -> None:
    lists = {"hosts": [f"srv{number}" for number in range(5_000)], "two": ["a", "b"]}
    assert matching("f|expand: '%hosts%'", {"f": "SRV4999"}, {"f": "srv5000"}, lists=lists) == [0]
    assert matching("f|re|expand: '^%hosts%$'", {"f": "srv0"}, {"f": "srv"}, lists={"hosts": ["srv0", "a.b"]}) == [0]
    assert matching("f|expand|contains: '%two%-%two%'", {"f": "xb-ax"}, {"f": "b-c"}, lists=lists) == [0]


def test_a_list_in_a_regular_expression_is_plain_text() -> None:
    lists = {"names": ["a.c", "(", "x|y"]}
    events: list[Event] = [{"f": "a.c"}, {"f": "abc"}, {"f": "("}, {"f": "x|y"}, {"f": "x"}]
    assert matching("f|re|expand: '^%names%$'", *events, lists=lists) == [0, 2, 3]


# Keywords


def test_keywords_are_searched_in_values_not_in_names() -> None:
    raw = ['{"a": "needle"}', '{"needle": "a"}', '{"a": {"b": ["x", "the Needle!"]}}', '{"a": 1}']
    events: list[Event] = [{"event.original": text} for text in raw]
    assert matching("- needle", *events) == [0, 2]
    assert matching("sel:\n  - needle\ncondition: not sel", *events) == [1, 3]
    assert matching("'': needle\n'|re': 'the.*!'", *events) == [2]


def test_hits_of_many_rules_are_those_of_each() -> None:
    events = frame([{"f": value} for value in ("x", "y", None, "xy")])
    each = [compiled(item) for item in ("f: x", "f|contains: y", "f: null", "f|neq: x", "- xy")]
    hits = Engine(each).detect(DIALECT, events)
    together = [hits.row[hits.rule == number].tolist() for number in range(len(each))]
    assert together == [Engine([one]).detect(DIALECT, events).row.tolist() for one in each]
    assert together == [[0], [1, 3], [2], [1, 2, 3], [3]]


def test_a_value_that_expands_is_an_or_within_the_and() -> None:
    assert texts("f|windash|contains|all: [' -a', ' -b']", "x /a -b", "x -a", "x /b") == ["x /a -b"]
    assert texts("f|base64offset|contains|all: [foobar, barfoo]", "Zm9vYmFyYmFyZm9v", "Zm9vYmFy") == [
        "Zm9vYmFyYmFyZm9v"
    ]


def test_faults_of_a_document_are_bounded() -> None:
    assert len(faults("\n".join(f"f{number}|contans: x" for number in range(1_000)))) == 100
