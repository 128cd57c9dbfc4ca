"""What values mean: types, wildcards, escapes, missing fields, arrays, keywords (specification, Detection)."""

from __future__ import annotations

import pytest

from tests.detectors.sigma.asking import DIALECT, compiled, frame, matching, texts, which

# item, texts that match, texts that don't (None: the field is missing)
ITEMS: list[tuple[str, list[str | None], list[str | None]]] = [
    # escapes: a backslash is special only before `*`, `?` and `\`
    (r"f: 'a\b'", [r"a\b", r"A\B"], ["ab", r"a\\b"]),
    (r"f: 'a\\b'", [r"a\b"], [r"a\\b"]),
    (r"f: '\\server\share'", [r"\server\share"], [r"\\server\share"]),
    (r"f: '\\\\server'", [r"\\server"], [r"\server", r"\\\\server"]),
    (r"f: '\\\x'", [r"\\x"], [r"\x", r"\\\x"]),
    (r"f: 'C:\Windows\*'", [r"C:\Windows*"], ["C:\\Windows\\", r"C:\Windows\x"]),
    (r"f: 'C:\Windows\\*'", ["C:\\Windows\\", r"c:\windows\system32"], [r"C:\Windows*", r"C:\Windows"]),
    (r"f: 'a\\\*b'", [r"a\*b"], [r"a\\b", r"a\xb", "a*b"]),
    (r"f: 'x\'", ["x\\"], ["x", r"x\\"]),
    (r"f: 'x\\'", ["x\\"], ["x", r"x\\"]),
    (r"f|endswith: '\cmd.exe'", [r"C:\cmd.exe", r"\CMD.EXE"], ["cmd.exe", r"C:\cmd.exe "]),
    (r"f|endswith: '\\cmd.exe'", [r"C:\cmd.exe"], ["cmd.exe"]),
    (r"f|startswith: 'C:\'", ["C:\\", r"c:\x"], ["C:", "D:\\"]),
    (r"f|contains: 'x\'", [r"ax\b", "x\\"], ["x", r"x*"]),
    (r"f|contains: '\*'", ["a*b", "*"], ["ab", "\\"]),
    (r"f|contains: 'C:\\\\'", [r"xC:\\y"], [r"C:\y"]),
    ("f: '%name%'", ["%name%"], ["name"]),
    # wildcards
    ("f: 'a*c'", ["ac", "abc", "a\nc", "AxxC"], ["abcd", "xac"]),
    ("f: 'a**c'", ["ac", "abc"], ["ab"]),
    ("f: 'a?c'", ["abc", "a\nc", "aạc", "a😀c"], ["ac", "abbc"]),
    ("f: 'net*user?'", ["net1 user2"], ["mynet1 user2", "net1 user2x", "net user"]),
    ("f: '?'", ["x", "ạ", "İ"], ["", "xx"]),
    ("f: '*'", ["", "x"], [None]),
    ("f: '**'", ["", "x"], [None]),
    ("f: '*.exe'", ["a.exe", ".exe"], ["a.exe1"]),
    ("f|contains: 'a*c'", ["xxabcyy", "ac"], ["ab"]),
    ("f|contains: 'a?c'", ["xxabcyy"], ["ac", "abbc"]),
    ("f|contains: '?'", ["x"], [""]),
    ("f|contains: '*a*'", ["xax"], ["x"]),
    ("f|contains: '*'", ["", "x"], [None]),
    ("f|contains: ''", ["", "x"], [None]),
    ("f|contains: ['', 'zz']", ["", "x"], [None]),
    ("f|endswith: '1?'", ["x10", "1a"], ["1", "x1", "10x"]),
    ("f|endswith: '8???'", ["8080", "18080"], ["808"]),
    ("f|startswith: '?bc'", ["abcd", "xbc"], ["bcd", "aabc"]),
    # case
    ("f: 'WHOAMI'", ["whoami", "WhoAmI"], ["whoami "]),
    ("f: 'Ủy Ban'", ["ủy ban", "ỦY BAN"], ["uy ban"]),
    ("f|contains: 'ΟΔΟΣ'", ["οδος", "οδοσα", "ΟΔΟΣΑ", "xοδοςx"], ["οδο"]),
    ("f|endswith: 'σ'", ["ΟΔΟΣ", "οδος"], ["οδο"]),
    ("f: 'K'", ["k", "\u212a"], ["x"]),
    ("f: 'straße'", ["STRAßE"], ["strasse"]),
    ("f: 'i'", ["I", "İ"], ["ı"]),
    ("f|cased: 'Whoami'", ["Whoami"], ["whoami", "WHOAMI"]),
    ("f|cased|contains: 'Who'", ["xWhox"], ["xwhox"]),
    ("f|contains|cased: 'Who'", ["xWhox"], ["xwhox"]),
    ("f|cased|startswith: 'Who'", ["Whox"], ["whox", "xWho"]),
    ("f|endswith|cased: 'Who'", ["xWho"], ["xwho", "Whox"]),
    ("f|cased: 'W?o*'", ["Who", "Wxo1"], ["who"]),
    # numbers
    ("f: 4624", ["4624", "4624.0", " 4624 ", "+4624", "4.624e3"], ["4625", "x4624", "", "0x1210", "4_624", None]),
    ("f: 5.0", ["5", "5.0", "05"], ["5.1", "５"]),
    ("f: -1", ["-1", "-1.0"], ["1"]),
    ("f: 0", ["0", "-0", "0.0"], ["", "false", "nan"]),
    ("f: 0.5", ["0.5", ".5", "5e-1"], ["5"]),
    ("f: 12345678901234567890", ["12345678901234567890"], ["12345678901234567891"]),
    ("f: 9007199254740993", ["9007199254740993"], ["9007199254740992", "9007199254740992.0"]),
    ("f: '5'", ["5"], ["5.0", "05"]),
    ("f: [1, 'x']", ["1", "1.0", "X"], ["2"]),
    # booleans
    ("f: true", ["true", "True", "TRUE", "1"], ["false", "0", "yes", ""]),
    ("f: false", ["false", "False", "0"], ["true", "", None]),
    ("f: 'true'", ["true", "True"], ["1"]),
    # null, empty, missing
    ("f: null", [None], ["", "null", "x"]),
    ("f:", [None], [""]),
    ("f: ''", [""], [None, " ", "x"]),
    ("f: ['', x]", ["", "X"], [None, "y"]),
]


@pytest.mark.parametrize(("item", "yes", "no"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_item(item: str, yes: list[str | None], no: list[str | None]) -> None:
    assert texts(item, *yes, *no) == yes


@pytest.mark.parametrize(("item", "yes", "no"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_the_contrary_is_true_of_all_other_events(item: str, yes: list[str | None], no: list[str | None]) -> None:
    assert texts(f"sel:\n  {item}\ncondition: not sel", *yes, *no) == no


@pytest.mark.parametrize(("item", "yes", "no"), ITEMS, ids=[item for item, _, _ in ITEMS])
def test_one_at_a_time(item: str, yes: list[str | None], no: list[str | None]) -> None:
    assert [texts(item, value) == [value] for value in (*yes, *no)] == [True] * len(yes) + [False] * len(no)


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("f: x\ng: y", [2]),  # a map is And
        ("- f: x\n- g: y", [0, 1, 2]),  # a list of maps is Or
        ("f: [x, z]", [0, 2, 3]),
        ("f|contains|all: [x, z]", []),
        ("f|all|contains: [z, q]", [3]),
        ("- f: x\n  g: y\n- f: zq", [2, 3]),
        ("- - f: x\n- - g: y", [0, 1, 2]),  # a list of lists is Or
        ("- f: x\n- hello", [0, 2, 4]),  # a list that mixes maps and keywords
        ("'': hello\nh: hello there", [4]),  # And of a keyword and a field
        ("- hello\n- zq", [3, 4]),  # keywords are Or
        ("hello", [4]),
    ],
)
def test_structure(detection: str, expected: list[int]) -> None:
    events = [{"f": "x"}, {"g": "y"}, {"f": "x", "g": "y"}, {"f": "zq"}, {"h": "hello there"}]
    events[3]["f"] = "zq" if "z, q" in detection or "zq" in detection else "z"
    assert matching(detection, *events) == expected


FIELDS = ["with space", "with.dot", "with-dash", "Trường", "with_underscore", "New Value", "data[0]", "@timestamp_text"]


@pytest.mark.parametrize("name", FIELDS)
def test_field_names(name: str) -> None:
    assert matching(f"'{name}|contains': x", {name: "axb"}, {name: "b"}, {name.upper() + "_": "x"}) == [0]


def test_field_names_are_case_sensitive() -> None:
    assert matching("commandline: x", {"CommandLine": "x"}) == []


ARRAYS: list[tuple[str, list[bool]]] = [
    # events: [x, y] · [] · missing · [null, z] · ["" ]
    ("f: x", [True, False, False, False, False]),
    ("f: [x, z]", [True, False, False, True, False]),
    ("f|contains|all: [x, y]", [True, False, False, False, False]),  # per value, not per element
    ("f|re: '^[yz]$'", [True, False, False, True, False]),
    ("f: '*'", [True, True, False, True, True]),
    ("f: ''", [False, False, False, False, True]),
    ("f: null", [False, False, True, False, False]),
    ("f|exists: true", [True, True, False, True, True]),
    ("f|exists: false", [False, False, True, False, False]),
    ("f|neq: x", [False, True, True, True, True]),  # the contrary of "any is x"
    ("f|fieldref: g", [True, False, False, False, False]),
    ("f|cased: Y", [False, False, False, False, False]),
    ("f: '?'", [True, False, False, True, False]),
]


@pytest.mark.parametrize(("item", "expected"), ARRAYS, ids=[item for item, _ in ARRAYS])
def test_a_list_matches_if_any_of_its_elements_does(item: str, expected: list[bool]) -> None:
    events: list[dict[str, str | list[str | None] | None]] = [
        {"f": ["x", "y"], "g": "Y"},
        {"f": [], "g": "x"},
        {"f": None, "g": "x"},
        {"f": [None, "z"], "g": "x"},
        {"f": [""], "g": "x"},
    ]
    rows = matching(item, *events)
    assert [row in rows for row in range(len(events))] == expected


def test_a_missing_field_satisfies_the_contrary_of_anything() -> None:
    events = [{"f": "x"}, {"f": "x", "g": "y"}, {"g": "y"}]
    assert matching("sel: {f: x}\nfilter: {g: y}\ncondition: sel and not filter", *events) == [0]
    assert matching("sel: {f: x}\nfilter: {nowhere: y}\ncondition: sel and not filter", *events) == [0, 1]
    assert matching("sel: {nowhere|re: y}\ncondition: not sel", *events) == [0, 1, 2]


def test_a_missing_column_is_not_the_text_of_the_event() -> None:
    assert matching("sel:\n  - hello\nf: {nowhere|contains: hello}\ncondition: sel and not f", {"g": "hello"}) == [0]
    assert matching("sel:\n  - hello\nf: {nowhere: null}\ncondition: sel and f", {"g": "hello"}) == [0]


# keyword detection, raw records that match, raw records that don't
KEYWORDS: list[tuple[str, list[str], list[str]]] = [
    ("- hello", ['{"a": "xhelloy"}', '{"a": "HELLO"}', '{"a": {"b": ["x", "hello"]}}'], ['{"hello": "x"}', "{}"]),
    ("- 'he*o'", ['{"a": "hexxo"}', '{"a": "he", "b": "o"}'], ['{"a": "eho"}']),
    ("- 'h?llo'", ['{"a": "say hallo now"}'], ['{"a": "hllo"}']),
    (
        r"- 'C:\Temp'",
        ['{"a": "in C:\\\\Temp\\\\x"}', '{"a": "c:\\u005ctemp"}'],
        ['{"a": "C:Temp"}', '{"a": "C:/Temp"}'],
    ),
    ("- 4625", ['{"a": 4625}', '{"a": "id 4625"}', '{"a": 14625}'], ['{"a": 4624}']),
    ("'|all': [one, two]", ['{"a": "one", "b": "TWO"}'], ['{"a": "one"}', '{"a": "two"}']),
    ("'|re': 'o{2}k'", ['{"a": "look"}'], ['{"a": "LOOK"}', '{"a": "lok"}']),
    ("'|re|i': 'o{2}k'", ['{"a": "LOOK"}'], ['{"a": "lok"}']),
    ("'|cased': Look", ['{"a": "a Look b"}'], ['{"a": "look"}']),
    ("'|contains': hello", ['{"a": "xhellox"}'], ['{"a": "x"}']),
    ("- 'true'", ['{"a": true}', '{"a": "true"}'], ['{"a": false}', '{"a": "tru"}']),
    ("- đắk", ['{"a": "ĐẮK LẮK"}', '{"a": "\\u0110\\u1eaeK"}'], ['{"a": "dak"}']),
    ("- kelvin", ['{"a": "\u212aelvin"}', '{"a": "\\u212Aelvin"}', '{"a": "\\u006belvin"}'], ['{"a": "elvin"}']),
    ("- 'a/b'", ['{"a": "a/b"}', '{"a": "a\\/b"}'], ['{"a": "a-b"}']),
    ("- '*'", ["{}", '{"a": null}'], []),
    ("- 'not json'", ["this is not json", "NOT JSON"], ["this is json"]),
    ("- ''", ['{"a": 1}'], []),
]


@pytest.mark.parametrize(("detection", "yes", "no"), KEYWORDS, ids=[item for item, _, _ in KEYWORDS])
def test_keywords(detection: str, yes: list[str], no: list[str]) -> None:
    events = [{"event.original": raw} for raw in (*yes, *no)]
    assert matching(detection, *events) == list(range(len(yes)))
    inner = detection.replace("\n", "\n  ")
    assert matching(f"sel:\n  {inner}\ncondition: not sel", *events) == list(range(len(yes), len(events)))


def test_keywords_of_a_plain_line_are_looked_for_in_the_line() -> None:
    plain = type(DIALECT)("plain", DIALECT.logsource, {}, structured=False)
    lines = ['{"hello": 1}', "say hello", r"C:\temp", "x"]
    events = [{"event.original": line} for line in lines]
    assert which(compiled("- hello\n- 'c:\\temp'"), events, plain) == [0, 1, 2]


def test_an_event_without_raw_text_holds_no_keyword() -> None:
    events = frame([{"a": "x"}]).with_columns(frame([{"a": "x"}])["event.original"].replace("{}", None))
    assert events.height == 1
    assert matching("- x", {"a": "x"}, {"event.original": ""}) == [0]
