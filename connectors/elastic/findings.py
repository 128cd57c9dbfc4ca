"""Documents read back from Elasticsearch, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
import polars as pl
from elasticsearch import Elasticsearch, NotFoundError

from connectors.elastic.client import reaching
from connectors.nested import JSON
from detectors.schema import FINDING

PAGE: Final = 1_000
IDS: Final = 10_000  # of documents without what they hold; the most that Elasticsearch gives at once


def pages(
    client: Elasticsearch,
    index: str,
    query: Mapping[str, Any],
    sort: list[dict[str, str]],
    what: str,
    *,
    source: bool = True,
) -> Iterator[Mapping[str, Any]]:
    """Yield every hit, none where there is no such index; the sort must tell any two documents apart.

    Without `source` a hit has its index and what it is sorted by, and no id.

    The index has a whole name: of a pattern, Elasticsearch leaves out silently what the user may not read.
    """
    after: list[Any] | None = None
    size, stored = (PAGE, None) if source else (IDS, "_none_")  # else each document is unpacked for its id
    while True:
        with reaching(what):
            try:
                answer = client.search(
                    index=index,
                    query=query,
                    sort=sort,
                    size=size,
                    search_after=after,
                    source=source,
                    stored_fields=stored,
                )
            except NotFoundError:
                return
        hits = answer["hits"]["hits"]
        yield from hits
        if len(hits) < size:
            return
        after = hits[-1]["sort"]


def flat(document: Mapping[str, Any]) -> dict[str, object]:
    """Return a document as a row of FINDING: dotted names, lists where the schema has them, evidence as text."""
    row: dict[str, object] = {}
    for name, kind in FINDING.items():
        value = value_of(document, name)
        if name in JSON and value is not None and not isinstance(value, str):
            value = orjson.dumps(value).decode()
        if isinstance(kind, pl.List) and value is not None and not isinstance(value, list):
            value = [value]
        row[name] = value
    return row


def value_of(document: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what stands under a dotted name, however it is nested: `{"a": {"b": 1}}` and `{"a.b": 1}`."""
    if name in document:
        return document[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = document.get(head)
        if isinstance(inner, Mapping) and (found := value_of(inner, rest)) is not None:
            return found
        more, _, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None
