"""Events in XML: entities, parts that are missing, elements that a line makes up."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats.event_xml import EventXml

HEAD = "<14>Mar  5 14:22:31 web1 sysmon: "
EVENT = (
    '<Event><System><Provider Name="Linux-Sysmon"/><EventID>1</EventID><Computer>web1</Computer></System>'
    '<EventData><Data Name="CommandLine">{}</Data></EventData></Event>'
)


@pytest.mark.parametrize("head", ["", HEAD])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("id &amp;&amp; cat &lt;x &gt;y &quot;z&quot; &apos;", 'id && cat <x >y "z" \''),
        ("a &amp;lt; b", "a &lt; b"),
        ("&bomb;", "&bomb;"),
        ("Nguyễn", "Nguyễn"),
        ("", ""),
    ],
)
def test_what_data_holds_is_text_again(head: str, written: str, meant: str) -> None:
    (row,) = EventXml().parse(pl.Series([head + EVENT.format(written)]), None).to_dicts()
    assert (row["CommandLine"], row["EventID"], row["Provider_Name"]) == (meant, "1", "Linux-Sysmon")
    assert row["error.message"] is None


@pytest.mark.parametrize("line", ["", "sysmon: started", EVENT.format("x")[:-8], "<!DOCTYPE a [<!ENTITY b 'c'>]>"])
def test_what_is_no_whole_event_is_told(line: str) -> None:
    assert EventXml().parse(pl.Series([line]), frozenset({"EventID"}))["error.message"].to_list() == [
        "no event in XML, or not whole"
    ]


def test_wanting_less_gives_the_same_and_names_are_no_patterns() -> None:
    lines = pl.Series([EVENT.format("x") + '<Data Name="a(b">1</Data><Data Name=".*">2</Data>'])
    assert EventXml().parse(lines, frozenset({"CommandLine", "(", "Absent"})).to_dicts() == [
        {"(": None, "Absent": None, "CommandLine": "x", "error.message": None}
    ]
    assert not {"a(b", ".*"} & {*EventXml().parse(lines, None).columns}
