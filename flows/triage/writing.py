"""What was reckoned of findings, as documents of Elasticsearch."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from connectors.elastic.bulk import Bulk
from connectors.elastic.client import connect
from connectors.elastic.documents import documents
from flows import running
from flows.settings import Settings


def write(settings: Settings, frame: pl.DataFrame, alias: str) -> None:
    """Write a document per row, named by its `event.id`, into the monthly indices behind an alias."""
    client = connect(running.cluster(settings))
    try:
        Bulk(client).write(
            documents(
                frame,
                alias=alias,
                id_column="event.id",
                month=("@timestamp",),
                added={"event.ingested": datetime.now(UTC)},
            )
        )
    finally:
        client.close()
