"""Documented columns of kinds of event: what real events have is among them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.definitions import load_definitions
from connectors.files import FileSource
from connectors.recognise import recognise
from detectors.schema import EVENT
from detectors.sigma.eventfields import event_columns
from detectors.sigma.logsources import Route

SYSMON = "microsoft-windows-sysmon/operational"


def route(channel: str, *events: str) -> Route:
    return Route({"Channel": frozenset({channel}), "EventID": frozenset(events)})


def test_the_columns_of_a_kind_are_known() -> None:
    process = event_columns("windows", route("security", "4688"))
    assert process is not None
    assert {"EventID", "NewProcessName", "CommandLine"} <= process
    assert process.isdisjoint({"Hashes", "OriginalFileName", "CurrentDirectory", "ParentCommandLine", "Image"})


def test_a_route_of_several_kinds_has_the_columns_of_all() -> None:
    keys = event_columns("windows", route(SYSMON, "12", "13", "14"))
    assert keys is not None
    assert {"TargetObject", "Details", "NewName"} <= keys


@pytest.mark.parametrize(
    "unknown",
    [
        route("security", "4624"),
        route(SYSMON, "1", "4624"),
        Route({"Channel": frozenset({SYSMON})}),
        Route({"program": frozenset({"sudo"})}),
        Route(),
    ],
)
def test_of_other_kinds_any_column_is_possible(unknown: Route) -> None:
    assert event_columns("windows", unknown) is None
    assert event_columns("linux", unknown) is None
    assert event_columns(None, unknown) is None


@pytest.mark.reference
def test_real_events_have_documented_columns_only(reference: Path) -> None:
    definitions = load_definitions()
    folders = [reference / "otrf", reference / "evtx" / "sigma-regression"]
    source = FileSource(folders, lambda sample, label: recognise(sample, definitions, label), None, dead=lambda _: None)
    known = 0
    for batch in source.batches():
        if batch.source != "windows":
            continue
        events = definitions["windows"].reader.parse(batch.records["event.original"], None)
        for (channel, number), alike in events.group_by("Channel", pl.col("EventID").cast(pl.String)):
            columns = event_columns("windows", route(str(channel).lower(), str(number)))
            if columns is not None:
                known += alike.height
                there = {column.name for column in alike if column.null_count() < alike.height}
                assert there <= columns.union(EVENT), (channel, number, there - columns)
    assert known > 1_000
