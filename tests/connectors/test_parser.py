"""Records become events: typed columns, times, dead letters; every sample of tests/samples gives what it expects."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.definition import Definition
from connectors.definitions import load_definitions
from connectors.formats.cells import Spelled
from connectors.parser import DefinedParser, to_ecs
from detectors.contracts import Batch, Parsed, Parser
from detectors.schema import ECS, EVENT, RECORD

SAMPLES = Path(__file__).parents[1] / "samples"
DEFINITIONS = load_definitions()
BARE = {"name": "x", "title": "x", "format": "text", "logsource": {"product": "x"}}


def batch(source: str, *lines: str) -> Batch:
    rows = [(line, 100 + place, place) for place, line in enumerate(lines)]
    return Batch(source, "file:test", "test", pl.DataFrame(rows, schema=RECORD, orient="row"))


def parse(source: str, *lines: str, wanted: list[str] | None = None, year: int | None = 2026) -> Parsed:
    parser: Parser = DefinedParser(DEFINITIONS[source], year=year)
    return parser.parse(batch(source, *lines), wanted)


CASES = [
    pytest.param(path.parent.name, json.loads(path.read_text()), id=f"{path.parent.name}/{path.stem}")
    for path in sorted(SAMPLES.glob("*/*.json"))
    if path.parent.name in DEFINITIONS
]


@pytest.mark.parametrize(("source", "sample"), CASES)
def test_a_sample_gives_what_it_expects(source: str, sample: dict[str, Any]) -> None:
    parsed = parse(source, sample["input"])
    assert parsed.dead.height == 0
    document = next(to_ecs(parsed.events, DEFINITIONS[source]))
    del document["event"]["original"], document["log"]
    assert document == sample["expected"]


@pytest.mark.parametrize("source", sorted(DEFINITIONS))
def test_every_source_has_samples(source: str) -> None:
    assert list((SAMPLES / source).glob("*.json"))


@pytest.mark.parametrize(("source", "sample"), CASES)
def test_wanted_columns_equal_those_of_a_full_parse(source: str, sample: dict[str, Any]) -> None:
    full = parse(source, sample["input"]).events
    wanted = [name for name in full.columns if name not in EVENT]
    assert parse(source, sample["input"], wanted=wanted).frame().select(full.columns).equals(full)
    for name in wanted[:: max(1, len(wanted) // 4)]:
        assert parse(source, sample["input"], wanted=[name]).events[name].equals(full[name])


@pytest.mark.parametrize(
    ("source", "lines", "lost"),
    [
        ("iis", ["#Software: Microsoft Internet Information Services 10.0", "#Fields: date time c-ip", "#x", "?"], 1),
        ("zeek_tsv", ["#separator \\x09", "#path\tconn", "#close\t2026-03-02", "?"], 1),
        ("aws_cloudfront", ["#Version: 1.0", "#Fields: date time"], 0),
        ("exchange_tracking", ["#Software: Microsoft Exchange Server", "#Date: 2026-03-02T00:00:00Z", "?"], 1),
        (
            "microsoft_dhcp",
            ["\t\tMicrosoft DHCP Service Activity Log", "", "00\tThe log was started.", "ID,Date,Time", "?"],
            1,
        ),
        ("windows_dns", ["DNS Server log file creation at 02/03/2026", "\tField #  Information", "?"], 1),
    ],
)
def test_headings_of_files_are_no_events_and_nobody_misses_them(source: str, lines: list[str], lost: int) -> None:
    parsed = parse(source, *lines)
    assert (parsed.events.height, parsed.dead.height, parsed.lost.height) == (0, len(lines), lost)


def test_ecs_columns_have_their_types_everywhere() -> None:
    for source in DEFINITIONS:
        events = parse(source, "garbage").events
        assert {name: kind for name, kind in events.schema.items() if name in ECS and ECS[name] != kind} == {}


def test_rows_keep_their_order_and_position() -> None:
    parsed = parse("json", '{"n": 1}', "bad", '{"n": 2}', "", '{"n": 3}', wanted=["n"])
    assert parsed.events.select("n", "log.offset", "soc.index").rows() == [("1", 100, 0), ("2", 102, 2), ("3", 104, 4)]
    assert parsed.dead.select("event.original", "log.offset", "soc.source", "soc.origin").rows() == [
        ("bad", 101, "json", "file:test"),
        ("", 103, "json", "file:test"),
    ]
    assert all(parsed.dead["error.message"])


def test_an_event_without_a_readable_time_is_kept() -> None:
    parsed = parse(
        "hotline_1022", '{"time": "0001-01-01T00:00:00", "user": "lan"}', '{"time": 9999999999999999999}', "{}"
    )
    assert parsed.events["@timestamp"].to_list() == [None, None, None]
    assert parsed.dead.height == 0


def test_the_zone_may_be_replaced() -> None:
    parser = DefinedParser(DEFINITIONS["hotline_1022"], zone="UTC")
    times = parser.parse(batch("hotline_1022", '{"time": "2026-03-01 08:00:00"}'), []).events["@timestamp"]
    assert str(times[0]) == "2026-03-01 08:00:00+00:00"


def test_a_column_nobody_has_has_no_value() -> None:
    for source in DEFINITIONS:
        events = parse(source, "garbage", wanted=["no_such_column"]).frame()
        assert not events.get_column("no_such_column", default=pl.Series([])).drop_nulls().len()


def test_own_columns_never_replace_the_record() -> None:
    parsed = parse("json", '{"event.original": "x", "log.offset": 7, "soc": {"index": 9}, "error.message": "boom"}')
    assert parsed.events.select("event.original", "log.offset", "soc.index").rows()[0][1:] == (100, 0)
    assert parsed.dead.height == 0


@pytest.mark.parametrize("source", sorted(DEFINITIONS))
@pytest.mark.parametrize(
    "line",
    [
        "",
        "\x00\x01",
        "\ufffd" * 50,
        '{"a": NaN}',
        f'{{"EventID": {2**80}}}',
        "[" * 3000,
        '{"Event": {"System": null}}',
        "<999>1 - - - - - -",
        "<34>Oct 11 22:14:15",
        "type=X msg=audit(99999999999999999999:1): a0=4142 comm=FF00",
        '192.0.2.1 - - [01/Jan/9999:00:00:00 +0000] "\\" 999 99999999999999999999999',
    ],
)
def test_no_line_raises(source: str, line: str) -> None:
    for wanted in (None, ["message", "EventID", "a0", "cs-uri", "source.ip"]):
        parsed = parse(source, line, line, wanted=wanted)
        assert parsed.events.height + parsed.dead.height == 2


def test_an_empty_batch_gives_empty_frames() -> None:
    for source in DEFINITIONS:
        for wanted in (None, ["message"]):
            parsed = parse(source, wanted=wanted)
            assert (parsed.events.height, parsed.dead.height) == (0, 0)


def test_windows_columns_are_nested_as_winlogbeat_nests_them() -> None:
    line = '{"EventID": 1, "Channel": "X", "Hostname": "h", "Image": "C:\\\\a.exe", "UtcTime": "t"}'
    document = next(to_ecs(parse("windows", line).events, DEFINITIONS["windows"]))
    assert document["winlog"] == {
        "event_id": "1",
        "channel": "X",
        "computer_name": "h",
        "event_data": {"Hostname": "h", "Image": "C:\\a.exe", "UtcTime": "t"},
    }


def test_hexadecimal_numbers_are_numbers() -> None:
    events = parse("windows", '{"EventID": 4688, "NewProcessId": "0x1f4"}', wanted=["process.pid"]).events
    assert events["process.pid"].to_list() == [500]


def test_lines_that_stand_in_one_piece_are_read_where_they_stand() -> None:
    lines = [json.dumps({"EventID": 1, "Image": f"C:\\a{number}.exe", "SourceName": "x"}) for number in range(9_000)]
    text = memoryview("\n".join(lines).encode())
    whole = replace(batch("windows", *lines), text=text)
    parsed = DefinedParser(DEFINITIONS["windows"]).parse(whole, {"Image"})
    texts = parsed.encoded["Image"].texts
    assert isinstance(texts, Spelled)
    assert texts._data is text  # not joined anew, which takes as long as reading them


def test_where_a_record_was_received_stands_beside_its_event() -> None:
    came = {"agent.name": "col01", "log.source.address": "192.0.2.7", "log.file.path": "/var/log/said.log"}
    line = "Mar  2 08:15:00 web1 sshd[7]: Failed password for root from 198.51.100.7 port 22 ssh2"
    records = batch("auth", line).records.with_columns(pl.lit(text).alias(name) for name, text in came.items())
    raw = Batch("auth", "kafka:soc.raw.auth:0", "soc.raw.auth[0]", records)
    parser = DefinedParser(DEFINITIONS["auth"], year=2026)
    for wanted in (None, {"user.name"}, {"log.source.address"}):
        events = parser.parse(raw, wanted).events
        assert {name: events[name][0] for name in came} == came
    path = {"log.file.path": {"constant": "/as/the/log/says"}}
    fields = Definition.model_validate({**BARE, "fields": path}).fields
    told = DEFINITIONS["auth"].model_copy(update={"fields": fields})
    said = DefinedParser(told, year=2026).parse(raw, None).events
    assert (said["log.file.path"][0], said["agent.name"][0]) == ("/as/the/log/says", "col01")
