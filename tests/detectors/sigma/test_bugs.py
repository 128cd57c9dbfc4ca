"""Bugs that other engines had, each by its name (issue trackers of the named engines)."""

from __future__ import annotations

import pytest

from tests.detectors.sigma.asking import Event, compiled, faults, matching, texts

BUGS: dict[str, tuple[str, list[Event], list[int]]] = {
    "zircolite: a filter on an absent field drops the event": (
        "sel: {f: x}\nfilter: {g: y}\ncondition: sel and not filter",
        [{"f": "x"}, {"f": "x", "g": "y"}],
        [0],
    ),
    "zircolite 110: a network compared as text": (
        "f|cidr: '::1/128'",
        [{"f": "::1"}, {"f": "0:0:0:0:0:0:0:1"}],
        [0, 1],
    ),
    "zircolite: an empty value taken for null": ("f: null", [{"f": ""}, {"f": None}], [1]),
    "zircolite: a JSON true stored as 1": ("f: 'true'", [{"f": "true"}, {"f": "True"}], [0, 1]),
    "hayabusa 1826: inner wildcards lose their anchors": (
        "f: 'net*user'",
        [{"f": "mynetXuserZ"}, {"f": "netXuser"}],
        [1],
    ),
    "hayabusa 1782: a filter on null hides an empty value": (
        "sel: {f: x}\nfilter: {path: null}\ncondition: sel and not filter",
        [{"f": "x", "path": ""}, {"f": "x"}],
        [0],
    ),
    "hayabusa 1025: a backslash at the end": (r"f|startswith: 'C:\'", [{"f": r"C:\x"}, {"f": "C:*"}], [0]),
    "hayabusa 897: four backslashes": (r"f|startswith: '\\\\srv'", [{"f": r"\\srv\c$"}], [0]),
    "hayabusa 1327: windash beside a wildcard": ("f|windash: '* -enc *'", [{"f": "ps /enc x"}, {"f": "ps enc x"}], [0]),
    "hayabusa: blanks trimmed from a value": ("f: 'NtLmSsp'", [{"f": "NtLmSsp "}, {"f": "ntlmssp"}], [1]),
    "chainsaw 235: `1 of` forgets the And within a selection": (
        "selection_a: {f: x, g: y}\nselection_b: {f: z, g: z}\ncondition: 1 of selection*",
        [{"f": "x"}, {"f": "x", "g": "z"}, {"f": "x", "g": "y"}],
        [2],
    ),
    "chainsaw 138: base64offset finds the plain text": ("f|base64offset|contains: foobar", [{"f": "xfoobarx"}], []),
    "chainsaw: a star within contains is plain": ("f|contains: '*'", [{"f": "x"}, {}], [0]),
    "chainsaw: a missing field isn't null": ("f: null", [{"g": "x"}], [0]),
    "pysigma 431: contains on a value that ends in a backslash": (
        r"f|contains: 'b\'",
        [{"f": r"a\b\c"}, {"f": "ab*c"}],
        [0],
    ),
    "sigmalite 23: null and empty are one": ("f: ''", [{"f": ""}, {"g": "x"}], [0]),
    "opensearch 684: null is the text null": ("f: null", [{"f": "null"}], []),
    "loki 50: keywords in their case only": ("- hello", [{"f": "HELLO"}], [0]),
    "specification 41: a regex anchored at both ends": ("f|re: b", [{"f": "abc"}], [0]),
    "sigma 1365: keywords match whole values only": ("- ell", [{"f": "hello"}], [0]),
    "splunk 46: not any value": ("sel: {f: '*'}\ncondition: not sel", [{"g": "x"}, {"f": "x"}, {"f": ""}], [0]),
    "rsigma: a wildcard within endswith": ("f|endswith: '1?'", [{"f": "ab10"}, {"f": "ab1"}, {"f": "1ab"}], [0]),
    "rsigma: windash from a slash": ("f|contains|windash: ' /accepteula'", [{"f": "x -accepteula"}], [0]),
    "sigma-go: windash ignored": ("f|windash|contains: ' -s '", [{"f": "x \u2015s y"}], [0]),
    "sigma-go: fieldref minds case": ("f|fieldref: g", [{"f": "AB", "g": "ab"}], [0]),
    "sigma-rust: fieldref to a missing field": ("f|fieldref: g", [{"f": "x"}, {"g": "x"}, {"h": "x"}], []),
    "sigma-rust: a number isn't the text of it": ("f: 4624", [{"f": "4624"}], [0]),
    "srm: gte on the text of a number": ("f|gte: 5", [{"f": "5"}, {"f": "10"}, {"f": "4"}], [0, 1]),
    "srm: null on a missing field": ("sel: {f: x}\nnone: {g: null}\ncondition: sel and none", [{"f": "x"}], [0]),
    "all engines: a keyword with a wildcard, in any case": ("- 'HE*O'", [{"f": "say hello"}], [0]),
    "conditions: `notepad` read as `not epad`": ("notepad: {f: x}\ncondition: notepad", [{"f": "x"}, {"f": "y"}], [0]),
}


@pytest.mark.parametrize("name", BUGS)
def test_bug(name: str) -> None:
    detection, events, expected = BUGS[name]
    assert matching(detection, *events) == expected


def test_zircolite_the_biggest_rules_never_ran() -> None:
    values = ", ".join(f"v{number}x" for number in range(5000))
    assert texts(f"f|contains: [{values}]", "a v4999x b", "v5000x") == ["a v4999x b"]
    assert texts(f"f: [{values}]", "V17X", "v17") == ["V17X"]


def test_rsigma_conflicting_modifiers_are_refused_not_chosen_from() -> None:
    for item in ("f|cidr|contains: 10.0.0.0/8", "f|gt|contains: 5", "f|i: x"):
        assert len(faults(item)) == 1


def test_pysigma_a_selector_that_fits_nothing_is_refused_not_dropped() -> None:
    (fault,) = faults("sel: {f: x}\ncondition: sel and not 1 of filter_*")
    assert "`1 of filter_*` fits nothing in the detection" in fault


def test_hayabusa_converter_an_unknown_modifier_is_refused_not_dropped() -> None:
    (fault,) = faults("f|frobnicate: x")
    assert "unknown modifier `frobnicate`" in fault


def test_pysigma_short_base64_matches_everything() -> None:
    (fault,) = faults("f|base64offset|contains: a")
    assert "matches everything" in fault


def test_patterns_leave_out_names_with_an_underscore() -> None:
    assert matching("sel: {f: x}\n_sel: {f: y}\ncondition: 1 of *", {"f": "x"}, {"f": "y"}) == [0]


def test_one_rule_twice_is_one_rule() -> None:
    assert compiled("f: x").semantics == compiled("f: X").semantics != compiled("f|cased: X").semantics
