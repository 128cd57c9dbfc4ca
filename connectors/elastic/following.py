"""Findings of Elasticsearch, copied to the embedded store: triage then asks one place, whichever mode it is.

A finding never changes, so a copy is as good as the original, and each is fetched once. What came is asked for by its
arrival; as a document may become visible some time after it says that it arrived, each look begins a while before the
last one ended. The user needs `read` on `soc-findings*`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import orjson
import polars as pl
from elasticsearch import Elasticsearch

from connectors.elastic.client import reaching
from connectors.elastic.findings import IDS, flat, pages, value_of
from connectors.store import Store
from connectors.store_rows import EPOCH, micros, stored
from detectors.schema import COVERAGE, MATCH

FINDINGS: Final = "soc-findings"
COVERED: Final = "soc-coverage"
MATCHED: Final = "soc-matches"
MATCHES: Final = 1_000  # of a finding that are copied
ARRIVED: Final = "event.ingested"
OVERLAP: Final = timedelta(hours=1)
ROWS: Final = 1_000
TOGETHER: Final = 200  # documents fetched at once; each may have megabytes of evidence

_NEWS: Final = "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM findings)"
_SEEN: Final = """
INSERT INTO followed VALUES (?, ?) ON CONFLICT DO UPDATE SET until = max(until, excluded.until)
"""


def follow(client: Elasticsearch, store: Store, since: datetime) -> int:
    """Copy the findings that came since the last look, or at the first since a time; return how many were new."""
    hits = arrivals(client, store, FINDINGS, since, source=False)
    new = 0
    while some := list(islice(hits, IDS)):
        places = {hit["sort"][1]: hit["_index"] for hit in some}  # by `event.id`, which is their name
        unknown = [name for (name,) in store.query(_NEWS, (orjson.dumps([*places]).decode(),))]
        for begin in range(0, len(unknown), TOGETHER):
            new += _copied(client, store, {name: places[name] for name in unknown[begin : begin + TOGETHER]})
        seen(store, FINDINGS, some)
    return new


def follow_coverage(client: Elasticsearch, store: Store, since: datetime) -> int:
    """Copy the ledger likewise; return how many rows were new. The user needs `read` on `soc-coverage*`."""
    hits = arrivals(client, store, COVERED, since)
    new = 0
    while some := list(islice(hits, ROWS)):
        rows = [{name: value_of(hit["_source"], name) for name in COVERAGE} for hit in some]
        frame = pl.DataFrame(rows, schema={**COVERAGE, "@timestamp": pl.String}, orient="row")
        times = pl.col("@timestamp").str.to_datetime("%+", time_unit="us", time_zone="UTC")
        new += store.cover(frame.with_columns(times)).created
        seen(store, COVERED, some)
    return new


def fetch_matches(client: Elasticsearch, store: Store, finding: str, most: int = MATCHES) -> int:
    """Copy the matches under a finding, the oldest so many of them; return how many were new.

    They are fetched when somebody looks: of a flood there are more than any store should hold. The user needs `read`
    on `soc-matches*`.
    """
    query = {"term": {"soc.finding.id": finding}}
    order = [{"@timestamp": "asc"}, {"soc.match.id": "asc"}]
    hits = islice(pages(client, MATCHED, query, order, f"read {MATCHED}"), most)
    rows = [{name: value_of(hit["_source"], name) for name in MATCH} for hit in hits]
    frame = pl.DataFrame(rows, schema={**MATCH, "@timestamp": pl.String}, orient="row")
    times = pl.col("@timestamp").str.to_datetime("%+", time_unit="us", time_zone="UTC")
    return store.matches(frame.with_columns(times)).created


def arrivals(
    client: Elasticsearch, store: Store, alias: str, since: datetime, *, source: bool = True
) -> Iterator[Mapping[str, Any]]:
    """Yield the documents that came since the last look, in order of arrival, some of them again."""
    begin = max(_until(store, alias) - OVERLAP, since)
    query = {"range": {ARRIVED: {"gte": begin.isoformat()}}}
    return pages(client, alias, query, [{ARRIVED: "asc"}, {"event.id": "asc"}], f"read {alias}", source=source)


def seen(store: Store, alias: str, hits: Sequence[Mapping[str, Any]]) -> None:
    """Note how far the documents were copied."""
    arrived = EPOCH + timedelta(milliseconds=hits[-1]["sort"][0])
    with store.transaction() as db:
        db.execute(_SEEN, (alias, micros(arrived)))


def _until(store: Store, alias: str) -> datetime:
    rows = store.query("SELECT until FROM followed WHERE what = ?", (alias,))
    return EPOCH + timedelta(microseconds=rows[0][0]) if rows else EPOCH + OVERLAP


def _copied(client: Elasticsearch, store: Store, places: Mapping[str, str]) -> int:
    if not places:
        return 0
    orders = [{"_index": index, "_id": name} for name, index in places.items()]
    with reaching("fetch findings"):
        answer = client.mget(docs=orders)
    texts = [orjson.dumps(flat(each["_source"])).decode() for each in answer["docs"] if each.get("found")]
    return store.findings(stored(texts)).created
