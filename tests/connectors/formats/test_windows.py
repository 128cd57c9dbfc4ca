"""One Windows event gives the same columns whatever shipper wrote it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.formats import json_lines
from connectors.formats.frames import ERROR
from connectors.formats.windows import Windows
from connectors.windows_event import pick
from tests.connectors.formats.json_texts import anything, exactly, objects

DATA = {"TargetUserName": "lan", "LogonType": 3, "Elevated": True, "Empty": "", "CommandLine": '"[a]" \u0027x\u0027'}
CORE = {
    "EventID": "4625",
    "Channel": "Security",
    "Provider_Name": "Example",
    "Computer": "dc01.example.com",
    "TimeCreated": "2026-03-01T00:00:00.5Z",
}
SYSTEM = {"EventID": 4625, "Channel": "Security", "Computer": "dc01.example.com"}


def evtx(data: object, **system: object) -> str:
    return json.dumps(
        {
            "Event": {
                "#attributes": {"xmlns": "x"},
                "System": {
                    "Provider": {"#attributes": {"Name": "Example"}},
                    "Correlation": None,
                    "TimeCreated": {"#attributes": {"SystemTime": "2026-03-01T00:00:00.5Z"}},
                    **SYSTEM,
                    **system,
                },
                "EventData": data,
            }
        }
    )


SHAPES = {
    "evtx": evtx(DATA),
    "evtx, attributes": evtx(DATA, EventID={"#attributes": {"Qualifiers": 0}, "#text": 4625}),
    "evtx, at signs": json.dumps(
        {
            "Event": {
                "System": {
                    "Provider": {"@Name": "Example"},
                    "TimeCreated": {"@SystemTime": "2026-03-01T00:00:00.5Z"},
                    **SYSTEM,
                },
                "EventData": DATA,
            }
        }
    ),
    "evtx, separate attributes": json.dumps(
        {
            "Event": {
                "System": {
                    "Provider_attributes": {"Name": "Example"},
                    "TimeCreated_attributes": {"SystemTime": "2026-03-01T00:00:00.5Z"},
                    **SYSTEM,
                },
                "EventData": DATA,
            }
        }
    ),
    "evtx, empty element": evtx({**DATA, "Empty": None}),
    "evtx, named list": evtx({"Data": [{"#attributes": {"Name": key}, "#text": value} for key, value in DATA.items()]}),
    "evtx, user data": json.dumps(
        {
            "Event": {
                "System": {
                    "Provider": {"#attributes": {"Name": "Example"}},
                    "TimeCreated": {"#attributes": {"SystemTime": "2026-03-01T00:00:00.5Z"}},
                    **SYSTEM,
                },
                "UserData": {"Example": {"#attributes": {"xmlns": "x"}, **DATA}},
            }
        }
    ),
    "winlogbeat": json.dumps(
        {
            "@timestamp": "2026-03-01T00:00:00.5Z",
            "winlog": {
                "event_id": "4625",
                "channel": "Security",
                "provider_name": "Example",
                "computer_name": "dc01.example.com",
                "event_data": DATA,
            },
        }
    ),
    "winlogbeat, user data": json.dumps(
        {
            "@timestamp": "2026-03-01T00:00:00.5Z",
            "winlog": {
                "event_id": 4625,
                "channel": "Security",
                "provider_name": "Example",
                "computer_name": "dc01.example.com",
                "user_data": DATA,
            },
        }
    ),
    "winlogbeat 6": json.dumps(
        {
            "@timestamp": "2026-03-01T00:00:00.5Z",
            "event_id": 4625,
            "log_name": "Security",
            "source_name": "Example",
            "computer_name": "dc01.example.com",
            "event_data": DATA,
        }
    ),
    "nxlog": json.dumps(
        {
            "EventID": 4625,
            "Channel": "Security",
            "SourceName": "Example",
            "Hostname": "dc01.example.com",
            "TimeCreated": "2026-03-01T00:00:00.5Z",
            **DATA,
        }
    ),
}
EXPECTED = {
    **CORE,
    "TargetUserName": "lan",
    "LogonType": "3",
    "Elevated": "true",
    "Empty": "",
    "CommandLine": DATA["CommandLine"],
    "Absent": None,
    ERROR: None,
}


@pytest.fixture(autouse=True, params=["few", "many"])
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as few lines are read, and as many are."""
    monkeypatch.setattr(json_lines, "FEW", {"few": 1_000_000, "many": 0}[request.param])
    monkeypatch.setattr(json_lines, "COLD", 0)


def parsed(*lines: str, wanted: frozenset[str] | None = frozenset(EXPECTED)) -> list[dict[str, Any]]:
    return Windows().parse(pl.Series(lines, dtype=pl.String), wanted and wanted - {ERROR}).to_dicts()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_gives_these_columns(shape: str) -> None:
    assert parsed(SHAPES[shape]) == [EXPECTED]


@pytest.mark.parametrize("shape", SHAPES)
def test_all_columns_hold_the_same(shape: str) -> None:
    row = parsed(SHAPES[shape], wanted=None)[0]
    assert {name: row.get(name) for name in EXPECTED} == EXPECTED


def test_shapes_may_mix_with_each_other_and_with_garbage() -> None:
    rows = parsed(*SHAPES.values(), "garbage", *reversed(SHAPES.values()))
    assert [row for row in rows if row[ERROR] is None] == [EXPECTED] * (2 * len(SHAPES))
    assert "not JSON" in rows[len(SHAPES)][ERROR]


KEYS = (
    "EventID",
    "Level",
    "Provider",
    "TimeCreated",
    "Data",
    "param1",
    "Image",
    "Name",
    "level",
    "#text",
    "#attributes",
)
NESTED = anything([*KEYS, "@Name", "Provider_attributes"], leaves=10)
SECTIONS = ("System", "EventData", "UserData", "event_data", "user_data")
RECORDS = st.one_of(
    objects(["Event", "System"], objects(SECTIONS, NESTED)),
    objects(["winlog", "log", "process", "event_data"], objects([*SECTIONS, *KEYS], NESTED)),
    objects([*KEYS, "log_name", "event_data", "event_id"], NESTED),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(RECORDS, min_size=1, max_size=5), st.none() | st.frozensets(st.sampled_from(KEYS), min_size=1))
def test_every_way_agrees_with_the_exact_reader(sample: list[str], names: frozenset[str] | None) -> None:
    assert Windows().parse(pl.Series(sample), names).to_dicts() == exactly(pick, sample, names)


@pytest.mark.parametrize("data", [["one", "", "2"], {"#text": ["one", "", "2"]}])
def test_unnamed_data_is_a_list(data: object) -> None:
    assert parsed(evtx({"Data": data}), wanted=frozenset({"Data"}))[0]["Data"] == ["one", "", "2"]


def test_one_unnamed_datum_is_a_text() -> None:
    assert parsed(evtx({"Data": {"#text": "one"}}), wanted=frozenset({"Data"}))[0]["Data"] == "one"


def test_a_text_that_looks_like_json_stays_text() -> None:
    for text in ('["x"]', '{"#text": "x"}', "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}"):
        assert (
            parsed(evtx({"ScriptBlockText": text}), wanted=frozenset({"ScriptBlockText"}))[0]["ScriptBlockText"] == text
        )


def test_what_winlogbeat_moved_is_found() -> None:
    line = json.dumps({"winlog": {"event_id": 1}, "process": {"executable": r"C:\a.exe", "parent": {"pid": 4}}})
    row = parsed(line, wanted=frozenset({"Image", "ParentProcessId"}))[0]
    assert (row["Image"], row["ParentProcessId"]) == (r"C:\a.exe", "4")


@pytest.mark.parametrize("section", [1, "x", [], None])
def test_a_section_of_the_wrong_kind_costs_nothing_else(section: object) -> None:
    line = json.dumps({"Event": {"System": SYSTEM, "EventData": section}})
    assert parsed(line, wanted=frozenset({"EventID", "Image"})) == [{"EventID": "4625", "Image": None, ERROR: None}]


@pytest.mark.reference
def test_both_ways_agree_on_real_events(reference: Path) -> None:
    """The projected columns equal those of the exact reader for every event of the regression set and the goldens."""
    lines: list[str] = []
    for path in (reference / "evtx/sigma-regression").rglob("*.json"):
        lines += [json.dumps(json.loads(text)) for text in re.split(r"(?m)(?<=^})\n(?=\{)", path.read_text())]
    for path in (reference / "evtx/winlogbeat-golden").rglob("*.json"):
        lines += [json.dumps(event) for event in json.loads(path.read_text())]
    everything = Windows().parse(pl.Series(lines), None)
    projected = Windows().parse(pl.Series(lines), frozenset(everything.columns) - {ERROR})
    assert projected.select(everything.columns).to_dicts() == everything.to_dicts()
    assert everything["EventID"].null_count() == 0
