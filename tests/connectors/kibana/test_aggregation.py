from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kibana import aggregation
from dashboards import savedobjects
from detectors.errors import UsageError

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
VIEW = {"timeFieldName": "@timestamp", "runtimeFieldMap": "{}"}


@pytest.fixture(scope="module")
def panels() -> list[dict[str, Any]]:
    boards = [each["attributes"] for each in savedobjects.build() if each["type"] == "dashboard"]
    found = [panel for board in boards for panel in json.loads(board["panelsJSON"]) if panel["type"] == "lens"]
    return [panel["embeddableConfig"]["attributes"] for panel in found]


def test_where_no_index_is_panels_show_nothing(panels: list[dict[str, Any]]) -> None:
    empty = {"hits": {"total": {"value": 0}}}
    for lens in panels:
        rows = aggregation.rows(lens, empty)
        grouped = any(column["isBucketed"] for column in aggregation.layer(lens)["columns"].values())
        assert rows == [] if grouped else [not value for row in rows for value in row.values()] == [True]


@pytest.mark.parametrize(
    ("hours", "stretch"), [(1, "1m"), (24, "30m"), (72, "1h"), (168, "3h"), (720, "12h"), (24 * 3650, "30d")]
)
def test_time_is_cut_into_no_more_pieces_than_fit(hours: int, stretch: str) -> None:
    assert aggregation.stretch(timedelta(hours=hours)) == stretch


def test_an_operation_that_is_not_known_is_named(panels: list[dict[str, Any]]) -> None:
    lens = json.loads(json.dumps(panels[0]))
    aggregation.layer(lens)["columns"]["v0"]["operationType"] = "percentile"
    with pytest.raises(UsageError, match="the operation percentile is not known here"):
        aggregation.search(lens, VIEW, since=SINCE, until=SINCE, zone="UTC")
