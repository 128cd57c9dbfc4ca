"""Matches of Elasticsearch that make no finding, put together there: a flood has more than anybody should read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl
from elasticsearch import Elasticsearch, NotFoundError

from connectors.elastic.client import reaching
from connectors.elastic.following import MATCHED
from detectors.schema import MUTED

PAGE: Final = 1_000  # groups asked for at once


def muted(client: Elasticsearch, since: datetime, until: datetime) -> pl.DataFrame:
    """Return MUTED; none where there is no such index. The user needs `read` on `soc-matches*`."""
    keys = ((each["key"], each["last"]["value"]) for each in _groups(client, since, until))
    rows = [(key["rule"], key["group"], int(last)) for key, last in keys]
    frame = pl.DataFrame(rows, schema={**MUTED, "@timestamp": pl.Int64}, orient="row")
    return frame.with_columns(pl.col("@timestamp") * 1000).cast(MUTED)


def _groups(client: Elasticsearch, since: datetime, until: datetime) -> Iterator[Mapping[str, Any]]:
    within = {"range": {"@timestamp": {"gte": since.isoformat(), "lt": until.isoformat()}}}
    by = [
        {"rule": {"terms": {"field": "rule.id"}}},
        {"group": {"terms": {"field": "soc.group"}}},
        {"day": {"date_histogram": {"field": "@timestamp", "calendar_interval": "day"}}},
    ]
    asked: dict[str, Any] = {"sources": by, "size": PAGE}
    while True:
        with reaching(f"read {MATCHED}"):
            try:
                answer = client.search(
                    index=MATCHED,
                    size=0,
                    query={"bool": {"filter": [{"exists": {"field": "soc.silenced"}}, within]}},
                    aggregations={
                        "muted": {"composite": asked, "aggregations": {"last": {"max": {"field": "@timestamp"}}}}
                    },
                )
            except NotFoundError:
                return
        found = answer["aggregations"]["muted"]
        yield from found["buckets"]
        if "after_key" not in found:
            return
        asked["after"] = found["after_key"]
