"""Formats of devices: headers, CEF, LEEF, key=value, Cisco's messages, Zeek's own logs."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.formats import header
from connectors.formats.cef import Cef
from connectors.formats.cisco import Cisco
from connectors.formats.frames import ERROR
from connectors.formats.keyvalue import KeyValue
from connectors.formats.leef import Leef
from connectors.formats.zeek_tsv import ZeekTsv

HEADS = {  # head → priority, timestamp, hostname, program, pid, sequence
    "": (None, None, None, None, None, None),
    "<134>Jan  1 02:21:38 fw.example filterlog[97530]: ": (
        "134", "Jan  1 02:21:38", "fw.example", "filterlog", "97530", None,
    ),
    "<134>1 2022-07-06T15:53:08Z gw.example CheckPoint 2700 - ": (
        "134", "2022-07-06T15:53:08Z", "gw.example", "CheckPoint", None, None,
    ),
    "<187>192.0.2.1: 2023 Apr 27 09:36:56 UTC: ": ("187", "2023 Apr 27 09:36:56 UTC", "192.0.2.1", None, None, None),
    "<165>7433: rt01: ": ("165", None, "rt01", None, None, "7433"),
    "Apr 29 10:04:36 192.0.2.1 ": (None, "Apr 29 10:04:36", "192.0.2.1", None, None, None),
    "<134>1 1647479604.334549372 mx01 events ": ("134", "1647479604.334549372", "mx01", "events", None, None),
}  # fmt: skip


@pytest.mark.parametrize(("head", "parts"), HEADS.items())
def test_a_header_is_split(head: str, parts: tuple[str | None, ...]) -> None:
    assert header.split(pl.Series([head])).select(header.PARTS).row(0) == parts


def test_cef_values_hold_blanks_and_escapes() -> None:
    line = r"CEF:0|Ven\|dor|P|1|100|Na me|5|msg=a\=b, c=d no cs1=x y cs1Label=Ru\\le request=https://h/?a\=1"
    row = Cef().parse(pl.Series([line, "no CEF", "CEF:0|a|b|c|d|e|9|"]), None).to_dicts()
    assert row[0] | {"c": None} == row[0] | {"c": None, "vendor": "Ven|dor", "name": "Na me", "cs1": "x y"}
    assert row[0]["cs1Label"] == "Ru\\le"
    assert row[0]["request"] == "https://h/?a=1"
    assert [each[ERROR] for each in row] == [None, "not CEF", None]


@pytest.mark.parametrize(
    ("line", "source"),
    [
        ("LEEF:1.0|V|P|1|42|src=192.0.2.1\tusrName=lan", "192.0.2.1"),
        ("<13>Jan  1 00:00:00 h LEEF:2.0|V|P|1|42|^|src=192.0.2.1^usrName=lan", "192.0.2.1"),
        ("LEEF:2.0|V|P|1|42|x5E|src=192.0.2.1^usrName=lan", "192.0.2.1"),
        ("LEEF:2.0|V|P|1|42|src=192.0.2.1\tusrName=lan", "192.0.2.1"),
    ],
)
def test_leef_delimiters(line: str, source: str) -> None:
    row = Leef().parse(pl.Series([line]), frozenset({"src", "usrName", "event_id"})).to_dicts()[0]
    assert row == {"src": source, "usrName": "lan", "event_id": "42", ERROR: None}


def test_pairs_are_read_with_quotes_and_separators() -> None:
    first = KeyValue().parse(pl.Series([r'<1>a=1 b="x \"y\" = z" c= d=e=f', "none"]), None).to_dicts()
    assert first[0] | {"a": "1", "b": 'x "y" = z', "c": "", "d": "e=f", "syslog_priority": "1"} == first[0]
    assert first[1][ERROR] == "no pairs of keys and values"
    second = KeyValue(equals=":", start=r'\[\w+:"').parse(pl.Series(['h [a:"x; y"; b:"z"]']), None).to_dicts()[0]
    assert (second["a"], second["b"]) == ("x; y", "z")
    third = KeyValue(quotes="", separator=";").parse(pl.Series(["a=x y;b=z"]), None).to_dicts()[0]
    assert (third["a"], third["b"]) == ("x y", "z")


def test_cisco_messages_are_told_from_their_headers() -> None:
    lines = [
        "<189>: 2023 May  2 12:57:15 UTC: %ETHPORT-5-IF_DOWN: Interface Ethernet1/42 is down",
        "<187>May 3 13:20:50 sw01 603: May 3 13:20:48.739 AEST: last message repeated 5 time",
        "Apr 15 2014 09:34:34 EDT: %ASA-session-5-106100: access-list x",
    ]
    rows = Cisco().parse(pl.Series(lines), None).to_dicts()
    assert [row["mnemonic"] for row in rows] == ["IF_DOWN", None, "106100"]
    assert rows[1]["text"] == "last message repeated 5 time"
    assert rows[1]["syslog_timestamp"] == "May 3 13:20:48.739 AEST"
    assert rows[2]["sub_facility"] == "session"


def test_zeek_logs_are_read_by_their_heading() -> None:
    lines = [
        "#path\tdns",
        "#fields\tts\tid.orig_h\tanswers\tAA",
        "#types\ttime\taddr\tvector[string]\tbool",
        "1.5\t192.0.2.1\ta.example,b.example\tF",
        "1.6\t-\t-\tT",
        "short",
    ]
    rows = ZeekTsv().parse(pl.Series(lines), frozenset({"ts", "id.orig_h", "answers", "AA", "kind"})).to_dicts()
    assert rows[3]["answers"] == ["a.example", "b.example"]
    assert (rows[3]["AA"], rows[3]["kind"], rows[4]["id.orig_h"]) == ("false", "dns", None)
    assert [bool(row[ERROR]) for row in rows] == [True, True, True, False, False, True]
