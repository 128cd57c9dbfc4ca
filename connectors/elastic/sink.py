"""Writing findings and matches to Elasticsearch, each once.

The server decides: `create` under the name a document has for ever answers 201 the first time and 409 ever after.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson
import polars as pl
from elasticsearch import Elasticsearch

from connectors.elastic.client import reaching, words
from connectors.elastic.documents import MAX_DOCUMENT, Document, documents, requests
from detectors.contracts import Written
from detectors.errors import UnavailableError
from detectors.schema import FINDING, MATCH, SUPPRESSED

BUSY = {429, 502, 503, 504}  # the cluster's trouble: the same document may pass later
REFUSED = {400, 413}  # the document's own fault

# A fault with status 400 that isn't the document's: the cluster is full, or forbids the new month's index.
NOT_THE_DOCUMENT = {"validation_exception", "index_closed_exception", "cluster_block_exception"}


@dataclass(frozen=True, slots=True)
class Retry:
    """How long the sink itself tries before it leaves the waiting to its caller: 0.5 + 1 + 2 + 4 s by default."""

    attempts: int = 5
    first: float = 0.5
    longest: float = 8.0

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after that attempt, counted from 0."""
        return float(min(self.first * 2**attempt, self.longest))


class Dead(Protocol):
    """Where dead letters go: the Kafka topic in full mode."""

    def write(self, frame: pl.DataFrame) -> Written: ...

    def close(self) -> None: ...


class ElasticSink:
    """A Sink. Its user needs only `create_doc` and `auto_configure` on `soc-*`, so it can't change what stands there.

    Writing returns when every document is stored, known or refused, and raises UnavailableError when that can't be
    had for now; what was stored by then is known at the next attempt.
    """

    def __init__(self, client: Elasticsearch, dead: Dead, retry: Retry | None = None) -> None:
        self._client = client
        self._dead = dead
        self._retry = retry or Retry()

    def findings(self, frame: pl.DataFrame) -> Written:
        """Write FINDING rows. The month is the window's, which every run over the same events agrees on."""
        months = ("soc.window.start", "@timestamp")
        return self._write(frame.select(FINDING.names()), "soc-findings", "event.id", months)

    def matches(self, frame: pl.DataFrame) -> Written:
        """Write MATCH rows."""
        return self._write(frame.select(MATCH.names()), "soc-matches", "soc.match.id", ("@timestamp",))

    def suppressed(self, frame: pl.DataFrame) -> Written:
        """Write SUPPRESSED rows."""
        return self._write(frame.select(SUPPRESSED.names()), "soc-suppressed", "soc.suppressed.id", ("@timestamp",))

    def dead(self, frame: pl.DataFrame) -> Written:
        """Hand dead letters on."""
        return self._dead.write(frame)

    def close(self) -> None:
        """Close the client and the dead letters."""
        self._client.close()
        self._dead.close()

    def _write(self, frame: pl.DataFrame, alias: str, id_column: str, month: Sequence[str]) -> Written:
        ingested = {"event.ingested": datetime.now(UTC)}
        total = Written()
        for request in requests(documents(frame, alias=alias, id_column=id_column, month=month, added=ingested)):
            total = add(total, self._store(request))
        return total

    def _store(self, request: Sequence[Document]) -> Written:
        """Send one request until every document has its answer; only those without one are sent again."""
        total, left = measured(request)
        for attempt in range(self._retry.attempts):
            try:
                done, left = self._send(left)
                total = add(total, done)
                fault = UnavailableError(f"Elasticsearch is too busy for {len(left)} documents", fix="give it time")
            except UnavailableError as error:
                fault = error
            if not left:
                return total
            if attempt + 1 < self._retry.attempts:
                time.sleep(self._retry.pause(attempt))
        raise fault

    def _send(self, request: Sequence[Document]) -> tuple[Written, list[Document]]:
        with reaching("store documents"):
            answer = self._client.bulk(
                operations=operations(request), filter_path="items.create.status,items.create.error"
            )
        return sort(request, [item["create"] for item in answer.get("items", [])])


def measured(request: Sequence[Document]) -> tuple[Written, list[Document]]:
    """Refuse the documents that are too large to send."""
    fit = [document for document in request if document.size <= MAX_DOCUMENT]
    refused = tuple(
        (document.id, f"the document has {document.size:,} bytes, more than {MAX_DOCUMENT:,}")
        for document in request
        if document.size > MAX_DOCUMENT
    )
    return Written(refused=refused), fit


def operations(request: Sequence[Document]) -> list[Any]:
    """Return the lines of a bulk request: an action before each document.

    The client sends bytes as they are, although its types know mappings only.
    """
    lines: list[bytes] = []
    for document in request:
        lines += [orjson.dumps({"create": {"_index": document.index, "_id": document.id}}), document.source]
    return lines


def sort(request: Sequence[Document], answers: Iterable[dict[str, Any]]) -> tuple[Written, list[Document]]:
    """Sort documents by their answers into what is done and what to send again; raise for what nobody can send."""
    created = known = 0
    refused: list[tuple[str, str]] = []
    again: list[Document] = []
    for document, answer in zip(request, answers, strict=True):
        status, error = answer["status"], answer.get("error", {})
        if status in {200, 201}:
            created += 1
        elif status == 409:
            known += 1
        elif status in BUSY:
            again.append(document)
        elif status in REFUSED and error.get("type") not in NOT_THE_DOCUMENT:
            refused.append((document.id, words(error)))
        else:
            raise UnavailableError(
                f"Elasticsearch doesn't store into {document.index}: HTTP {status} {words(error)}",
                fix="check the writer's role, the disk space and the number of shards",
            )
    return Written(created, known, tuple(refused)), again


def add(one: Written, other: Written) -> Written:
    """Sum two outcomes."""
    return replace(
        one,
        created=one.created + other.created,
        known=one.known + other.known,
        refused=one.refused + other.refused,
    )
