"""A chart as Kibana's Lens keeps it: columns that group and count, and a picture of them.

The shapes are those that every Kibana 9 reads; what it silently draws wrong (an order by a column that isn't there, a
count without a source) can't be written here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dashboards.kql import both, kql
from dashboards.panels import Chart, Curve, Donut, Heatmap, Metric, Table
from dashboards.terms import Group, Lang, Value
from detectors.errors import UsageError

Json = dict[str, Any]
Types = Mapping[str, str]  # field → type in Elasticsearch

LAYER: Final = "layer"
RECORDS: Final = "___records___"
NUMBERS: Final = {"long", "integer", "double", "float", "short", "scaled_float", "unsigned_long"}
OPERATIONS: Final = {"unique": "unique_count", "last": "last_value"}
TITLES: Final = {
    "unique": "Unique",
    "max": "Maximum",
    "min": "Minimum",
    "sum": "Sum",
    "average": "Average",
    "last": "Last",
}
SERIES: Final = {"bar": "bar_stacked", "line": "line", "area": "area_stacked", "ranking": "bar_horizontal"}
SORTABLE: Final = {"count", "max", "min", "sum", "average", "unique"}


def attributes(panel: Chart, view: str, *, time: str, types: Types, where: str, lang: Lang) -> Json:
    """Return what a Lens panel is; `view` is the id of its data view, `where` what holds for the whole board."""
    columns = _columns(panel, time, types, lang)
    layer = {"columnOrder": list(columns), "columns": columns, "incompleteColumns": {}, "sampling": 1}
    if not panel.filters:
        layer["ignoreGlobalFilters"] = True
    return {
        "title": panel.named(lang),
        "type": "lens",
        "visualizationType": VISUALIZATIONS[panel.kind],  # type: ignore[attr-defined]
        "references": [{"name": f"indexpattern-datasource-layer-{LAYER}", "type": "index-pattern", "id": view}],
        "state": {
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}, "textBased": {"layers": {}}},
            "visualization": _visualization(panel),
            "query": {"language": "kuery", "query": both(where, kql(panel.where))},
            "filters": [],
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def _columns(panel: Chart, time: str, types: Types, lang: Lang) -> dict[str, Json]:
    """Return the columns by their ids, groups before numbers, the outermost group first."""
    order = next((f"v{place}" for place, value in enumerate(panel.numbers) if value.operation in SORTABLE), None)
    columns: dict[str, Json] = {}
    for place, group in enumerate(panel.groups):
        kind = _kind(group.by, types)
        columns[f"g{place}"] = _dates(group, lang) if group.by == time else _terms(group, kind, order, lang)
    for place, value in enumerate(panel.numbers):
        columns |= _value(f"v{place}", value, time, types, lang)
    return columns


def _kind(field: str, types: Types) -> str:
    """Return what Lens calls the type of a field."""
    if field not in types:
        raise UsageError(f"no index has the field {field}", fix="see dashboards/templates.yml for those there are")
    kind = types[field]
    if kind in {"text", "object", "binary"}:
        raise UsageError(f"{field} is of the type {kind}, which can't be grouped or counted", fix="choose a keyword")
    return {"keyword": "string", "constant_keyword": "string"}.get(kind, "number" if kind in NUMBERS else kind)


def _terms(group: Group, kind: str, order: str | None, lang: Lang) -> Json:
    alphabetical = order is None or group.order == "name"
    by = {"type": "alphabetical", "fallback": False} if alphabetical else {"type": "column", "columnId": order}
    params: Json = {
        "size": group.size, "orderBy": by, "orderDirection": "asc" if alphabetical else "desc", "otherBucket": False,
        "missingBucket": False, "parentFormat": {"id": "terms"}, "include": [], "exclude": [],
        "includeIsRegex": False, "excludeIsRegex": False,
    }  # fmt: skip
    return _column(group.named(lang), kind, "terms", group.by, params) | _scaled(kind)


def _dates(group: Group, lang: Lang) -> Json:
    params = {"interval": group.every, "includeEmptyRows": True, "dropPartials": False}
    return _column(group.named(lang), "date", "date_histogram", group.by, params) | _scaled("date")


def _value(name: str, value: Value, time: str, types: Types, lang: Lang) -> dict[str, Json]:
    label, where = value.named(lang), kql(value.where)
    if value.share is not None:
        return _share(name, label, both(where, kql(value.share)), where)
    if value.field is None:
        return {name: _filtered(_column(label, "number", "count", RECORDS, {"emptyAsNull": False}), where)}
    kind, operation = _kind(value.field, types), OPERATIONS.get(value.operation, value.operation)
    params: Json = {"emptyAsNull": operation == "sum"}
    if operation == "last_value":
        # findings have lists of hosts and users: Kibana refuses to show the last of them unless it is told so
        params, where = {"sortField": time, "showArrayValues": True}, both(f"{value.field}: *", where)
    elif operation != "unique_count" and kind not in {"number", "date"}:
        raise UsageError(f"{value.field} is no number, so it has no {value.operation}", fix="use `last` or `unique`")
    kind = "number" if operation in {"unique_count", "sum", "average"} else kind
    title = label if value.label else f"{TITLES[value.operation]} of {value.field}"
    return {name: _filtered(_column(title, kind, operation, value.field, params), where)}


def _share(name: str, label: str, part: str, whole: str) -> dict[str, Json]:
    """Return the columns of a formula as Lens writes them down: the formula, its two counts, and their division."""
    text = formula(part, whole)
    aside = f"Part of {label}"
    counts = {
        f"{name}X{place}": _filtered(_column(aside, "number", "count", RECORDS, {"emptyAsNull": False}), where)
        for place, where in enumerate((part, whole))
    }
    tree = {
        "type": "function", "name": "divide", "args": list(counts), "text": text,
        "location": {"min": 0, "max": len(text)},
    }  # fmt: skip
    math = _column(aside, "number", "math", None, {"tinymathAst": tree}) | {"references": list(counts)}
    percent = {"id": "percent", "params": {"decimals": 1}}
    params = {"formula": text, "isFormulaBroken": False, "format": percent}
    whole_column = _column(label, "number", "formula", None, params) | {"references": [f"{name}X2"]}
    return {name: whole_column, **counts, f"{name}X2": math}


def formula(part: str, whole: str) -> str:
    """Return the share of the documents of one query among those of another in the words of Lens."""
    return f"count(kql={_literal(part)}) / count({f'kql={_literal(whole)}' if whole else ''})"


def _literal(query: str) -> str:
    """Return a query as a string of a formula."""
    return "'" + query.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _column(label: str, kind: str, operation: str, field: str | None, params: Json) -> Json:
    column = {
        "label": label, "customLabel": True, "dataType": kind, "operationType": operation, "isBucketed": False,
        "scale": "ratio", "params": params,
    }  # fmt: skip
    return column if field is None else {**column, "sourceField": field}


def _scaled(kind: str) -> Json:
    return {"isBucketed": True, "scale": "interval" if kind in {"number", "date"} else "ordinal"}


def _filtered(column: Json, where: str) -> Json:
    return {**column, "filter": {"language": "kuery", "query": where}} if where else column


def _visualization(panel: Chart) -> Json:
    here = {"layerId": LAYER, "layerType": "data"}
    if isinstance(panel, Metric):
        return {**here, "metricAccessor": "v0"}
    if isinstance(panel, Donut):
        shown = {
            "numberDisplay": "value",
            "categoryDisplay": "default",
            "legendDisplay": "default",
            "nestedLegend": False,
        }
        return {"shape": "donut", "layers": [{**here, "primaryGroups": ["g0"], "metrics": ["v0"], **shown}]}
    if isinstance(panel, Heatmap):
        return _heatmap(here)
    if isinstance(panel, Table):
        names = [*_ids("g", panel.groups), *_ids("v", panel.numbers)]
        columns = [{"columnId": name, "isTransposed": False} for name in names]
        sorting = {"columnId": "v0", "direction": "desc"}
        return {**here, "columns": columns, "sorting": sorting, "paging": {"enabled": True, "size": 10}}
    assert isinstance(panel, Curve)  # noqa: S101 - there are no others
    return _curve(panel, here)


def _ids(letter: str, things: Sequence[object]) -> list[str]:
    return [f"{letter}{place}" for place in range(len(things))]


def _heatmap(here: Json) -> Json:
    grid = {
        "type": "heatmap_grid", "isCellLabelVisible": True, "isXAxisLabelVisible": True, "isXAxisTitleVisible": False,
        "isYAxisLabelVisible": True, "isYAxisTitleVisible": False,
    }  # fmt: skip
    legend = {"type": "heatmap_legend", "isVisible": True, "position": "right"}
    accessors = {"xAccessor": "g1", "yAccessor": "g0", "valueAccessor": "v0"}
    return {"shape": "heatmap", **here, **accessors, "legend": legend, "gridConfig": grid}


def _curve(panel: Curve, here: Json) -> Json:
    series, shown = SERIES[panel.kind], {"x": True, "yLeft": True, "yRight": True}
    x = "g1" if panel.split else "g0"
    layer = {**here, "seriesType": series, "xAccessor": x, "accessors": _ids("v", panel.values)}
    if panel.split:
        layer["splitAccessor"] = "g0"
    return {
        "preferredSeriesType": series, "valueLabels": "hide", "fittingFunction": "None",
        "legend": {"isVisible": bool(panel.split) or len(panel.values) > 1, "position": "right"},
        "axisTitlesVisibilitySettings": {"x": False, "yLeft": True, "yRight": True},
        "tickLabelsVisibilitySettings": shown, "gridlinesVisibilitySettings": shown,
        "labelsOrientation": {"x": 0, "yLeft": 0, "yRight": 0}, "layers": [layer],
    }  # fmt: skip


VISUALIZATIONS: Final = {
    "metric": "lnsMetric", "bar": "lnsXY", "line": "lnsXY", "area": "lnsXY", "ranking": "lnsXY", "donut": "lnsPie",
    "heatmap": "lnsHeatmap", "table": "lnsDatatable",
}  # fmt: skip
