"""Exact detectors over an archive: what they find, that it is found once, and that a restart goes on where it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.archive import Archive
from connectors.store import Store
from flows import assembly
from flows.anomaly import marks, memory, watching, working
from flows.bench import quiet
from flows.commands import simulate
from flows.scanning import scan
from flows.sections import Anomaly, Enriching
from flows.settings import Settings

START = datetime(2026, 3, 1, 17, tzinfo=UTC)
DAYS = 17
END = START + timedelta(days=DAYS)
NETWORKS = """
units:
  - {code: H21.900, kind: xã, name: UBND xã Một, parent: H21}
  - {code: H21.901, kind: xã, name: UBND xã Hai, parent: H21}
networks:
  - {network: 10.90.0.0/24, unit: H21.900}
  - {network: 10.91.0.0/24, unit: H21.901}
assets:
  - {host: srv-core, criticality: critical}
  - {host: srv-test, criticality: low}
"""


@pytest.fixture
def kept(tmp_path: Path) -> Settings:
    """Return settings whose archive holds quiet weeks, and a last day on which an account is in two communes."""
    lines = []
    for hour in range(24 * DAYS - 6):  # the last six hours are silent
        for minute in (5, 25, 45):
            at = START + timedelta(hours=hour, minutes=minute)
            lines.append((at, "lan", "10.90.0.7"))
    lines.append((END - timedelta(hours=8, minutes=10), "lan", "10.91.0.7"))
    log = tmp_path / "hotline-1022.ndjson"
    record = {"action": "view", "result": "ok", "unit": "1022", "ticket": "T1", "phone": "", "message": ""}
    log.write_text("".join(json.dumps({"time": at.isoformat(), "user": user, "ip": ip, **record}) + "\n"
                           for at, user, ip in sorted(lines)))  # fmt: skip
    sets = tmp_path / "sets"
    sets.mkdir()
    (sets / "desk.yml").write_text("""
name: desk
words: {en: hotline, vi: đường dây nóng}
sources: [hotline_1022]
entity: user.name
window: day
check: {en: look, vi: xem}
watches:
  - {name: places, kind: travel, words: {en: two places, vi: hai nơi}, columns: [soc.source.unit], minutes: 20}
  - {name: addresses, kind: first_seen, words: {en: new address, vi: địa chỉ mới}, columns: [source.ip]}
""")
    (tmp_path / "registry.yml").write_text(NETWORKS)
    settings = Settings(
        store=tmp_path / "store.sqlite",
        archive=tmp_path / "archive",
        cache=tmp_path / "cache",
        own_rules=False,
        anomaly=Anomaly(models=tmp_path / "models", key=tmp_path / "key", features=[sets]),
        enrichment=Enriching(registry=[tmp_path / "registry.yml"]),
    )
    store = Store(settings.store)
    scan([log], assembly.assemble(settings), store, source="hotline_1022", archive=Archive(settings.archive))
    store.close()
    return settings


def test_two_places_a_new_address_and_silence_are_told_once_each_and_survive_a_restart(kept: Settings) -> None:
    said: list[str] = []
    where = working.room(kept, END + timedelta(minutes=30), said.append)
    store = Store(kept.store)
    found, anomalies, _ = working.score_all(where, ["desk", "feeds"], None, store)
    by = {one.detector: one for one in anomalies}
    assert set(by) == {"anomaly.desk.places", "anomaly.desk.addresses", "anomaly.feeds.silence"}, said
    assert "H21.900" in by["anomaly.desk.places"].text.en
    assert "10.91.0.7" in by["anomaly.desk.addresses"].text.vi
    assert by["anomaly.feeds.silence"].entity == "hotline_1022"
    assert by["anomaly.feeds.silence"].start == END - timedelta(hours=6)
    ids = found.matches.filter(pl.col("rule.id") == "anomaly.desk.addresses")["event.id"].to_list()
    assert [len(each) for each in ids] == [1]  # only the events that have the new address

    again = working.room(kept, END + timedelta(minutes=40), said.append)  # as after a restart: nothing is kept in mind
    assert working.score_all(again, ["desk", "feeds"], None, store).anomalies == []
    whole, _, _ = working.score_all(again, ["desk", "feeds"], END - timedelta(days=1), store)
    assert set(whole.findings["event.id"]) == set(found.findings["event.id"])
    assert store.select().height == 3
    store.close()
    assert memory.read(where.cache, "desk")["value"].n_unique() == 2
    assert marks.read(where.cache, "feeds.hours") == END


def test_a_silence_weighs_what_its_source_or_machine_is_worth(kept: Settings) -> None:
    where = working.room(kept, END, lambda _: None)
    moments = pl.DataFrame({"entity": ["srv-core", "srv-test", "pc9"]})
    assert watching.weights(where, where.sets["senders"], moments) == {"srv-core": 4.0, "srv-test": 0.5}
    assert watching.weights(where, where.sets["feeds"], moments)["hotline_1022"] == 2.0  # its definition says high
    assert watching.weights(where, where.sets["desk"], moments) == {}


def test_all_that_is_told_of_quiet_days_is_counted_and_shown(kept: Settings) -> None:
    assert quiet.cried(kept, END - timedelta(days=9), END - timedelta(days=2)) == []
    told = quiet.cried(kept, END - timedelta(days=1), END + timedelta(minutes=30))
    assert {"anomaly.desk.places", "anomaly.feeds.silence"} <= {one.detector for one in told}
    # of so many days the last is that on which the archive ends; times of another zone would be refused
    days = (END.date() - simulate.START).days + 1
    assert quiet.cried(kept, END - timedelta(days=1), quiet.judged(kept, days)[1]) == told
    shown = quiet.shown({"lines": 1_234, "days": 42, "per_day": 0.5, "told": {"anomaly.x": 7}, "texts": ["lan: odd"]})
    assert "1,234 lines of 42 days: 0.50 false anomalies a day" in shown
    assert "lan: odd" in shown


def test_a_damaged_memory_and_mark_cost_themselves(tmp_path: Path) -> None:
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "x.parquet").write_bytes(b"no")
    (tmp_path / ".x.days.scored").write_text("yesterday")
    assert memory.read(tmp_path, "x").is_empty()
    assert marks.read(tmp_path, "x.days") is None
