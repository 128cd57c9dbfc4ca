"""What runs enter into the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.store import Store
from detectors.contracts import Written
from detectors.errors import UnavailableError
from detectors.schema import COVERAGE
from flows import assembly
from flows.ledger import Ledger
from flows.pipeline import Pipeline
from flows.settings import Settings
from tests.flows.test_pipeline import GOOD, RULE, batch


class Book(Store):
    """A store that shows what it was given."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.given: list[pl.DataFrame] = []
        self.away = False

    def cover(self, frame: pl.DataFrame) -> Written:
        if self.away:
            raise UnavailableError("the disk is away")
        self.given.append(frame)
        return super().cover(frame)


@pytest.fixture
def parts(tmp_path: Path) -> assembly.Parts:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "r.yml").write_text(RULE + "tags: [attack.credential_access, attack.t1110.001]\n")
    return assembly.assemble(Settings(own_rules=False, rules=[folder], cache=tmp_path / "cache"))


def line(parts: assembly.Parts, store: Store) -> Pipeline:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    ledger = Ledger(parts, now=lambda: now)
    return Pipeline(
        parts.definitions, parts.engine, parts.detections, store, enrichment=parts.enrichment, ledger=ledger
    )


def rows(frames: list[pl.DataFrame]) -> list[dict[str, Any]]:
    return pl.concat(frames).to_dicts()


def test_a_batch_is_entered_with_who_watches_its_source(parts: assembly.Parts, tmp_path: Path) -> None:
    store = Book(tmp_path / "s.sqlite")
    running = line(parts, store)
    lines = [GOOD.format(1), "no syslog at all", GOOD.format(2)]
    running.process(batch(lines))
    running.process(batch(lines))  # once more, as after a crash
    assert store.coverage().select("soc.source", "soc.events", "soc.failures", "soc.matches").rows() == [
        ("auth", 2, running.statistics.parse_failures // 2, 2)
    ]
    counted, watched, technique = rows(store.given[:1])
    assert counted["soc.batch"] == "kafka:soc.raw.auth:0@0.0"
    assert (watched["soc.rules.evaluated"], watched["soc.rules.blind"]) == (1, [])
    assert (technique["soc.attack"], technique["soc.rules.watching"]) == ("credential-access / T1110.001", 1)
    assert pl.concat(store.given[1:])["soc.attack"].drop_nulls().is_empty()  # told once a day
    assert pl.concat(store.given).schema == COVERAGE


def test_what_could_not_be_entered_is_entered_the_same_later(parts: assembly.Parts, tmp_path: Path) -> None:
    one, two = Book(tmp_path / "one.sqlite"), Book(tmp_path / "two.sqlite")
    lines = [GOOD.format(50), GOOD.format(1).replace("T08:00", "T07:00")]
    line(parts, one).process(batch(lines))
    failing = line(parts, two)
    two.away = True
    with pytest.raises(UnavailableError):
        failing.process(batch(lines))
    two.away = False
    failing.process(batch(lines))
    assert rows(two.given) == rows(one.given)
    assert one.coverage()["soc.late"].sum() == 1
