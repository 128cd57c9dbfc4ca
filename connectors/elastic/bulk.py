"""Creating documents, each once, in requests of bounded size, again and again while the cluster is busy."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from elasticsearch import Elasticsearch

from connectors.elastic.client import reaching, words
from connectors.elastic.documents import MAX_DOCUMENT, Document, requests
from detectors.contracts import Written
from detectors.errors import UnavailableError

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


class Bulk:
    """Writes documents until each is stored, known or refused; raises UnavailableError where that can't be had."""

    def __init__(self, client: Elasticsearch, retry: Retry | None = None) -> None:
        self._client, self._retry = client, retry or Retry()

    def write(self, documents: Iterable[Document]) -> Written:
        """Create documents under the names they have for ever; those that stand there are known."""
        total = Written()
        for request in requests(documents):
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
