"""Bugs that other engines had, each by the engine, its issue where it has one, and what went wrong."""

from __future__ import annotations

import orjson
import polars as pl
import pytest

from detectors.contracts import Dialect, LogSource
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule, decode_rule, encode_rule
from tests.detectors.sigma.asking import DIALECT, Event, compiled, document, faults, frame, matching, texts, which

# detection, events, the numbers of those that match
BUGS: dict[str, tuple[str, list[Event], list[int]]] = {
    # missing fields, null, the empty text
    "zircolite: a filter on an absent field drops the event": (
        "sel: {f: x}\nfilter: {g: y}\ncondition: sel and not filter",
        [{"f": "x"}, {"f": "x", "g": "y"}],
        [0],
    ),
    "zircolite: an empty value taken for null": ("f: null", [{"f": ""}, {"f": None}], [1]),
    "hayabusa 1782: a filter on null hides an empty value": (
        "sel: {f: x}\nfilter: {path: null}\ncondition: sel and not filter",
        [{"f": "x", "path": ""}, {"f": "x"}],
        [0],
    ),
    "hayabusa-evtx 90: an empty element read as null": ("f: ''", [{"f": ""}, {"f": None}, {}], [0]),
    "hayabusa 1800: null and a value of one field": (
        "none: {f: null}\nsome: {f: x}\ncondition: none or some",
        [{"f": ""}, {"f": "x"}, {}],
        [1, 2],
    ),
    "chainsaw: a missing field isn't null": ("f: null", [{"g": "x"}], [0]),
    "sigmalite 23: null and empty are one": ("f: ''", [{"f": ""}, {"g": "x"}], [0]),
    "opensearch 684: null is the text null": ("f: null", [{"f": "null"}], []),
    "splunk 46: not any value": ("sel: {f: '*'}\ncondition: not sel", [{"g": "x"}, {"f": "x"}, {"f": ""}], [0]),
    "srm: null on a missing field": ("sel: {f: x}\nnone: {g: null}\ncondition: sel and none", [{"f": "x"}], [0]),
    # wildcards and backslashes
    "hayabusa 1826: an inner wildcard loses its anchors": (
        "f: 'net*user'",
        [{"f": "mynetXuserZ"}, {"f": "netXuser"}],
        [1],
    ),
    "hayabusa 1826: a question mark loses its anchors": (
        "f: 'net?user'",
        [{"f": "mynetXuserZ"}, {"f": "netXuser"}],
        [1],
    ),
    "hayabusa 1826: a letter outside of ASCII loses its anchors": ("f: 'đắk'", [{"f": "xĐẮKx"}, {"f": "ĐẮK"}], [1]),
    "hayabusa 1025: a backslash at the end": (r"f|startswith: 'C:\'", [{"f": r"C:\x"}, {"f": "C:*"}], [0]),
    "hayabusa 897: four backslashes": (r"f|startswith: '\\\\srv'", [{"f": r"\\srv\c$"}], [0]),
    "hayabusa: blanks trimmed from a value": ("f: 'NtLmSsp'", [{"f": "NtLmSsp "}, {"f": "ntlmssp"}], [1]),
    "chainsaw: a star within contains is plain": ("f|contains: '*'", [{"f": "x"}, {}], [0]),
    "sigma-go: a question mark within contains is plain": ("f|contains: 'a?c'", [{"f": "xabcx"}, {"f": "a?"}], [0]),
    "pysigma 431: contains on a value that ends in a backslash": (
        r"f|contains: 'b\'",
        [{"f": r"a\b\c"}, {"f": "ab*c"}],
        [0],
    ),
    "pysigma 246: endswith on a value that begins with backslashes": (
        r"f|endswith: '\\cmd.exe'",
        [{"f": r"C:\cmd.exe"}, {"f": "cmd.exe"}],
        [0],
    ),
    "kusto 13: contains on two backslashes at the end": (r"f|contains: 'b\\'", [{"f": r"a\b\c"}, {"f": "ab"}], [0]),
    "rsigma: a wildcard within endswith": ("f|endswith: '1?'", [{"f": "ab10"}, {"f": "ab1"}, {"f": "1ab"}], [0]),
    "rsigma: a wildcard within startswith": ("f|startswith: '?b'", [{"f": "abc"}, {"f": "bc"}, {"f": "xab"}], [0]),
    "sigma 2339: an escaped star is no wildcard": (
        r"f: 'C:\Temp\*'",
        [{"f": r"C:\Temp\x"}, {"f": "C:\\Temp*"}],
        [1],
    ),
    # case, numbers, booleans
    "zircolite: case folded in ASCII only": ("f: 'ỦY BAN ĐẮK LẮK'", [{"f": "Ủy ban Đắk Lắk"}], [0]),
    "zircolite: a JSON true stored as 1": ("f: 'true'", [{"f": "true"}, {"f": "True"}], [0, 1]),
    "sigma-rust: a number isn't the text of it": ("f: 4624", [{"f": "4624"}], [0]),
    "srm: gte on the text of a number": ("f|gte: 5", [{"f": "5"}, {"f": "10"}, {"f": "4"}], [0, 1]),
    # modifiers
    "zircolite 110: a network compared as text": (
        "f|cidr: '::1/128'",
        [{"f": "::1"}, {"f": "0:0:0:0:0:0:0:1"}],
        [0, 1],
    ),
    "zircolite 110: a filter on a network doesn't filter": (
        "sel: {g: x}\nlocal: {f|cidr: '::1/128'}\ncondition: sel and not local",
        [{"f": "0::1", "g": "x"}, {"f": "::2", "g": "x"}],
        [1],
    ),
    "hayabusa 1327: windash beside a wildcard": ("f|windash: '* -enc *'", [{"f": "ps /enc x"}, {"f": "ps enc x"}], [0]),
    "rsigma: windash from a slash": ("f|contains|windash: ' /accepteula'", [{"f": "x -accepteula"}], [0]),
    "sigma-go: windash ignored": ("f|windash|contains: ' -s '", [{"f": "x \u2015s y"}], [0]),
    "chainsaw 138: base64offset finds the plain text": ("f|base64offset|contains: foobar", [{"f": "xfoobarx"}], []),
    "rsigma: base64offset within a text": (
        "f|base64offset|contains: foobar",
        [{"f": "eGZvb2Jhcng="}, {"f": "eHhmb29iYXJ4"}, {"f": "Zm9vYmFy"}],
        [0, 1, 2],
    ),
    "chainsaw: wide and fieldref and i are refused": (
        "sel: {f|wide|base64: ab, g|fieldref: h, k|re|i: '^x'}\ncondition: sel",
        [{"f": "YQBiAA==", "g": "1", "h": "1", "k": "X"}],
        [0],
    ),
    "sigma-go: fieldref minds case": ("f|fieldref: g", [{"f": "AB", "g": "ab"}], [0]),
    "sigma-rust: fieldref to a missing field": ("f|fieldref: g", [{"f": "x"}, {"g": "x"}, {"h": "x"}], []),
    "sigma-go: re without its flag": ("f|re|i: 'a.c'", [{"f": "xABCx"}], [0]),
    "sigma-go: a field that must not exist": ("f|exists: false", [{"f": ""}, {"g": "x"}], [1]),
    "specification 41: a regex anchored at both ends": ("f|re: b", [{"f": "abc"}], [0]),
    # keywords
    "zircolite: keywords unsupported": (
        "- mimikatz\n- lsadump",
        [{"f": "run MIMIKATZ"}, {"g": "lsadump::"}, {"f": "x"}],
        [0, 1],
    ),
    "loki 50: keywords in their case only": ("- hello", [{"f": "HELLO"}], [0]),
    "sigma 1365: keywords match whole values only": ("- ell", [{"f": "hello"}], [0]),
    "sigma 1562: keywords with all": ("'|all': [one, two]", [{"f": "one", "g": "two"}, {"f": "one"}], [0]),
    "all engines: a keyword with a wildcard, in any case": ("- 'HE*O'", [{"f": "say hello"}], [0]),
    # conditions
    "chainsaw 235: `1 of` forgets the And within a selection": (
        "selection_a: {f: x, g: y}\nselection_b: {f: z, g: z}\ncondition: 1 of selection*",
        [{"f": "x"}, {"f": "x", "g": "z"}, {"f": "x", "g": "y"}],
        [2],
    ),
    "sigma 5869: `not 1 of` a filter of several fields": (
        "sel: {f: x}\nfilter_a: {g: 1, h: 2}\nfilter_b: {g: 3}\ncondition: sel and not 1 of filter_*",
        [{"f": "x", "g": "1"}, {"f": "x", "g": "1", "h": "2"}, {"f": "x", "g": "3", "h": "2"}, {"f": "x"}],
        [0, 3],
    ),
    "pysigma 472: a pattern is never applied": (
        "sel: {f: x}\nfilter_a: {g: y}\ncondition: sel and not 1 of filter_*",
        [{"f": "x", "g": "y"}, {"f": "x"}],
        [1],
    ),
    "pysigma 321: a pattern takes more names than it fits": (
        "sel_a: {f: x}\nselection: {f: y}\nmy_sel_b: {f: z}\ncondition: 1 of sel_*",
        [{"f": "x"}, {"f": "y"}, {"f": "z"}],
        [0],
    ),
    "conditions: `notepad` read as `not epad`": ("notepad: {f: x}\ncondition: notepad", [{"f": "x"}, {"f": "y"}], [0]),
    "conditions: names with an underscore are left out": (
        "sel: {f: x}\n_sel: {f: y}\ncondition: 1 of *",
        [{"f": "x"}, {"f": "y"}],
        [0],
    ),
    # names and lists
    "zircolite: a blank taken out of a field's name": ("'New Value': x", [{"New Value": "x"}, {"NewValue": "x"}], [0]),
    "zircolite and chainsaw: unnamed data in a list": (
        "Data|contains: ' b'",
        [{"Data": ["a", "x b"]}, {"Data": ["a", "c"]}],
        [0],
    ),
}


@pytest.mark.parametrize("name", BUGS)
def test_bug(name: str) -> None:
    detection, events, expected = BUGS[name]
    assert matching(detection, *events) == expected


@pytest.mark.parametrize("value", ["f: 'true'", "f: true", "f: 'True'"])
def test_go_sigma_a_json_true_was_not_the_text(value: str) -> None:
    events = frame([{}, {}]).with_columns(f=pl.Series([True, False]))
    assert Engine([compiled(value)]).detect(DIALECT, events).row.tolist() == [0]


def test_zircolite_the_biggest_rules_never_ran() -> None:
    values = ", ".join(f"v{number}x" for number in range(5000))
    assert texts(f"f|contains: [{values}]", "a v4999x b", "v5000x") == ["a v4999x b"]
    assert texts(f"f: [{values}]", "V17X", "v17") == ["V17X"]


@pytest.mark.parametrize("item", ["f|cidr|contains: 10.0.0.0/8", "f|gt|contains: 5", "f|i: x", "f|hour|minute: 5"])
def test_rsigma_one_of_two_modifiers_in_conflict_was_chosen(item: str) -> None:
    assert len(faults(item)) == 1


def test_pysigma_a_selector_that_fits_nothing_was_dropped() -> None:
    (fault,) = faults("sel: {f: x}\ncondition: sel and not 1 of filter_*")
    assert "`1 of filter_*` fits nothing in the detection" in fault


def test_pysigma_an_empty_list_was_null() -> None:
    (fault,) = faults("f: []")
    assert "an empty list" in fault


def test_pysigma_a_short_base64offset_matched_everything() -> None:
    (fault,) = faults("f|base64offset|contains: a")
    assert "matches everything" in fault


def test_hayabusa_converter_621_a_rule_with_an_unknown_modifier_vanished() -> None:
    (fault,) = faults("f|frobnicate: x")
    assert "unknown modifier `frobnicate`" in fault


def test_hayabusa_converter_620_null_was_lost_in_conversion() -> None:
    rule = compiled("sel: {f: x}\nfilter: {g: null}\ncondition: sel and not filter")
    stored = decode_rule(orjson.loads(orjson.dumps(encode_rule(rule))))
    events: list[Event] = [{"f": "x", "g": ""}, {"f": "x"}]
    assert which(stored, events) == which(rule, events) == [0]


def test_chainsaw_30_documents_of_one_file_were_merged() -> None:
    text = "---\n".join(document(f"f: {value}").replace("6b6f2a11", f"6b6f2a1{value}") for value in "123")
    found = [each for each in rules(text, "r.yml") if isinstance(each, Rule)]
    hits = Engine(found).detect(DIALECT, frame([{"f": value} for value in "321"]))
    assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == [(0, 2), (1, 1), (2, 0)]


def test_chainsaw_131_a_field_outside_of_the_mapping_was_unknown() -> None:
    mapped = Dialect("mapped", LogSource(category="test"), {"Image": ("process.path",)}, structured=True)
    rule = compiled("Image: x\nSourceIsIpv6: 'true'")
    assert which(rule, [{"process.path": "x", "SourceIsIpv6": "true"}, {"process.path": "x"}], mapped) == [0]


@pytest.mark.parametrize("kind", ["event_count", "temporal", "temporal_ordered", "value_sum"])
def test_zircolite_and_hayabusa_1841_1896_1685_correlations_were_run_wrongly(kind: str) -> None:
    """A rule that isn't run says so; none is run in part."""
    correlation = f"title: t\ncorrelation: {{type: {kind}, rules: [a], timespan: 1m, condition: {{gte: 2}}}}\n"
    (fault,) = rules(correlation, "r.yml")
    assert str(fault) == "r.yml:2:1: a Sigma correlation is not run by this version"


def test_one_rule_twice_is_one_rule() -> None:
    assert compiled("f: x").semantics == compiled("f: X").semantics != compiled("f|cased: X").semantics
