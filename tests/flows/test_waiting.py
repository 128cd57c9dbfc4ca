"""Hits wait for others, lose nothing, and keep where they came from."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest

from detectors.contracts import Batch, Hits
from detectors.identity import event_id
from detectors.schema import EVENT, RECORD
from flows import waiting
from flows.matching import Struck, struck
from flows.waiting import Waiting

Told = list[tuple[int, str, str]]  # rule, id of the event, its record


def made(random: Random, number: int) -> tuple[Batch, pl.DataFrame, Hits]:
    """Return a batch of its own origin, its events, and hits of three rules on some of them."""
    height = random.randrange(30)
    rows = [(f"{number}/{row} " + "x" * random.randrange(50), row, 0) for row in range(height)]
    records = pl.DataFrame(rows, schema=RECORD, orient="row")
    batch = Batch(random.choice(("auth", "nginx")), f"file:{number}", f"{number}.log", records)
    events = records.with_columns(pl.lit(None, EVENT["@timestamp"]).alias("@timestamp"))
    if random.random() < 0.5:  # what a projection holds besides may differ
        events = events.with_columns(pl.lit("web01").alias("host.name"))
    hits = [(rule, row) for rule in range(3) for row in range(height) if random.random() < 0.2]
    rule, place = (np.array([hit[part] for hit in hits], np.int64) for part in (0, 1))
    return batch, events, Hits(rule.astype(np.int32), place)


def told(batch: Batch, events: pl.DataFrame, hits: Hits) -> Told:
    """Return what findings would be made of."""
    originals = events["event.original"].to_list()
    names = zip(batch.origins(events), events["log.offset"], events["soc.index"], originals, strict=True)
    ids = [event_id(batch.source, *name) for name in names]
    return [(rule, ids[row], originals[row]) for rule, row in zip(hits.rule.tolist(), hits.row.tolist(), strict=True)]


def of(each: Struck) -> Told:
    assert each.batch.records.height == each.events.height
    assert each.batch.text is None
    return told(each.batch, each.events, each.hits)


@pytest.mark.parametrize("seed", range(20))
def test_every_hit_comes_out_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)  # noqa: S311 - no secret
    monkeypatch.setattr(waiting, "EVENTS", random.choice((1, 20, 1_000)))
    monkeypatch.setattr(waiting, "BYTES", random.choice((500, 16_000_000)))
    expected: Told = []
    found: Told = []
    wait = Waiting()
    for number in range(12):
        batch, events, hits = made(random, number)
        expected += told(batch, events, hits)
        for each in wait.add(struck(batch, events, hits)):
            found += of(each)
    for each in wait.rest():
        found += of(each)
    assert sorted(found) == sorted(expected)
    assert expected
    assert [*wait.rest()] == []


def test_only_what_was_hit_is_kept() -> None:
    batch, events, hits = made(Random(3), 0)  # noqa: S311 - no secret
    wait = Waiting()
    assert [*wait.add(struck(batch, events, hits))] == []
    (held,) = wait._held.values()
    assert 0 < held[0].batch.records.height == np.unique(hits.row).size < batch.records.height


def test_the_first_hits_of_all_wait_for_nothing_where_somebody_does() -> None:
    random = Random(3)  # noqa: S311 - no secret
    first, second = made(random, 0), made(random, 1)
    wait = Waiting(eager=True)
    assert [of(each) for each in wait.add(struck(*first))] == [told(*first)]
    assert [*wait.add(struck(*second))] == []
    assert [of(each) for each in wait.rest()] == [told(*second)]


def test_a_field_may_hold_a_text_in_one_batch_and_texts_in_another() -> None:
    wait = Waiting()
    columns: list[list[Any]] = [["one", None], [["two", "more"], None], [None, None]]
    for number, words in enumerate(columns):
        records = pl.DataFrame([("a", 0, 0), ("b", 1, 0)], schema=RECORD, orient="row")
        events = records.with_columns(pl.lit(None, EVENT["@timestamp"]).alias("@timestamp"), Keywords=pl.Series(words))
        batch = Batch("windows", f"file:{number}", f"{number}.evtx", records)
        hits = Hits(np.array([0, 0], np.int32), np.array([0, 1], np.int64))
        assert [*wait.add(struck(batch, events, hits))] == []
    (whole,) = wait.rest()
    assert whole.events["Keywords"].to_list() == [["one"], None, ["two", "more"], None, None, None]


def test_labels_say_where_each_came_from() -> None:
    wait, random = Waiting(), Random(1)  # noqa: S311 - no secret
    for number in range(12):
        assert [*wait.add(struck(*made(random, number)))] == []
    for each in wait.rest():
        texts = each.events["event.original"].str.extract(r"^(\d+)/") + ".log"
        assert each.batch.labels(each.events).to_list() == texts.to_list()
        assert texts.n_unique() > 1
