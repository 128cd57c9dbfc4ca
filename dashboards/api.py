"""A dashboard as the body of Kibana's dashboards API (`PUT /api/dashboards/{id}`): for Kibana 9.5 and newer.

Saved objects are what every Kibana 9 takes; this is the form that its makers promise to keep. The API takes no panels
of links, so these are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from dashboards.board import Made, placed
from dashboards.definitions import Board
from dashboards.kql import both, kql
from dashboards.lens import OPERATIONS, SERIES, SORTABLE, formula
from dashboards.panels import AnyPanel, Chart, Curve, Donut, Heatmap, Links, Markdown, Metric, Search
from dashboards.panels import Table as Rows
from dashboards.terms import Group, Value

Json = dict[str, Any]
KEPT: Final = {"use_filters": True, "use_time_range": True, "open_in_new_tab": False}


def body(board: Board, made: Made) -> Json:
    """Return what to send for a dashboard."""
    main = next((panel.view for panel in board.panels if isinstance(panel, Chart)), None)
    panels = [
        {"id": f"p{number:02d}", "grid": place, **_panel(panel, board, main, made)}
        for number, (panel, place) in enumerate(placed([each for each in board.panels if not isinstance(each, Links)]))
    ]
    return {
        "title": board.named(made.lang),
        "description": board.description,
        "tags": [made.id(f"tag-{name}") for name in board.tags],
        "time_range": {"from": f"now-{board.hours}h", "to": "now"},
        "refresh_interval": {"pause": board.refresh == 0, "value": board.refresh * 1000 or 60_000},
        "query": {"language": "kql", "expression": ""},
        "options": {"use_margins": True, "sync_colors": True, "sync_cursor": True, "sync_tooltips": False},
        "pinned_panels": [
            {
                "type": "options_list_control",
                "config": {
                    "data_view_id": made.id(f"view-{control.view}"),
                    "field_name": control.field,
                    "title": control.named(made.lang),
                },
            }
            for control in board.controls
        ],
        "panels": panels,
    }


def _panel(panel: AnyPanel, board: Board, main: str | None, made: Made) -> Json:
    title = panel.named(made.lang)
    if isinstance(panel, Markdown):
        content = f"{panel.vietnamese.strip()}\n\n---\n\n{panel.english.strip()}"
        return {"type": "markdown", "config": {"title": title, "hide_title": True, "content": content}}
    if isinstance(panel, Search):
        return {"type": "discover_session", "config": {"title": title, "ref_id": made.id(f"search-{panel.search}")}}
    assert isinstance(panel, Chart)  # noqa: S101 - links are left out before
    where = both(kql(board.where) if panel.view == main else "", kql(panel.where))
    config = {"title": title, **_chart(panel, made), "query": {"language": "kql", "expression": where}}
    if panel.open:
        label = f"→ {made.titles[panel.open]}"
        leads = {"type": "dashboard_drilldown", "dashboard_id": made.id(panel.open), "trigger": "on_apply_filter"}
        config["drilldowns"] = [{**leads, "label": label, **KEPT}]
    return {"type": "vis", "config": config}


def _chart(panel: Chart, made: Made) -> Json:
    source = {"type": "data_view_reference", "ref_id": made.id(f"view-{panel.view}")}
    time = made.view(panel.view).time
    numbers = [_value(value, time, made) for value in panel.numbers]
    groups = [_group(group, panel.numbers, time, made) for group in panel.groups]
    shown: Json = {"data_source": source} | ({} if panel.filters else {"ignore_global_filters": True})
    if isinstance(panel, Metric):
        return {"type": "metric", **shown, "metrics": [{"type": "primary", **numbers[0]}]}
    if isinstance(panel, Donut):
        return {"type": "pie", **shown, "donut_hole": "m", "group_by": groups, "metrics": numbers}
    if isinstance(panel, Heatmap):
        y, x = groups
        return {"type": "heatmap", **shown, "x": x, "y": y, "metric": numbers[0]}
    if isinstance(panel, Rows):
        order = {"column_type": "metric", "index": 0, "direction": "desc"}
        return {"type": "data_table", **shown, "rows": groups, "metrics": numbers, "sort_by": order, "paging": 10}
    assert isinstance(panel, Curve)  # noqa: S101 - there are no others
    layer = {"type": SERIES[panel.kind], **shown, "x": groups[-1], "y": numbers}
    return {"type": "xy", "layers": [layer | ({"breakdown_by": groups[0]} if panel.split else {})]}


def _group(group: Group, numbers: Sequence[Value], time: str, made: Made) -> Json:
    label = group.named(made.lang)
    if group.by == time:
        every = {"suggested_interval": group.every, "include_empty_rows": True}
        return {"operation": "date_histogram", "field": time, "label": label, **every}
    order = next((place for place, value in enumerate(numbers) if value.operation in SORTABLE), None)
    rank: Json = {"type": "metric", "metric_index": order, "direction": "desc"}
    if order is None or group.order == "name":
        rank = {"type": "alphabetical", "direction": "asc"}
    return {"operation": "terms", "fields": [group.by], "label": label, "limit": group.size, "rank_by": rank}


def _value(value: Value, time: str, made: Made) -> Json:
    label, where = value.named(made.lang), kql(value.where)
    if value.share is not None:
        percent = {"type": "percent", "decimals": 1}
        return {"operation": "formula", "formula": formula(both(where, kql(value.share)), where), "label": label,
                "format": percent}  # fmt: skip
    found: Json = {"operation": OPERATIONS.get(value.operation, value.operation), "label": label}
    if value.field:
        found["field"] = value.field
    if value.operation == "last":
        found |= {"time_field": time, "multi_value": True}
    return found | ({"filter": {"language": "kql", "expression": where}} if where else {})
