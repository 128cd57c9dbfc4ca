"""The memory of correlations in Elasticsearch, so that all workers know the same matches.

A block is a document that is created once, under a name made of what it holds, so keeping a batch again changes
nothing; that it was told is another document. What changes (how far time has come, what waits) stands in an index of
its own. Blocks are in the index of the month in which they came; a month that no correlation reaches may be deleted.

Blocks are written and made visible before anything is read, so of two workers who keep matches of the same window at
the same time one at least sees both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import polars as pl
from elasticsearch import Elasticsearch

from connectors.blocks import SLACK, Decoded, microseconds, pieces, unpacked
from connectors.elastic.bulk import Bulk, Retry
from connectors.elastic.client import reaching
from connectors.elastic.documents import Document, loads, month_of
from connectors.elastic.state import Kept, State
from connectors.nested import nest
from detectors.contracts import Block, Clock, Waiting
from detectors.errors import UnavailableError
from detectors.identity import digest

ALIAS: Final = "soc-memory"
MOST: Final = 8_000_000  # bytes of a block, which take a third more as text
PAGE: Final = 5_000  # blocks listed at once
FETCH: Final = 10_000_000  # bytes of blocks fetched at once
STRETCHES: Final = 64  # of time that are asked for at once; of more, all that lies between them is asked for


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a block stands."""

    block: str
    index: str
    id: str
    size: int
    first: int
    last: int
    told: bool  # else a block

    def touches(self, within: Sequence[tuple[int, int]] | None) -> bool:
        """Say whether it may hold matches of these times."""
        return within is None or any(self.first <= end and self.last >= begin for begin, end in within)


class ElasticMemory:
    """A Memory in Elasticsearch. `reach` is how far, in microseconds, any correlation looks back.

    Its user needs `create_doc`, `read` and `maintenance` on `soc-memory-*`, and `index` on `soc-memory-state`.
    """

    def __init__(
        self, client: Elasticsearch, reach: int, now: Callable[[], int] = microseconds, retry: Retry | None = None
    ) -> None:
        self._client, self._kept, self._now = client, reach + SLACK, now
        self._bulk, self._state = Bulk(client, retry), State(client)
        self._decoded = Decoded()
        self._parts: dict[str, tuple[str, ...]] = {}  # of blocks that were kept and not yet told
        self._newest: dict[Clock, int] = {}  # as far as this process knows
        # By rule and teller, from when to when: what others write after us needn't be seen, for they see what we wrote.
        self._lists: dict[tuple[str, str], tuple[tuple[int, int] | None, list[_Place]]] = {}

    def keep(self, blocks: Sequence[Block], waiting: Mapping[str, int]) -> None:
        self._lists.clear()
        self._write(self._block(block, content) for whole in blocks for block, content in self._cut(whole))
        with reaching("make matches visible"):
            self._client.indices.refresh(index=self._index())

        def earliest(key: tuple[str, ...], known: Kept | None) -> Mapping[str, Any]:
            return _waits(waiting[key[0]], known)

        self._state.change("waiting", [(name,) for name in waiting], earliest)

    def recall(
        self, rule: str, columns: Collection[str], within: Sequence[tuple[int, int]] | None, by: str
    ) -> pl.DataFrame:
        listed = [place for place in self._known(rule, within, by) if place.touches(within)]
        told = {place.block for place in listed if place.told}
        places = {place.block: place for place in listed if not place.told}
        frames = {name: frame for name in places if (frame := self._decoded.get(name, columns)) is not None}
        for place, content in self._fetched([place for name, place in places.items() if name not in frames]):
            frames[place.block] = self._decoded.put(place.block, columns, unpacked(content, columns))
        return Block.join([(frames[name], name in told) for name in places], columns)

    def told(self, blocks: Sequence[Block], by: str) -> None:
        self._write(self._told(block, part, by) for block in blocks for part in self._parts.pop(block.id, (block.id,)))

    def pass_time(self, newest: Mapping[Clock, int]) -> None:
        ahead = {clock: time for clock, time in newest.items() if time > self._newest.get(clock, time - 1)}
        self._newest |= ahead

        def later(key: tuple[str, ...], known: Kept | None) -> Mapping[str, Any] | None:
            time = ahead[key[0], key[1]]
            return {"soc.newest": time} if known is None or known.document["soc.newest"] < time else None

        self._state.change("clock", list(ahead), later)

    def times(self) -> dict[Clock, int]:
        return {(key[0], key[1]): kept.document["soc.newest"] for key, kept in self._state.all("clock").items()}

    def waiting(self) -> dict[str, Waiting]:
        self._lists.clear()
        return {key[0]: _waiting(kept) for key, kept in sorted(self._state.all("waiting").items())}

    def settle(self, correlation: str, seen: Waiting, until: int) -> None:
        def looked_at(_: tuple[str, ...], known: Kept | None) -> Mapping[str, Any]:
            if known is not None and _waiting(known) == seen:
                return {"soc.since": until, "soc.version": seen.version + 1}
            return _waits(seen.since, known)

        self._state.change("waiting", [(correlation,)], looked_at)

    def _cut(self, whole: Block) -> Iterator[tuple[Block, bytes]]:
        found = [*pieces(whole, MOST)]
        self._parts[whole.id] = tuple(block.id for block, _ in found)
        yield from found

    def _write(self, documents: Iterator[Document]) -> None:
        refused = self._bulk.write(documents).refused
        if refused:
            raise UnavailableError(
                f"Elasticsearch refuses what correlations remember: {refused[0][1]}", fix="run `soc setup`"
            )

    def _index(self) -> str:
        return f"{ALIAS}-{month(self._now())}"

    def _block(self, block: Block, content: bytes) -> Document:
        body = {**self._words("block", block, block.id), "soc.size": len(content)}
        body |= {
            "soc.first": block.matches["time"].min(),
            "soc.last": block.matches["time"].max(),
            "soc.matches": base64.b64encode(content).decode(),
        }
        return Document(self._index(), block.id, orjson.dumps(nest(body)))

    def _told(self, block: Block, part: str, by: str) -> Document:
        """Return that a part of a block was told; its times are those of the whole, which are at least as far apart."""
        body = {**self._words("told", block, part), "soc.by": by}
        body |= {"soc.first": block.matches["time"].min(), "soc.last": block.matches["time"].max()}
        return Document(self._index(), digest(("told", part, by)), orjson.dumps(nest(body)))

    def _words(self, kind: str, block: Block, part: str) -> dict[str, object]:
        return {"soc.kind": kind, "rule.id": block.rule, "soc.block": part, "soc.arrived": self._now()}

    def _known(self, rule: str, within: Sequence[tuple[int, int]] | None, by: str) -> list[_Place]:
        """Return what `_listed` does or more: what was listed since matches were kept, if that will do."""
        asked = None if within is None else (within[0][0], within[-1][1])
        known = self._lists.get((rule, by))
        if known is not None and (known[0] is None or (asked and known[0][0] <= asked[0] and asked[1] <= known[0][1])):
            return known[1]
        found = [*self._listed(rule, within, by)]
        if within is None or len(within) == 1:
            self._lists[rule, by] = asked, found
        return found

    def _listed(self, rule: str, within: Sequence[tuple[int, int]] | None, by: str) -> Iterator[_Place]:
        """Yield the blocks that may hold matches of a rule, and those that were told, in order of arrival."""
        wanted = [{"field": f"soc.{name}"} for name in ("block", "kind", "size", "first", "last")]
        after: list[Any] | None = None
        while True:
            with reaching("recall matches"):
                answer = self._client.search(
                    index=f"{ALIAS}-*",
                    query=_asked(rule, within, by, self._now() - self._kept),
                    sort=[{"soc.arrived": "asc"}, {"soc.block": "asc"}, {"soc.kind": "asc"}, {"soc.by": "asc"}],
                    search_after=after,
                    size=PAGE,
                    source=False,
                    docvalue_fields=wanted,
                )
            hits = answer["hits"]["hits"]
            for hit in hits:
                fields = {name: values[0] for name, values in hit["fields"].items()}
                times = fields["soc.first"], fields["soc.last"]
                told = fields["soc.kind"] == "told"
                yield _Place(fields["soc.block"], hit["_index"], hit["_id"], fields.get("soc.size", 0), *times, told)
            if len(hits) < PAGE:
                return
            after = hits[-1]["sort"]

    def _fetched(self, places: Sequence[_Place]) -> Iterator[tuple[_Place, bytes]]:
        """Yield what blocks hold, some of them at a time."""
        for some in loads(places, FETCH):
            orders = [{"_index": place.index, "_id": place.id, "_source": ["soc.matches"]} for place in some]
            with reaching("fetch matches"):
                answer = self._client.mget(docs=orders)
            for place, each in zip(some, answer["docs"], strict=True):
                if each.get("found"):
                    yield place, base64.b64decode(each["_source"]["soc"]["matches"])


def month(now: int) -> str:
    """Return the month of a time as the first of it."""
    return month_of(datetime.fromtimestamp(now / 1e6, UTC))


def _waits(since: int, known: Kept | None) -> dict[str, int]:
    """Return what waits since then, or since earlier if it did."""
    if known is None:
        return {"soc.since": since, "soc.version": 0}
    before = _waiting(known)
    return {"soc.since": min(since, before.since), "soc.version": before.version + 1}


def _waiting(kept: Kept) -> Waiting:
    return Waiting(kept.document["soc.since"], kept.document["soc.version"])


def _asked(rule: str, within: Sequence[tuple[int, int]] | None, by: str, since: int) -> dict[str, Any]:
    """Return the query for blocks of a rule, and for those that were told."""
    kinds = [
        {"term": {"soc.kind": "block"}},
        {"bool": {"filter": [{"term": {"soc.kind": "told"}}, {"term": {"soc.by": by}}]}},
    ]
    terms: list[dict[str, Any]] = [
        {"term": {"rule.id": rule}},
        {"range": {"soc.arrived": {"gte": since}}},
        {"bool": {"should": kinds, "minimum_should_match": 1}},
    ]
    if within is not None:
        few = within if len(within) <= STRETCHES else [(within[0][0], within[-1][1])]
        touched = [
            {"bool": {"filter": [{"range": {"soc.first": {"lte": end}}}, {"range": {"soc.last": {"gte": begin}}}]}}
            for begin, end in few
        ]
        terms.append({"bool": {"should": touched, "minimum_should_match": 1}})
    return {"bool": {"filter": terms}}
