"""Events in XML: entities, parts that are missing, elements that a line makes up."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.formats.event_xml import EventXml
from tests.connectors.formats.bothways import both

HEAD = "<14>Mar  5 14:22:31 web1 sysmon: "
EVENT = (
    '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><Computer>web1</Computer></System>'
    '<EventData><Data Name="CommandLine">{}</Data></EventData></Event>'
)


@pytest.fixture(params=["patterns", "machine"])
def way(request: pytest.FixtureRequest) -> None:
    """Read in both ways."""
    if request.param == "machine":
        request.getfixturevalue("machine_code")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("head", ["", HEAD])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("id &amp;&amp; cat &lt;x &gt;y &quot;z&quot; &apos;", 'id && cat <x >y "z" \''),
        ("a &amp;lt; b", "a &lt; b"),
        ("a&#13;&#xA;b&#9;c", "a\r\nb\tc"),
        ("&bomb;", "&bomb;"),
        ("Nguyễn", "Nguyễn"),
        ("", ""),
    ],
)
def test_what_data_holds_is_text_again(head: str, written: str, meant: str) -> None:
    (row,) = EventXml().parse(pl.Series([head + EVENT.format(written)]), None).to_dicts()
    assert (row["CommandLine"], row["EventID"], row["Provider_Name"]) == (meant, "1", "Linux-Sysmon")
    assert row["error.message"] is None


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("line", ["", "sysmon: started", EVENT.format("x")[:-8], "<!DOCTYPE a [<!ENTITY b 'c'>]>"])
def test_what_is_no_whole_event_is_told(line: str) -> None:
    assert EventXml().parse(pl.Series([line]), frozenset({"EventID"}))["error.message"].to_list() == [
        "no event in XML, or not whole"
    ]


@pytest.mark.usefixtures("way")
def test_wanting_less_gives_the_same_and_names_are_no_patterns() -> None:
    lines = pl.Series([EVENT.format("x") + '<Data Name="a(b">1</Data><Data Name=".*">2</Data>'])
    assert EventXml().parse(lines, frozenset({"CommandLine", "(", "Absent"})).to_dicts() == [
        {"(": None, "Absent": None, "CommandLine": "x", "error.message": None}
    ]
    assert not {"a(b", ".*"} & {*EventXml().parse(lines, None).columns}


WHOLE = HEAD + EVENT.format("a &lt; b").replace("<Computer>", '<TimeCreated SystemTime="2026"/><Computer>')
BITS = [
    "<Event>",
    "</Event>",
    '<Data Name="',
    "<Data Name='",
    '<Data Name="Image">',
    '<Data Name="Image"/>',
    "</Data>",
    "<Level>",
    '<EventID Qualifiers="0">',
    "<EventID />",
    "<EventID >",
    '<Provider Guid="x" Name="',
    "<Security X-UserID='",
    "<Security ạUserID='",
    "<![CDATA[",
    "]]>",
    "<!-- ",
    "-->",
    "<",
    ">",
    '"',
    "'",
    '">',
    "/>",
    "Name=",
    "&amp;lt;",
    "&#13;",
    "&",
    "ạ",
    "\n",
    " ",
    "Image",
    "EventID",
]
LONG, LONGER = "Ệ" * 60, "ab" * 40
TAILS = st.lists(st.sampled_from(BITS), max_size=12).map("".join)
WANTED = frozenset(
    {"EventID", "Level", "Provider_Name", "TimeCreated", "Security_UserID", "CommandLine", "Image", LONG, LONGER, "("}
)


@pytest.mark.usefixtures("machine_code")
@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE)), TAILS).map(lambda at: WHOLE[: at[0]] + at[1] + WHOLE[at[0] :])
        | st.tuples(st.integers(0, len(WHOLE)), TAILS).map(lambda at: WHOLE[: at[0]] + at[1])
        | st.none(),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([None, WANTED, frozenset({"CommandLine"}), frozenset()]),
)
@example([f"<Event></Event><Provider Name='x'/><Level>{'&' * 70}", f"{WHOLE}<Data Name='{'a' * 101}'>x</Data>"], None)
@example([WHOLE.replace("CommandLine", "EventID"), WHOLE.replace("CommandLine", "Lệnh")], None)
@example([WHOLE.replace("CommandLine", name) for name in (LONG, LONGER, LONG * 2, "a(b", "a>b", "a<b", "Tệp")], None)
@example([WHOLE.replace("CommandLine", name) for name in (LONG, LONGER, LONG * 2, "a(b", "a>b", "a<b", "Tệp")], WANTED)
@example(
    [
        WHOLE.replace("<Data", f"{first}<Data")
        for first in (
            '<Data Name="Image">a</Data><Data Name="Image">b</Data>',
            '<Data Name="Image"/>x<Level />5<Level a="b"/>6<Level a="b">7</Level>',
            "<Security aUserID='1' X-UserID='2' UserID=\"3\"/>",
            "<Security aUserID='1'/><Security ạUserID='2'/>",
        )
    ],
    WANTED,
)
@example([WHOLE.replace("a &lt; b", "<![CDATA[a < b]]>"), WHOLE.replace("a &lt; b", "<b>x</b>")], WANTED)
def test_both_ways_read_the_same(lines: list[str | None], wanted: frozenset[str] | None) -> None:
    patterns, machine = both(EventXml(), lines, wanted)
    assert machine == patterns


@pytest.mark.usefixtures("machine_code")
def test_of_a_million_names_no_more_are_kept_than_a_batch_may_bring() -> None:
    data = ["".join(f'<Data Name="k{row}_{key}">1</Data>' for key in range(100)) for row in range(30)]
    lines = pl.Series([EVENT.format("x").replace("</Event>", f"{each}</Event>") for each in data])
    assert sum(name.startswith("k") for name in EventXml().parse(lines, None).columns) <= 2_000


@pytest.mark.usefixtures("machine_code")
def test_entities_that_a_line_declares_stay_what_they_are() -> None:
    laughs = "".join(f'<!ENTITY l{each} "{f"&l{each - 1};" * 10}">' for each in range(1, 10))
    line = f"<!DOCTYPE x [{laughs}]>{EVENT.format('&l9;')}"
    assert EventXml().parse(pl.Series([line]), None)["CommandLine"].to_list() == ["&l9;"]
