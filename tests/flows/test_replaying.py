"""Lines that no definition could read are read once it is mended."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.store import Store
from detectors.contracts import Batch
from detectors.schema import RECORD
from flows import assembly, running
from flows.cli import main
from flows.replaying import Replayed, replay
from flows.settings import Settings
from tests.flows.places import laid_out

DEFINITION = """name: door
title: Doors
format: {format}
logsource: {{product: door}}
timestamp: at
"""
RULE = """title: Door forced
id: 00000000-0000-4000-8000-000000000001
level: high
logsource: {product: door}
detection: {sel: {state: forced}, condition: sel}
"""
LINES = ["at=2026-03-09T08:00:00Z state=forced", "at=2026-03-09T08:01:00Z state=open", "?"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of a run that could read none of three lines, with a definition that reads two."""
    made = laid_out(tmp_path).model_copy(update={"sources": [tmp_path / "sources"]})
    (tmp_path / "sources").mkdir()
    (tmp_path / "rules" / "r.yml").write_text(RULE)
    define(made, "ndjson")
    read(made)
    define(made, "keyvalue")
    return made


def define(settings: Settings, layout: str) -> None:
    (settings.sources[0] / "door.yml").write_text(DEFINITION.format(format=layout))


def read(settings: Settings) -> None:
    """Do with the lines what a run does."""
    records = pl.DataFrame({"event.original": LINES, "log.offset": [0, 40, 80], "soc.index": [0] * 3}, schema=RECORD)
    with ExitStack() as stack:
        where, parts = running.sink(settings, stack), assembly.assemble(settings)
        remember, archive = running.memory(settings, where, stack), Archive(settings.archive)
        pipeline = running.storing(parts, where, remember, str, archive=archive)
        pipeline.process(Batch("door", "kafka:soc.raw.door:0", "soc.raw.door", records))


def again(settings: Settings) -> list[Replayed]:
    return replay(settings, assembly.assemble(settings), ["door"], str)


def test_what_is_read_now_is_found_and_no_letter_any_more(settings: Settings, tmp_path: Path) -> None:
    assert again(settings) == [Replayed("door", 2, 1)]
    store = Store(settings.store)
    assert (store.counts()["findings"], store.counts()["dead"]) == (1, 1)
    told = set(store.select()["event.id"])
    store.close()
    live = settings.model_copy(update={"store": tmp_path / "live.sqlite", "archive": tmp_path / "elsewhere"})
    read(live)
    store = Store(live.store)
    assert set(store.select()["event.id"]) == told
    store.close()


def test_it_stands_under_its_time_and_only_there(settings: Settings) -> None:
    again(settings)
    archive = Archive(settings.archive)
    assert [batch.records.height for batch in archive.read("door")] == [2, 1]
    assert [batch.records["event.original"].to_list() for batch in archive.untimed("door")] == [["?"]]
    assert again(settings) == [Replayed("door", 0, 1)]


def test_the_command_says_what_became_of_them(
    settings: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "soc.yml"
    config.write_text(settings.model_dump_json(include={"own_rules", "rules", "sources", "store", "archive"}))
    assert main(["dead", "replay", "--config", str(config)]) == 0
    assert "door: 2 read now, 1 still unread" in capsys.readouterr().out
