"""Our own correlations: well formed, true to the tests they carry, and right about the simulated province."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from flows import assembly, ruletests
from flows.settings import Settings
from tests.rules.test_own_rules import FILES, RULES, TACTICS, read

CORRELATIONS = sorted((RULES / "correlation").glob("*.yml"))
KEYS = ["title", "name", "id", "status", "description", "references", "author", "date", "tags", "logsource",
        "detection", "correlation", "soc", "falsepositives", "level", "runbook", "tests"]  # fmt: skip
LOUD = ("high", "critical")


def documents() -> list[Any]:
    found = [(path, each) for path in CORRELATIONS for each in yaml.load_all(path.read_bytes(), yaml.CSafeLoader)]
    return [pytest.param(path, each, id=re.sub(r"\W+", "_", each["title"]).lower()) for path, each in found]


@pytest.mark.parametrize(("path", "rule"), documents())
def test_keys_stand_in_order_and_say_what_they_must(path: Path, rule: dict[str, Any]) -> None:
    assert list(rule) == [key for key in KEYS if key in rule]
    assert ("correlation" in rule) != ("detection" in rule)
    assert UUID(rule["id"]).version == 4
    assert date.fromisoformat(str(rule["date"]))
    tags = {tag.removeprefix("attack.") for tag in rule["tags"]}
    assert {tag for tag in tags if not re.fullmatch(r"t\d{4}(\.\d{3})?", tag)} <= TACTICS
    assert rule["soc"]["title"]["vi"]
    assert len(rule["soc"].get("falsepositives", {"vi": []})["vi"]) == len(rule.get("falsepositives", []))
    if rule["level"] in LOUD:
        assert list(rule["runbook"]) == ["vi", "en"]
        assert rule["falsepositives"]
        assert path.stem == re.sub(r"\W+", "_", rule["title"]).lower()


def test_ids_and_names_are_unique_among_all_rules() -> None:
    ids = [read(path)["id"] for path in FILES]
    ids += [rule["id"] for _, rule in (each.values for each in documents())]
    assert len(set(ids)) == len(ids)


def test_they_pass_their_own_tests(tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), CORRELATIONS)
    assert not parts.rules.faults
    assert list(map(str, ruletests.run(parts))) == []
