"""Small batches put together: the same events, matches and ids as one by one."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from detectors.contracts import Batch
from detectors.findings import event_ids
from detectors.schema import RECORD, TIME
from flows.joining import ROWS, joined

START = datetime(2026, 3, 9, tzinfo=UTC)


def batch(origin: str, count: int, *, timed: bool = True) -> Batch:
    columns = {"event.original": [f"line {number}" for number in range(count)], "log.offset": range(count),
               "soc.index": [0] * count}  # fmt: skip
    times = pl.Series("@timestamp", [START if timed else None] * count, TIME)
    return Batch("auth", origin, f"{origin}.log", pl.DataFrame(columns, schema=RECORD).with_columns(times))


def test_small_batches_become_one_whose_records_keep_their_ids_and_places() -> None:
    small = [batch("a", 3), batch("b", 2), batch("c", 1)]
    (whole,) = joined(small)
    assert event_ids(whole, whole.records) == [name for each in small for name in event_ids(each, each.records)]
    assert whole.labels(whole.records).to_list() == ["a.log"] * 3 + ["b.log"] * 2 + ["c.log"]


def test_what_is_large_or_has_no_time_goes_on_as_it_is() -> None:
    large, unknown = batch("large", ROWS), batch("unknown", 2, timed=False)
    assert [*joined([large, batch("a", 1), unknown])][:2] == [large, unknown]
    assert next(joined([batch("a", 1)])).origin == "a"
    assert [*joined([])] == []


def test_batches_do_not_grow_without_end() -> None:
    heights = [each.records.height for each in joined([batch(str(number), ROWS // 2 + 1) for number in range(5)])]
    assert heights == [ROWS + 2, ROWS + 2, ROWS // 2 + 1]
