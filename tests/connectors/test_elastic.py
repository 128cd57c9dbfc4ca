"""The parts of the Elasticsearch sink that need no server."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest

from connectors.elastic import Cluster, Retry
from connectors.elastic.bulk import operations, sort
from connectors.elastic.documents import MAX_ITEMS, MAX_REQUEST, Document, documents, month_of, requests
from connectors.nested import nest
from detectors.contracts import Written
from detectors.errors import UnavailableError

ONE, TWO, THREE = (Document("soc-findings-2026.01.01", name, b"{}") for name in ("1", "2", "3"))


def test_dotted_names_nest_and_what_is_missing_is_left_out() -> None:
    row = {"rule.id": "r", "rule.name": None, "host.name": [], "soc.count": 0, "message": "", "threat.tactic.id": ["a"]}
    assert nest(row) == {"rule": {"id": "r"}, "soc": {"count": 0}, "message": "", "threat": {"tactic": {"id": ["a"]}}}


@pytest.mark.parametrize(
    ("time", "month"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2026.12.01"),
        (datetime(2010, 1, 1, tzinfo=UTC), "2010.01.01"),
        (datetime(1, 1, 1, tzinfo=UTC), "1970.01.01"),
        (datetime(9999, 12, 31, tzinfo=UTC), "1970.01.01"),
        (None, "1970.01.01"),
    ],
)
def test_months(time: datetime | None, month: str) -> None:
    assert month_of(time) == month


def test_forged_times_make_few_indices() -> None:
    months = {month_of(datetime(year, month, 1, tzinfo=UTC)) for year in range(1, 9999, 3) for month in range(1, 13)}
    assert len(months) < 400


def test_documents_carry_id_index_and_what_is_added() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    frame = pl.DataFrame(
        {"id": ["a"], "early": [None], "late": [at]}, schema_overrides={"early": pl.Datetime("us", "UTC")}
    )
    (found,) = documents(frame, alias="soc-x", id_column="id", month=("early", "late"), added={"event.ingested": at})
    assert (found.index, found.id) == ("soc-x-2026.01.01", "a")
    assert orjson.loads(found.source)["event"] == {"ingested": "2026-01-02T00:00:00+00:00"}


def test_requests_are_bounded_by_bytes_and_count() -> None:
    big = [Document("i", str(n), b"x" * 2_000_000) for n in range(5)]
    assert [len(held) for held in requests(big)] == [2, 2, 1]
    huge = Document("i", "h", b"x" * (MAX_REQUEST + 1))
    assert [len(held) for held in requests([ONE, huge, TWO])] == [1, 1, 1]
    assert [len(held) for held in requests([ONE] * (MAX_ITEMS + 1))] == [MAX_ITEMS, 1]
    assert list(requests([])) == []


def test_answers_sort_documents() -> None:
    answers: list[dict[str, Any]] = [
        {"status": 201},
        {"status": 409, "error": {"type": "version_conflict_engine_exception", "reason": "there"}},
        {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "queue full"}},
        {
            "status": 400,
            "error": {"type": "document_parsing_exception", "reason": "bad", "caused_by": {"reason": "why"}},
        },
    ]
    done, again = sort([ONE, TWO, THREE, Document("i", "4", b"{}")], answers)
    assert done == Written(1, 1, (("4", "document_parsing_exception: bad (why)"),))
    assert again == [THREE]


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "security_exception"), (404, "index_not_found_exception"), (400, "validation_exception")]
)
def test_what_is_not_the_documents_fault_is_never_refused(status: int, kind: str) -> None:
    with pytest.raises(UnavailableError, match=kind):
        sort([ONE], [{"status": status, "error": {"type": kind, "reason": "because"}}])


def test_an_action_stands_before_each_document() -> None:
    action = {"create": {"_index": "soc-findings-2026.01.01", "_id": "1"}}
    assert [orjson.loads(line) for line in operations([ONE])] == [action, {}]


def test_pauses_double_up_to_the_longest() -> None:
    assert [Retry(first=1, longest=5).pause(attempt) for attempt in range(5)] == [1, 2, 4, 5, 5]


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(Cluster(("https://x:9200",), "u", "secret"))
