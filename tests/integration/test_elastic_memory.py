"""Elasticsearch keeps the promises of tests/connectors/test_memories.py, as the user it has in production."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from elasticsearch import AuthorizationException
from elasticsearch import Elasticsearch as Client

from connectors.blocks import HOUR, SLACK, microseconds
from connectors.elastic import Cluster, ElasticMemory, connect, memory, setup
from dashboards import templates
from tests.connectors.test_memories import (  # noqa: F401 - the contract, run here on another memory
    COLUMNS,
    REACH,
    Opener,
    block,
    test_matches_are_found_by_time_and_missing_columns_are_null,
    test_the_earliest_waits_and_what_came_meanwhile_is_looked_at_again,
    test_time_never_goes_back_and_passes_in_each_stream_by_itself,
    test_told_is_told_by_somebody,
    test_what_is_kept_twice_is_there_once,
    test_what_one_worker_keeps_the_other_sees_at_once,
    times,
)
from tests.integration.servers import Elasticsearch

pytestmark = pytest.mark.integration


def client(server: Elasticsearch, user: str) -> Client:
    return connect(Cluster((server.url,), user, server.passwords[user], server.ca, timeout=10))


@pytest.fixture
def writer(elasticsearch_server: Elasticsearch) -> Iterator[Client]:
    admin = client(elasticsearch_server, "admin")
    setup(admin, templates.bodies(templates.read()))
    for index in admin.indices.get(index="soc-memory-*"):
        admin.indices.delete(index=index)
    admin.close()
    opened = client(elasticsearch_server, "writer")
    yield opened
    opened.close()


@pytest.fixture
def opened(writer: Client) -> Opener:
    return partial(ElasticMemory, writer, REACH)


def test_many_blocks_are_listed_in_pages_and_large_ones_cut(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PAGE", 7)
    monkeypatch.setattr(memory, "FETCH", 2_000)
    monkeypatch.setattr(memory, "MOST", 1_000)
    one = opened()
    one.keep(small := [block(time) for time in range(30)], {})
    one.told(small, "us")
    one.keep([large := block(*range(1_000, 3_000))], {})
    one.told([large], "us")
    one.keep([], {})  # what was told may be seen later, what is kept at once: this makes both visible
    found = opened().recall("r", COLUMNS, None, "us")
    assert sorted(found["time"]) == [*range(30), *range(1_000, 3_000)]
    assert found["told"].all()


def test_what_came_long_ago_is_not_looked_at(writer: Client) -> None:
    now = 1_800_000_000_000_000
    ElasticMemory(writer, REACH, lambda: now).keep([block(10**17)], {})
    later = ElasticMemory(writer, REACH, lambda: now + SLACK + REACH + HOUR)
    later.keep([block(5)], {})
    assert times(later) == [5]


def test_a_block_can_be_neither_changed_nor_deleted(writer: Client, opened: Opener) -> None:
    opened().keep([kept := block(1)], {})
    index = f"soc-memory-{memory.month(microseconds())}"
    with pytest.raises(AuthorizationException):
        writer.index(index=index, id=kept.id, document={"soc": {"matches": ""}})
    with pytest.raises(AuthorizationException):
        writer.delete(index=index, id=kept.id)
