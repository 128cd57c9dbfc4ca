"""What modifiers mean (specification, appendix on modifiers)."""

from __future__ import annotations

import pytest

from tests.detectors.sigma.asking import compiled, matching, texts, which

# item, texts that match, texts that don't (None: the field is missing)
ITEMS: list[tuple[str, list[str | None], list[str | None]]] = [
    ("f|contains: [b, zz]", ["abc", "zz"], ["a", None]),
    ("f|startswith: a", ["abc", "A"], ["ba"]),
    ("f|endswith: c", ["abc", "C"], ["cb"]),
    ("f|startswith|endswith: b", ["abc", "b"], ["a"]),
    ("f|contains|all: [a, b]", ["ab", "b-a"], ["a", "b", None]),
    ("f|all|contains: [a, b]", ["ab"], ["a"]),
    # neq is the contrary of the whole item
    ("f|neq: a", ["b", "", None], ["a", "A"]),
    ("f|neq: [a, b]", ["c", None], ["a", "b"]),
    ("f|contains|neq|all: [a, b]", ["a", "b", None], ["ab"]),
    ("f|contains|neq: a", ["b", None], ["xa"]),
    ("f|gt|neq: 5", ["5", "4", "x", None], ["6"]),
    ("f|neq: null", ["", "x"], [None]),
    ("f|neq|re: '^a'", ["ba", None], ["ab"]),
    # regular expressions: anywhere, case-sensitive
    ("f|re: b", ["abc", "b"], ["B", None]),
    ("f|re: '^b'", ["bc"], ["ab"]),
    ("f|re: 'b$'", ["ab"], ["ab\n", "ba"]),
    ("f|re: 'a.c'", ["abc"], ["a\nc"]),
    ("f|re|s: 'a.c'", ["a\nc"], ["ac"]),
    ("f|re|dotall: 'a.c'", ["a\nc"], ["ac"]),
    ("f|re|m: '^b$'", ["a\nb\nc"], ["ab"]),
    ("f|re|multiline: '^b$'", ["a\nb"], ["ab"]),
    ("f|re|i: abc", ["xABCx"], ["ab"]),
    ("f|re|ignorecase: abc", ["ABC"], ["ab"]),
    ("f|re|i|m|s: '^a.b$'", ["x\nA\nB"], ["ab"]),
    ("f|re: '(?i)abc'", ["ABC"], ["ab"]),
    (r"f|re: '\d'", ["5"], ["٣", "x"]),
    (r"f|re: '\w+\\x'", [r"ab\x"], [r"ab\\y"]),
    (r"f|re: 'a\*b'", ["a*b"], ["aab", r"a\b"]),
    (r"f|re: '\bcmd\b'", ["a cmd b"], ["acmd"]),
    ("f|re: 'x{2,3}'", ["xx"], ["x"]),
    ("f|re: ''", ["", "x"], [None]),
    ("f|re: 123", ["a123"], ["12"]),
    ("f|re: [a1, b2]", ["xa1", "b2"], ["a2"]),
    ("f|re|all: [a1, b2]", ["b2a1"], ["a1", "b2"]),
    ("f|re|contains: 'a1|b2'", ["xb2x"], ["x"]),
    ("f|re|startswith: a1", ["a1x"], ["x"]),
    ("f|re: '[[:alpha:]b]c9'", ["xc9"], ["1c9"]),
    ("f|re: 'ab*?c'", ["ac", "abbc"], ["a"]),
    ("f|re|i: 'sks'", ["SKS", "\u017fk\u017f", "s\u212as"], ["sxs"]),
    (r"f|re: 'a\.?b'", ["ab", "a.b"], ["axb"]),
    # base64
    ("f|base64: foobar", ["Zm9vYmFy", "zm9vymfy"], ["foobar"]),
    ("f|base64|contains: foobar", ["x Zm9vYmFy x"], ["foobar"]),
    ("f|base64: é", ["w6k="], ["é"]),
    ("f|base64offset|contains: foobar", ["Zm9vYmFy", "aaZvb2Jhcaa", "Zvb2Jhc", "mb29iYX"], ["foobar"]),
    ("f|utf16|base64: ping", ["//5wAGkAbgBnAA=="], ["cABpAG4AZwA="]),
    ("f|wide|base64: ping", ["cABpAG4AZwA="], ["//5wAGkAbgBnAA=="]),
    ("f|utf16le|base64: ping", ["cABpAG4AZwA="], []),
    ("f|utf16be|base64: ping", ["AHAAaQBuAGc="], []),
    ("f|wide|base64: é", ["6QA="], ["w6k="]),
    ("f|wide|base64: ł", ["QgE="], []),
    ("f|wide|base64offset|contains: ping", ["xxcABpAG4AZwxx", "xxAAaQBuAGxxcABpAG4AZw"], ["ping"]),
    ("f|wide: ab", ["a\0b\0"], ["ab"]),
    ("f|wide|contains: ab", ["xa\0b\0x"], ["xabx"]),
    ("f|cased|base64: foobar", ["Zm9vYmFy"], ["zm9vymfy"]),
    # windash
    ("f|windash: '-x'", ["-x", "/x", "\u2013x", "\u2014x", "\u2015x"], ["x", "--x"]),
    ("f|windash: '/x'", ["-x", "/x", "\u2013x"], ["x"]),
    ("f|windash: '\u2013x'", ["-x", "/x"], ["x"]),
    ("f|windash|contains: ' -enc '", ["a /enc b", "a -enc b"], ["a enc b"]),
    ("f|contains|windash: ' /enc '", ["a /enc b", "a -enc b"], ["a enc b"]),
    ("f|windash: '-param-name'", ["/param-name"], ["/param/name"]),
    ("f|windash: 'a - b'", ["a - b"], ["a / b"]),
    ("f|windash: '--x'", ["--x", "-/x"], ["//x"]),
    ("f|windash: 'a/b'", ["a/b"], ["a-b"]),
    ("f|windash|contains|all: ['-a', '-b']", ["/a -b"], ["-a"]),
    ("f|windash: '-a -b'", ["/a -b", "-a /b", "/a /b"], ["a b"]),
    ("f|cased|windash: '-X'", ["/X"], ["/x"]),
    ("f|windash|cased: '-X'", ["/X"], ["/x"]),
    ("f|windash|contains: '-a*b'", ["x /axxb x"], ["x /a"]),
    # networks
    (
        "f|cidr: 10.0.0.0/8",
        ["10.1.2.3", " 10.0.0.1 ", "::ffff:10.0.0.1"],
        ["11.0.0.1", "10.0.0.0/8", "x", "", "10.0.0"],
    ),
    ("f|cidr: 10.0.0.1", ["10.0.0.1"], ["10.0.0.2"]),
    ("f|cidr: [10.0.0.0/8, 192.168.0.0/16]", ["192.168.1.1", "10.0.0.1"], ["1.1.1.1", None]),
    ("f|cidr: '::1/128'", ["::1", "0:0:0:0:0:0:0:1", "0000::0001"], ["::2", "1.1.1.1"]),
    ("f|cidr: 'fe80::/10'", ["FE80::1", "fe80::1%eth0", "fe80:0:0::1"], ["fec0::1"]),
    # comparisons
    ("f|gt: 5", ["6", "5.1", " 7 ", "1e3"], ["5", "x", "", "nan", "inf", None]),
    ("f|gte: 5", ["5", "5.0"], ["4.9"]),
    ("f|lt: 5", ["4", "-1"], ["5", "x", "-inf"]),
    ("f|lte: 5.5", ["5.5", "5"], ["6"]),
    ("f|gt: [100, 5]", ["6", "101"], ["5"]),
    # existence: an explicit null in the record is a missing field to the event frame
    ("f|exists: true", ["", "x"], [None]),
    ("f|exists: false", [None], ["", "x"]),
    ("f|exists: [true, false]", ["", None], []),
    # parts of a time, in the zone it is written in
    (
        "f|hour: 3",
        ["2024-05-06T03:04:05Z", "2024-05-06 03:59", "2024-05-06T03:00:00+07:00"],
        ["2024-05-06T10:00Z", "x"],
    ),
    ("f|hour|gt: 18", ["2024-05-06T19:00:00Z"], ["2024-05-06T18:59:59Z", "19", None]),
    ("f|minute: 4", ["2024-05-06T03:04:05.1234567Z"], ["2024-05-06T04:03:05Z"]),
    ("f|day: 6", ["2024-05-06"], ["2024-06-05", "06/05/2024"]),
    ("f|week: 53", ["2020-12-31"], ["2021-01-05"]),
    ("f|month: 5", ["2024-05-06 00:00"], ["2024-06-06"]),
    ("f|year|lt: 2024", ["2023-12-31"], ["2024-01-01"]),
    ("f|year: 2023", ["1700000000", "1700000000.5", "1700000000123", "1700000000123456789"], ["2023", "17000000001"]),
    ("f|hour: [1, 2]", ["2024-05-06T01:00", "2024-05-06T02:00"], ["2024-05-06T03:00"]),
    ("f|hour|neq: 3", ["2024-05-06T04:00", "x", None], ["2024-05-06T03:00"]),
]


@pytest.mark.parametrize(("item", "yes", "no"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_item(item: str, yes: list[str | None], no: list[str | None]) -> None:
    assert texts(item, *yes, *no) == yes


@pytest.mark.parametrize(("item", "yes", "no"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_the_contrary_is_true_of_all_other_events(item: str, yes: list[str | None], no: list[str | None]) -> None:
    assert texts(f"sel:\n  {item}\ncondition: not sel", *yes, *no) == no


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("f|fieldref: g", [0, 5]),
        ("f|fieldref|startswith: g", [0, 1, 3, 5]),
        ("f|fieldref|endswith: g", [0, 2, 3, 5]),
        ("f|fieldref|contains: g", [0, 1, 2, 3, 5]),
        ("f|fieldref|neq: g", [1, 2, 3, 4, 6, 7]),
        ("f|fieldref: nowhere", []),
        ("f|fieldref: [g, f]", [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_fieldref(item: str, expected: list[int]) -> None:
    events = [
        {"f": "ab", "g": "AB"},
        {"f": "abc", "g": "ab"},
        {"f": "xab", "g": "ab"},
        {"f": "ab", "g": ""},
        {"f": "ab", "g": "a*"},  # an event's wildcards are plain text
        {"f": "", "g": ""},
        {"f": "ab"},
        {"g": "ab"},
    ]
    assert matching(item, *events) == expected


LISTS = {"admins": ["root", "adm*"], "one": ["a.c"], "none": [], "x": ["1", "2"], "name": ["N"]}


@pytest.mark.parametrize(
    ("item", "yes", "no"),
    [
        ("f|expand: '%admins%'", ["ROOT", "admin"], ["user", "%admins%"]),
        ("f|expand: 'a-%x%-%x%'", ["a-1-2", "a-2-2"], ["a-1"]),
        ("f|expand|contains: '%admins%'", ["the root!"], ["user"]),
        ("f|contains|expand: '%admins%'", ["the root!"], ["user"]),
        ("f|re|expand: '^%one%$'", ["a.c"], ["abc"]),
        (r"f|expand: '\%plain%name%'", ["%plainN"], [r"\%plainN", "N"]),
        ("f|expand: '100%'", ["100%"], ["100"]),
        ("f|cased|expand: '%name%'", ["N"], ["n"]),
    ],
)
def test_expand(item: str, yes: list[str], no: list[str]) -> None:
    events = [{"f": text} for text in (*yes, *no)]
    assert which(compiled(item, LISTS), events) == list(range(len(yes)))


def test_a_rule_whose_list_is_not_configured_waits_for_it() -> None:
    rule = compiled("f|expand: ['%workstations%', '%admins%']")
    assert rule.waits_for == ("admins", "workstations")
    assert which(rule, [{"f": "%workstations%"}]) == []
