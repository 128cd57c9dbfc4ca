"""From archived lines to a model, and from the model to the one night that was strange."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from connectors.store import Store, Triage
from flows.anomaly import marks, working
from flows.sections import Anomaly
from flows.settings import Settings
from tests.flows.anomaly.hotline import NIGHT

NOW = datetime(2026, 4, 10, tzinfo=UTC)


def test_the_strange_night_is_found_explained_stored_and_found_once(kept: Settings) -> None:
    said: list[str] = []
    where = working.room(kept, NOW, said.append)
    (model,) = working.train_all(where, [], None, NIGHT - timedelta(days=1))
    assert model.champion

    store = Store(kept.store)
    since = NIGHT - timedelta(days=1)
    found, anomalies, _ = working.score_all(where, [], since, store)
    (night,) = anomalies
    assert (night.entity, night.start) == ("agent07", NIGHT)
    assert "exports and downloads: 120, usually 0" in night.text.en
    assert "lần xuất hoặc tải về: 120, thường ngày 0" in night.text.vi
    assert night.details["explained"]
    assert night.details["p"] <= night.details["threshold"]
    assert night.query["bool"]["filter"][0] == {"term": {"user.name": "agent07"}}
    document = orjson.loads(found.findings["soc.anomaly"].item())
    assert document["version"] == model.version
    shown = orjson.loads(found.findings["soc.evidence"].item())
    assert "export" in shown[0]["event.original"]
    assert len(store.matches_of(night.id)["event.id"].item()) == 50

    again, _, _ = working.score_all(where, [], since, store)
    assert again.findings["event.id"].to_list() == [night.id]
    assert store.select().height == 1

    (unaware,) = working.train_all(where, [], None, NOW)

    # what a person finds out about it changes the threshold of this account, and what is learnt from
    for reason, lower in (("false_positive", True), ("true_positive", False)):
        store.decide(Triage(night.id, NOW, "lan", "closed", reason=reason))
        factor = working.budget(kept, where.sets["records"]).adjusted["agent07"]
        assert (factor < 1) is lower
    store.close()
    later = working.room(kept, NOW + timedelta(hours=1), said.append)
    working.train_all(later, [], None, NOW)
    newest = where.registry.versions("records")[-1]
    assert newest.manifest["cleaned"] == 1
    assert newest.manifest["windows"]["all"] == unaware.manifest["windows"]["all"] - 1
    assert not newest.champion  # it waits to be compared and promoted
    learnt = f"version {newest.version} learnt of windows until"
    assert not any(learnt in line for line in said)
    told = working.compare(
        where, where.sets["records"], (model.version, newest.version), since, NIGHT + timedelta(days=1)
    )
    assert any(learnt in line for line in said)
    assert told.both == 1
    assert told.agreement > 0.5


def test_a_damaged_archive_file_costs_itself(kept: Settings, tmp_path: Path) -> None:
    file = next(kept.archive.rglob("*.parquet"))
    content, said = file.read_bytes(), list[str]()
    file.write_bytes(b"no parquet")
    try:
        settings = kept.model_copy(update={"anomaly": Anomaly(models=tmp_path / "models", key=tmp_path / "key")})
        assert working.train_all(working.room(settings, NOW, said.append), [], None, NIGHT)
    finally:
        file.write_bytes(content)
    assert any(str(file) in line for line in said)


def test_a_refused_model_and_a_faulty_declaration_are_told_and_their_windows_looked_at_later(
    kept: Settings, tmp_path: Path
) -> None:
    (tmp_path / "bytes.yml").write_bytes(b"\xff\xfe")
    (tmp_path / "open.yml").write_text("name: open\nwords: {en: x\n")
    part = Anomaly(models=tmp_path / "models", key=tmp_path / "key", features=[tmp_path, tmp_path / "none"])
    said: list[str] = []
    where = working.room(kept.model_copy(update={"anomaly": part}), NOW, said.append)
    assert [line.split("/")[-1].split(":")[0] for line in said] == ["bytes.yml", "open.yml", "none"]
    (model,) = working.train_all(where, ["records"], None, NIGHT - timedelta(days=1))
    file = part.models / "records" / model.version / "model.npz"
    file.write_bytes(file.read_bytes() + b"x")
    store = Store(tmp_path / "store.sqlite")
    looked = working.score_all(where, ["records"], NIGHT, store)
    assert (looked.anomalies, looked.failed) == ([], {"records"})
    assert "changed after it was signed" in said[-1]
    assert marks.read(where.cache, "records") is None
    (fresh,) = working.train_all(where, ["records"], None, NIGHT - timedelta(days=2))
    assert fresh.champion  # that which can't be used any more needs no contest
    assert any("changed after it was signed" in line and "replaced" in line for line in said[-2:])
    assert [one.entity for one in working.score_all(where, ["records"], NIGHT, store).anomalies] == ["agent07"]
    assert marks.read(where.cache, "records") is not None
    store.close()


def test_a_period_without_a_whole_day_is_told(kept: Settings, tmp_path: Path) -> None:
    said: list[str] = []
    part = Anomaly(models=tmp_path / "models", key=tmp_path / "key")
    where = working.room(kept.model_copy(update={"anomaly": part}), NOW, said.append)
    assert working.train_all(where, ["records"], NIGHT, NIGHT - timedelta(days=5)) == []
    assert "no whole day from" in said[-1]
