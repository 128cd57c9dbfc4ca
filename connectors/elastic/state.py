"""Small documents that several workers change at once: each change is refused if another came in between."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from elasticsearch import ConflictError, Elasticsearch

from connectors.elastic.client import reaching
from connectors.nested import nest
from detectors.errors import UnavailableError
from detectors.identity import digest

INDEX: Final = "soc-memory-state"
PAGE: Final = 1_000
TRIES: Final = 50  # so often in a row nobody loses a race

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A document as it stands, and the version that Elasticsearch gives it."""

    document: Mapping[str, Any]  # by dotted names
    number: int
    term: int


class State:
    """Documents of some kinds, each under a key."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client

    def all(self, kind: str) -> dict[Key, Kept]:
        """Return all documents of a kind, by their keys."""
        found: dict[Key, Kept] = {}
        after: list[Any] | None = None
        with reaching("read what correlations remember"):
            self._client.indices.refresh(index=INDEX, ignore_unavailable=True)
            while True:
                answer = self._client.search(
                    index=INDEX,
                    ignore_unavailable=True,
                    query={"term": {"soc.kind": kind}},
                    sort=[{"soc.key": "asc"}],
                    size=PAGE,
                    search_after=after,
                    seq_no_primary_term=True,
                )
                hits = answer["hits"]["hits"]
                for hit in hits:
                    found[tuple(orjson.loads(hit["_source"]["soc"]["key"]))] = _kept(hit)
                if len(hits) < PAGE:
                    return found
                after = hits[-1]["sort"]

    def change(
        self, kind: str, keys: Collection[Key], made: Callable[[Key, Kept | None], Mapping[str, Any] | None]
    ) -> None:
        """Put what is made of each document in its place; None leaves it as it is."""
        left = list(keys)
        for _ in range(TRIES):
            if not left:
                return
            known = self._read(kind, left)
            left = [key for key in left if not self._swap(kind, key, known.get(key), made(key, known.get(key)))]
        raise UnavailableError("Elasticsearch can't keep what correlations remember: others change it all the time",
                               fix="run fewer workers")  # fmt: skip

    def _read(self, kind: str, keys: Collection[Key]) -> dict[Key, Kept]:
        with reaching("read what correlations remember"):
            answer = self._client.mget(index=INDEX, ids=[_name(kind, key) for key in keys])
        return {key: _kept(each) for key, each in zip(keys, answer["docs"], strict=True) if each.get("found")}

    def _swap(self, kind: str, key: Key, seen: Kept | None, document: Mapping[str, Any] | None) -> bool:
        if document is None:
            return True
        body = nest({**document, "soc.kind": kind, "soc.key": orjson.dumps(key).decode()})
        order: dict[str, Any] = {"op_type": "create"}
        if seen is not None:
            order = {"if_seq_no": seen.number, "if_primary_term": seen.term}
        with reaching("keep what correlations remember"):
            try:
                self._client.index(index=INDEX, id=_name(kind, key), document=body, **order)
            except ConflictError:
                return False
        return True


def _name(kind: str, key: Key) -> str:
    return digest((kind, *key))


def _kept(hit: Mapping[str, Any]) -> Kept:
    fields = {f"soc.{name}": value for name, value in hit["_source"]["soc"].items()}
    return Kept(fields, hit["_seq_no"], hit["_primary_term"])
