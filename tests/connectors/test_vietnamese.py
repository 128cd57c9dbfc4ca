"""Vietnamese in every encoding that machines here still write, and times that lack something: no line is lost."""

from __future__ import annotations

import codecs
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.definitions import load_definitions
from connectors.lines import JSON_ESCAPES
from connectors.parser import DefinedParser
from connectors.times import Clock, instants
from connectors.vietnamese import TABLES, TONES, Encoding, readable
from detectors.contracts import Batch
from detectors.schema import RECORD
from tests.connectors.reading import scan_bytes

DEFINITIONS = load_definitions()
SAID = "Nguyễn Thị Lan đăng nhập"
LINE = f"Mar  2 08:15:00 web01 app[42]: {SAID} từ 192.0.2.7"
TCVN3 = "Mar  2 08:15:00 web01 app[42]: NguyÔn ThÞ Lan ®¨ng nhËp tõ 192.0.2.7".encode("latin-1")  # as it is seen
VNI = "Mar  2 08:15:00 web01 app[42]: Nguyeãn Thò Lan ñaêng nhaäp töø 192.0.2.7".encode("latin-1")


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (LINE.encode(), "NFC"),
        (unicodedata.normalize("NFD", LINE).encode(), "NFD"),
        (codecs.BOM_UTF8 + LINE.encode(), "NFC"),
        (codecs.BOM_UTF16_LE + LINE.encode("utf-16-le"), "NFC"),
        (codecs.BOM_UTF16_BE + LINE.encode("utf-16-be"), "NFC"),
        (LINE.encode("utf-16-le"), "NFC"),
    ],
)
def test_what_is_unicode_is_read_as_it_was_written(tmp_path: Path, data: bytes, form: Literal["NFC", "NFD"]) -> None:
    (text,) = scan_bytes(tmp_path, data).texts
    assert text == unicodedata.normalize(form, LINE)


@pytest.mark.parametrize("data", [unicodedata.normalize("NFD", LINE).encode("cp1258", "ignore"), TCVN3, VNI])
def test_what_is_an_older_encoding_keeps_its_bytes_as_escapes(tmp_path: Path, data: bytes) -> None:
    texts = scan_bytes(tmp_path, data + b"\n" + LINE.encode() + b"\n").texts
    assert texts == [data.decode("utf-8", "backslashreplace"), LINE]
    assert texts[0].encode("utf-8").decode("unicode_escape").encode("latin-1") == data


@pytest.mark.parametrize(
    "data", [LINE.encode("cp1258", "ignore"), TCVN3, VNI, unicodedata.normalize("NFD", LINE).encode()]
)
@pytest.mark.parametrize(
    "source", ["syslog", "iptables", "fortigate", "cef", "apache", "postgresql", "zeek_tsv", "json"]
)
def test_no_source_loses_such_a_line(source: str, data: bytes) -> None:
    lines = [data.decode("utf-8", "backslashreplace"), f'{{"a": "{SAID}"}}', SAID]
    records = pl.DataFrame([(line, place, 0) for place, line in enumerate(lines)], schema=RECORD, orient="row")
    parsed = DefinedParser(DEFINITIONS[source], year=2026).parse(Batch(source, "file:x", "x", records), None)
    found = [
        line for frame in (parsed.events, parsed.dead) for text in frame["event.original"] for line in text.split("\n")
    ]
    assert sorted(found) == sorted(lines)


def message(data: bytes, source: str = "syslog", **changed: str) -> str | None:
    lines = [data.decode("utf-8", "backslashreplace"), "Mar  2 08:15:00 web01 app[42]: plain"]
    records = pl.DataFrame([(line, place, 0) for place, line in enumerate(lines)], schema=RECORD, orient="row")
    definition = DEFINITIONS[source].model_copy(update=changed)
    parsed = DefinedParser(definition, year=2026).parse(Batch(source, "file:x", "x", records), None).events
    assert parsed["event.original"].to_list() == lines  # what came stays
    return str(parsed["message"][0])


@pytest.mark.parametrize("data", [LINE.encode(), unicodedata.normalize("NFD", LINE).encode(), TCVN3, VNI])
def test_its_words_are_read_in_whatever_encoding(data: bytes) -> None:
    assert (message(data) or "").startswith(SAID)


def test_a_definition_may_name_the_encoding() -> None:
    assert message(TCVN3, encoding="tcvn3") == message(TCVN3)
    assert message(TCVN3, encoding="utf-8") == TCVN3[len("Mar  2 08:15:00 web01 app[42]: ") :].decode(
        "utf-8", "backslashreplace"
    )


def test_words_of_windows_1258_are_told() -> None:
    assert (
        message(b"Mar  2 08:15:00 web01 app[42]: Nguy\xea\xden Thi\xf2 Lan \xf0\xe3ng nh\xe2\xf2p") or ""
    ).startswith(SAID)


def test_json_in_an_older_encoding_stays_json() -> None:
    data = '{"time": "2026-03-02T08:15:00Z", "name": "NguyÔn ThÞ Lan ®¨ng nhËp"}'.encode("latin-1")
    line = data.decode("utf-8", "surrogateescape").translate(JSON_ESCAPES)
    records = pl.DataFrame([(line, 0, 0)], schema=RECORD, orient="row")
    parsed = DefinedParser(DEFINITIONS["json"], year=2026).parse(Batch("json", "file:x", "x", records), None)
    assert parsed.events["name"].to_list() == [SAID]


@pytest.mark.parametrize(
    "data", [b"\xff\xfe\x80 \x90", "caf\xe9 na\xefve stra\xdfe".encode("latin-1"), b"GET /\xe1\xbb"]
)
def test_other_bytes_stay_escapes(data: bytes) -> None:
    lines = pl.Series([data.decode("utf-8", "backslashreplace")] * 5)
    assert readable(lines) is lines


VOWELS = "aăâeêioôơuưy"
SMALL = sorted({unicodedata.normalize("NFC", vowel + tone) for vowel in VOWELS for tone in ("", *TONES)} | {"đ"})
ENDS = st.sampled_from(["n", "", "m"])
SYLLABLES = st.tuples(st.sampled_from(["th", "ng", "l", "đ"]), st.sampled_from(SMALL), ENDS).map("".join)
TEXTS = st.lists(SYLLABLES, min_size=1, max_size=12).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.sampled_from(sorted(TABLES)))
def test_what_is_written_in_an_older_encoding_is_read_back(text: str, encoding: Encoding) -> None:
    written = {meant: as_seen for as_seen, meant in TABLES[encoding].items()}
    parts = text
    if encoding == "windows-1258":
        bare = [unicodedata.normalize("NFD", letter) for letter in text]
        parts = "".join(
            unicodedata.normalize("NFC", "".join(each for each in one if each not in TONES))
            + "".join(each for each in one if each in TONES)
            for one in bare
        )
    data = "".join(written.get(letter, letter) for letter in parts).encode("latin-1")
    line = data.decode("ascii", "backslashreplace")
    assert readable(pl.Series([line]), encoding).to_list() == [text]


def test_a_leap_second_is_the_second_after_it() -> None:
    written = ["2016-12-31T23:59:60Z", "2016-12-31 23:59:60", "Dec 31 23:59:60", "31/Dec/2016:23:59:60 +0000"]
    assert set(instants(pl.Series(written), Clock(year=2016))) == {datetime(2017, 1, 1, tzinfo=UTC)}


def test_a_time_without_a_year_is_of_the_latest_that_is_not_ahead() -> None:
    read = instants(pl.Series(["Dec 31 23:00:00", "Jan  1 01:00:00"]), Clock(reference=date(2026, 1, 1)))
    assert [time.year for time in read] == [2025, 2026]


def test_a_wrong_zone_moves_times_and_loses_none() -> None:
    record = pl.DataFrame([(LINE, 0, 0)], schema=RECORD, orient="row")
    batch = Batch("syslog", "file:x", "x", record)
    ours, theirs = (DefinedParser(DEFINITIONS["syslog"], 2026, zone).parse(batch, []) for zone in (None, "UTC"))
    moved = theirs.events["@timestamp"][0] - ours.events["@timestamp"][0]
    assert moved.total_seconds() == 7 * 3600
