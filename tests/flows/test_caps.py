"""Bounds fail open: whatever is cut from a finding is stored, counted, and said to be cut."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import orjson
import polars as pl
import pytest

from connectors.store import Store
from connectors.store_memory import StoreMemory
from detectors.contracts import Batch
from detectors.evidence import EVIDENCE, LISTED
from detectors.schema import RECORD
from flows import assembly, pipeline
from flows.correlating import remembering
from flows.pipeline import Pipeline
from flows.settings import Settings

COUNT = LISTED + 30
RULE = """title: Password refused
name: refused
id: 00000000-0000-4000-8000-000000000001
logsource: {{product: linux, service: sshd}}
detection:
  selection: {{message|startswith: 'Failed password for '}}
  condition: selection
soc: {{group-by: [{by}]}}
"""
CORRELATION = """---
title: Many refused
id: 00000000-0000-4000-8000-000000000002
correlation: {type: event_count, rules: refused, group-by: source.ip, timespan: 1h, condition: {gte: 5}}
"""


def run(folder: Path, rules: str, *, say: list[str] | None = None) -> Store:
    """Run rules over logins of many users from one address."""
    (folder / "r.yml").write_text(rules)
    parts = assembly.assemble(Settings(cache=folder / "cache"), [folder / "r.yml"])
    assert not parts.rules.faults
    store = Store(folder / "store.sqlite")
    told = say.append if say is not None else None
    made = Pipeline(parts.definitions, parts.engine, parts.detections, store, say=told,
                    correlating=remembering(parts, partial(StoreMemory, store)))  # fmt: skip
    lines = [
        f"<38>1 2026-03-09T08:{at // 60:02d}:{at % 60:02d}+07:00 srv sshd 7 - - Failed password for u{at} "
        "from 192.0.2.7 port 22 ssh2"
        for at in range(COUNT)
    ]
    records = {"event.original": lines, "log.offset": range(COUNT), "soc.index": [0] * COUNT}
    made.process(Batch("auth", "file:x", "auth.log", pl.DataFrame(records, schema=RECORD)))
    return store


@pytest.mark.parametrize("more", ["", CORRELATION])
def test_a_finding_says_that_it_names_some_only_and_has_every_match(tmp_path: Path, more: str) -> None:
    store = run(tmp_path, RULE.format(by="source.ip") + more)
    (name,) = store.select()["event.id"]
    finding = store.finding(name)
    assert finding is not None
    assert finding["soc.count"] == COUNT
    assert finding["soc.capped"] == ["user.name"]
    assert len(finding["user.name"]) == LISTED  # type: ignore[arg-type]
    assert len(orjson.loads(str(finding["soc.evidence"]))) == EVIDENCE
    matches = store.matches_of(name)
    assert matches["event.id"].explode().n_unique() == COUNT
    store.close()


def test_a_flood_of_findings_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "FLOOD", COUNT)
    said: list[str] = []
    store = run(tmp_path, RULE.format(by="user.name"), say=said)
    assert store.select(limit=1000).height == COUNT
    (told,) = said
    assert f"made {COUNT} findings of one batch" in told
    store.close()
