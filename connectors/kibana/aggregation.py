"""A Lens panel as the aggregation that it stands for, and the answer as the rows that the panel shows.

Columns that group become nested `terms` and `date_histogram` aggregations, the others metrics within, as Kibana's own
expressions (esaggs) do for the operations our dashboards use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from connectors.kibana.query import query
from detectors.errors import UsageError

Json = dict[str, Any]
Row = dict[str, Any]  # by the ids of columns
METRICS: Final = {"max": "max", "min": "min", "sum": "sum", "average": "avg", "unique_count": "cardinality"}
NOTHING: Final[Json] = {"buckets": [], "hits": []}  # where no index is, nothing is aggregated
BARS: Final = 100  # buckets at most where Kibana chooses the stretch
STRETCHES: Final = (
    *((f"{count}s", count) for count in (1, 5, 10, 30)),
    *((f"{count}m", count * 60) for count in (1, 5, 10, 30)),
    *((f"{count}h", count * 3600) for count in (1, 3, 12)),
    *((f"{count}d", count * 86400) for count in (1, 7, 30)),
)


def layer(lens: Json) -> Json:
    """Return the one layer of a panel."""
    (found,) = lens["state"]["datasourceStates"]["formBased"]["layers"].values()
    return dict(found)


def search(lens: Json, view: Json, *, since: datetime, until: datetime, zone: str, chosen: Json | None = None) -> Json:
    """Return the body of the search: `view` has what its data view is, `zone` is that of days.

    `chosen` is the query of what is chosen above the panels; a panel may pay no heed to it.
    """
    time = view["timeFieldName"]
    columns = layer(lens)["columns"]
    groups = [name for name in layer(lens)["columnOrder"] if columns[name]["isBucketed"]]
    within = {"range": {time: {"gte": since.isoformat(), "lt": until.isoformat()}}}
    heeded = [] if chosen is None or layer(lens).get("ignoreGlobalFilters") else [chosen]
    asked = {"bool": {"filter": [within, query(lens["state"]["query"]["query"]), *heeded]}}
    aggregations = _metrics(columns, groups)
    for name in reversed(groups):
        inner = aggregations | _order(columns, groups, columns[name])
        made = _group(columns, columns[name], until - since, zone)
        aggregations = {name: made | ({"aggs": inner} if inner else {})}
    body: Json = {"size": 0, "track_total_hits": True, "query": asked}
    runtime = json.loads(view["runtimeFieldMap"])
    return body | ({"aggs": aggregations} if aggregations else {}) | ({"runtime_mappings": runtime} if runtime else {})


def _group(columns: Json, column: Json, length: timedelta, zone: str) -> Json:
    params, field = column["params"], column["sourceField"]
    if column["operationType"] == "date_histogram":
        every = stretch(length) if params["interval"] == "auto" else params["interval"]
        steps = {"calendar_interval": every} if every == "1d" else {"fixed_interval": every}
        return {"date_histogram": {"field": field, **steps, "time_zone": zone, "min_doc_count": 0}}
    order = {_path(columns, params["orderBy"]): params["orderDirection"]}
    return {"terms": {"field": field, "size": params["size"], "order": order}}


def stretch(length: timedelta) -> str:
    """Return the shortest of Kibana's stretches that makes no more bars than fit."""
    wanted = length.total_seconds() / BARS
    return next((name for name, seconds in STRETCHES if seconds >= wanted), STRETCHES[-1][0])


def _path(columns: Json, order: Json) -> str:
    if order["type"] == "alphabetical":
        return "_key"
    column = columns[order["columnId"]]
    if column["operationType"] == "count":
        return f"{order['columnId']}._count" if "filter" in column else "_count"
    return f"{order['columnId']}>metric" if "filter" in column else str(order["columnId"])


def _order(columns: Json, groups: Sequence[str], column: Json) -> Json:
    """Return the metric that a group is ordered by."""
    order = column["params"].get("orderBy", {})
    return _metrics({order["columnId"]: columns[order["columnId"]]}, groups) if order.get("type") == "column" else {}


def _metrics(columns: Mapping[str, Json], groups: Sequence[str]) -> Json:
    found = {name: _metric(column) for name, column in columns.items() if name not in groups}
    return {name: made for name, made in found.items() if made is not None}


def _metric(column: Json) -> Json | None:
    """Return the aggregation of a number; None where it needs none: a plain count, and what is reckoned from others."""
    operation, where = column["operationType"], column.get("filter", {}).get("query", "")
    if operation in {"formula", "math"}:
        return None
    if operation == "count":
        return {"filter": query(where)} if where else None
    if operation == "last_value":
        newest = [{column["params"]["sortField"]: "desc"}]
        inner: Json = {
            "top_hits": {"size": 1, "_source": False, "sort": newest, "docvalue_fields": [column["sourceField"]]}
        }
    elif operation in METRICS:
        inner = {METRICS[operation]: {"field": column["sourceField"]}}
    else:
        raise UsageError(
            f"the operation {operation} is not known here", fix="see docs/dashboards.md for those there are"
        )
    return {"filter": query(where), "aggs": {"metric": inner}} if where else inner


def rows(lens: Json, answer: Json) -> list[Row]:
    """Return what a panel shows, in its order: groups and numbers by the ids of their columns."""
    columns = layer(lens)["columns"]
    groups = [name for name in layer(lens)["columnOrder"] if columns[name]["isBucketed"]]
    whole = {"doc_count": answer["hits"]["total"]["value"], **answer.get("aggregations", {})}
    return [{**keys, **_numbers(columns, bucket)} for keys, bucket in _buckets(groups, whole)]


def _buckets(groups: Sequence[str], bucket: Json) -> Iterator[tuple[Row, Json]]:
    if not groups:
        yield {}, bucket
        return
    for inner in bucket.get(groups[0], NOTHING)["buckets"]:
        key = inner.get("key_as_string", inner["key"])
        for keys, last in _buckets(groups[1:], inner):
            yield {groups[0]: key, **keys}, last


def _numbers(columns: Json, bucket: Json) -> Row:
    found: Row = {}
    for name, column in columns.items():
        if not column["isBucketed"] and column["operationType"] not in {"formula", "math"}:
            found[name] = _number(column, bucket.get(name, {}), bucket["doc_count"])
    for name, column in columns.items():
        if column["operationType"] == "formula":
            part, whole = found[f"{name}X0"], found[f"{name}X1"]
            found[name] = part / whole if whole else None
    return {name: found[name] for name in found if "X" not in name}


def _number(column: Json, answer: Json, documents: int) -> Any:  # noqa: ANN401 - what Elasticsearch has
    if column["operationType"] == "count":
        return answer.get("doc_count", 0) if "filter" in column else documents
    inner = answer.get("metric", {}) if "filter" in column else answer
    if column["operationType"] != "last_value":
        return inner.get("value_as_string", inner.get("value"))
    hits = inner.get("hits", NOTHING)["hits"]
    values = hits[0].get("fields", {}).get(column["sourceField"], []) if hits else []
    return values[0] if len(values) == 1 else values or None
