"""Writing findings and matches to Elasticsearch, each once.

The server decides: `create` under the name a document has for ever answers 201 the first time and 409 ever after.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import polars as pl
from elasticsearch import Elasticsearch

from connectors.elastic.bulk import Bulk, Retry
from connectors.elastic.documents import documents
from detectors.contracts import Written
from detectors.schema import COVERAGE, FINDING, MATCH, SUPPRESSED


class Dead(Protocol):
    """Where dead letters go: the Kafka topic in full mode."""

    def write(self, frame: pl.DataFrame) -> Written: ...

    def close(self) -> None: ...


class ElasticSink:
    """A Sink. Its user needs only `create_doc` and `auto_configure` on `soc-*`, so it can't change what stands there.

    Writing returns when every document is stored, known or refused, and raises UnavailableError when that can't be
    had for now; what was stored by then is known at the next attempt.
    """

    def __init__(
        self, client: Elasticsearch, dead: Dead, retry: Retry | None = None, matches: int | None = None
    ) -> None:
        """Write with a client; `matches` is how many of one finding and batch are written at most, None all of them."""
        self._client, self._bulk = client, Bulk(client, retry)
        self._dead, self._matches = dead, matches

    def findings(self, frame: pl.DataFrame) -> Written:
        """Write FINDING rows. The month is the window's, which every run over the same events agrees on."""
        months = ("soc.window.start", "@timestamp")
        return self._write(frame.select(FINDING.names()), "soc-findings", "event.id", months)

    def matches(self, frame: pl.DataFrame) -> Written:
        """Write MATCH rows; of those beyond the bound the archive has the events, and findings the number."""
        if self._matches is not None:
            frame = frame.filter(pl.int_range(pl.len()).over("soc.finding.id") < self._matches)
        return self._write(frame.select(MATCH.names()), "soc-matches", "soc.match.id", ("@timestamp",))

    def suppressed(self, frame: pl.DataFrame) -> Written:
        """Write SUPPRESSED rows."""
        return self._write(frame.select(SUPPRESSED.names()), "soc-suppressed", "soc.suppressed.id", ("@timestamp",))

    def cover(self, frame: pl.DataFrame) -> Written:
        """Write COVERAGE rows."""
        return self._write(frame.select(COVERAGE.names()), "soc-coverage", "event.id", ("@timestamp",))

    def dead(self, frame: pl.DataFrame) -> Written:
        """Hand dead letters on."""
        return self._dead.write(frame)

    def close(self) -> None:
        """Close the client and the dead letters."""
        self._client.close()
        self._dead.close()

    def _write(self, frame: pl.DataFrame, alias: str, id_column: str, month: Sequence[str]) -> Written:
        ingested = {"event.ingested": datetime.now(UTC)}
        return self._bulk.write(documents(frame, alias=alias, id_column=id_column, month=month, added=ingested))
