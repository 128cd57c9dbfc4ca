"""Our own rules: well formed, honest about themselves, and true to the tests they carry."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from sigma.rule import SigmaRule

from connectors.definitions import load_definitions
from connectors.simulator import load
from connectors.simulator.infrastructure import JOBS, MACHINES
from connectors.simulator.systems import SYSTEMS
from connectors.simulator.world import build
from detectors.errors import RuleError
from detectors.schema import LEVELS
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules as parse
from detectors.sigma.rule import Rule
from flows import assembly, ruletests
from flows.settings import Settings

RULES = Path(__file__).resolve().parents[2] / "rules"
FILES = sorted(path for path in RULES.rglob("*.yml") if path.parent.name != "correlation")  # test_own_correlations.py
KEYS = ["title", "id", "status", "description", "references", "author", "date", "tags", "logsource", "detection",
        "falsepositives", "level", "runbook", "soc", "tests"]  # fmt: skip
TACTICS = {
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
    "stealth", "defense-impairment", "credential-access", "discovery", "lateral-movement", "collection",
    "command-and-control", "exfiltration", "impact",
}  # fmt: skip
DEFINITIONS = load_definitions()

each_rule = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(RULES).with_suffix("").as_posix())


@cache
def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(path.read_bytes(), yaml.CSafeLoader)  # plain data, as safe_load builds it
    return document


def compiled(path: Path) -> Rule:
    (rule,) = parse(path.read_text(encoding="utf-8"), str(path))
    if isinstance(rule, RuleError):
        raise rule
    return rule


@each_rule
def test_keys_stand_in_order_and_the_file_is_named_after_the_title(path: Path) -> None:
    rule = read(path)
    assert list(rule) == [key for key in KEYS if key in rule]
    assert set(KEYS) == set(rule)
    assert path.stem == re.sub(r"\W+", "_", rule["title"]).lower()
    assert UUID(rule["id"]).version == 4
    assert rule["level"] in LEVELS
    assert rule["soc"]["title"]["vi"]  # analysts read it on pages, in reports and in lists
    assert len(rule["soc"]["falsepositives"]["vi"]) == len(rule["falsepositives"])
    assert date.fromisoformat(str(rule["date"]))
    assert all(link.startswith("https://") for link in rule["references"])


@each_rule
def test_pysigma_reads_it_without_a_fault(path: Path) -> None:
    assert SigmaRule.from_yaml(path.read_text(encoding="utf-8"), collect_errors=True).errors == []


@each_rule
def test_tags_name_tactics_and_techniques(path: Path) -> None:
    tags = [tag.removeprefix("attack.") for tag in read(path)["tags"]]
    techniques = [tag for tag in tags if re.fullmatch(r"t\d{4}(\.\d{3})?", tag)]
    assert techniques
    assert set(tags) - set(techniques) <= TACTICS
    assert set(tags) - set(techniques)


@each_rule
def test_runbook_speaks_both_languages_and_says_four_things(path: Path) -> None:
    runbook = read(path)["runbook"]
    assert list(runbook) == ["vi", "en"]
    for language, heads in {"vi": ("Điều gì", "Vì sao lạ", "Kiểm tra", "Gọi ai"),
                            "en": ("What", "Why odd", "Check", "Call")}.items():  # fmt: skip
        assert tuple(line.split(":")[0] for line in runbook[language].splitlines()) == heads
        assert all(f"{number})" in runbook[language] for number in (1, 2, 3))


def test_ids_and_titles_are_unique() -> None:
    for key in ("id", "title"):
        assert Counter(read(path)[key] for path in FILES).most_common(1)[0][1] == 1


def test_no_rule_knows_the_simulator() -> None:
    spec = load()
    words = {spec.domain, spec.netbios, spec.portal.host, *(service.name for service in spec.services)}
    words |= {word for server in spec.servers for word in (server.name, str(server.ip))}
    words |= {system.host for system in SYSTEMS} | {*MACHINES, *JOBS}
    words |= {word for controller in spec.controllers for word in (controller.name, str(controller.ip))}
    for seed in (1, 7):
        world = build(spec, seed, date(2026, 11, 18), 1)
        people = (*world.staff, *world.administrators, *world.agents)
        words |= {word for person in people for word in (person.user, person.ip, person.computer)}
        words |= {*world.strangers, *world.citizens}
    known = re.compile("|".join(rf"(?<![\w.-]){re.escape(word)}(?![\w-])" for word in sorted(words)), re.IGNORECASE)
    for path in FILES:
        assert not known.search(yaml.safe_dump(read(path)["detection"])), path


def test_rules_pass_their_own_tests(tmp_path: Path) -> None:
    parts = assembly.assemble(Settings(cache=tmp_path), FILES)
    assert not parts.rules.faults
    assert list(map(str, ruletests.run(parts))) == []


@each_rule
def test_it_carries_positive_and_negative_tests(path: Path) -> None:
    assert {case["match"] for case in read(path)["tests"]} == {True, False}


@each_rule
def test_it_runs_on_a_source_that_comes_with_the_program(path: Path) -> None:
    engine = Engine([compiled(path)])
    assert any(engine.covered(definition.dialect) for definition in DEFINITIONS.values())
