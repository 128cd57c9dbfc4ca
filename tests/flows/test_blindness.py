"""Which rules never match where, for the built-in sources and for people."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest

from connectors.definition import Definition, Service
from connectors.definitions import load_definitions
from detectors.sigma.logsources import EVERYTHING
from detectors.sigma.rule import Rule
from flows import blindness, cli, ruleset

DEFINITIONS = load_definitions()
HASHES = """title: A hash
id: 00000000-0000-4000-8000-000000000001
logsource: {category: process_creation, product: windows}
detection: {sel: {Hashes|contains: a}, condition: sel}
"""
USER_AGENT = """title: A user agent
id: 00000000-0000-4000-8000-000000000002
level: high
logsource: {category: webserver}
detection: {sel: {cs-user-agnt: a}, condition: sel}
"""
ELSEWHERE = """title: Of another log
id: 00000000-0000-4000-8000-000000000003
logsource: {product: macos}
detection: {sel: {a: a}, condition: sel}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rules = tmp_path / "rules"
    rules.mkdir()
    for number, text in enumerate((HASHES, USER_AGENT, ELSEWHERE)):
        (rules / f"{number}.yml").write_text(text)
    return rules


def loaded(folder: Path) -> tuple[Rule, ...]:
    return ruleset.load([folder]).rules


def test_our_own_rules_are_blind_nowhere() -> None:
    rules = ruleset.load([ruleset.own_rules()]).rules
    for name, definition in DEFINITIONS.items():
        assert blindness.look(rules, definition).whole.blind == {}, name


def test_an_ecs_column_is_possible_where_it_is_filled() -> None:
    web, hotline = (blindness.columns(DEFINITIONS[name], EVERYTHING) for name in ("nginx", "hotline_1022"))
    assert web is not None
    assert {"cs-uri-stem", "url.path", "@timestamp", "event.original"} <= web
    assert "process.name" not in web
    assert hotline is None


def test_a_document_tells_sources_routes_and_the_rest(folder: Path) -> None:
    told = blindness.document(loaded(folder), [DEFINITIONS["windows"], DEFINITIONS["nginx"]])
    windows, nginx = told["sources"]["windows"], told["sources"]["nginx"]
    assert (windows["rules"], windows["live"], windows["blind"]) == (1, 1, [])
    (security,) = windows["routes"]
    assert security["where"] == {"Channel": ["security"], "EventID": ["4688"]}
    assert [rule["lacks"].keys() for rule in security["blind"]] == [{"Hashes"}]
    assert nginx == {
        "rules": 1,
        "live": 0,
        "blind": [
            {
                "id": "00000000-0000-4000-8000-000000000002",
                "level": "high",
                "title": "A user agent",
                "lacks": {"cs-user-agnt": "cs-user-agent"},
            }
        ],
        "routes": [],
    }
    assert told["uncovered"] == {"macos": 1}


def test_a_rule_is_blind_where_no_source_with_events_sees_it(folder: Path) -> None:
    odd = Definition(
        name="odd", title="Odd", format="ndjson", logsource=Service(category="webserver"), columns=("cs-user-agnt",)
    )
    rules, definitions = loaded(folder), {**DEFINITIONS, "odd": odd}
    assert blindness.blind(rules, definitions, {"nginx": 3, "windows": 5}) == {1}
    assert blindness.blind(rules, definitions, {"nginx": 3, "odd": 1}) == set()
    assert blindness.blind(rules, definitions, {"nginx": 3, "odd": 0}) == {1}
    assert blindness.blind(rules, definitions, {}) == set()


def test_soc_rules_blind_tells_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "blind", str(folder)]) == 0
    told = capsys.readouterr().out.splitlines()
    place = told.index("nginx: 1 rule, 1 blind")
    assert told[place + 1] == (
        "  high          00000000-0000-4000-8000-000000000002  A user agent: "
        "lacks cs-user-agnt (there is cs-user-agent)"
    )
    assert "  Channel security, EventID 4688: 1 rule, 1 blind for want of Hashes 1" in told
    assert told[-2:] == ["of no source here: 1 rule", "  macos: 1"]


def test_soc_rules_blind_of_one_source_names_the_rules_of_its_routes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rules", "blind", "--source", "windows", str(folder)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "windows: 1 rule, 0 blind",
        "  Channel security, EventID 4688: 1 rule, 1 blind for want of Hashes 1",
        "    medium        00000000-0000-4000-8000-000000000001  A hash: lacks Hashes",
    ]


def test_soc_rules_blind_tells_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "blind", "--json", str(folder)]) == 0
    told = orjson.loads(capsys.readouterr().out)
    assert told == blindness.document(loaded(folder), DEFINITIONS.values())


def test_a_source_that_is_not_known_is_a_usage_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rules", "blind", "--source", "nonesuch", str(folder)]) == 2
    assert "no source is called 'nonesuch'" in capsys.readouterr().err


@pytest.mark.reference
def test_no_rule_that_fired_on_real_windows_events_is_blind(reference: Path) -> None:
    with (reference / "index" / "sigma_regression_index.csv").open() as file:
        fired = {row["rule_id"] for row in csv.DictReader(file)}
    paths = [path for path in (reference / "rules").rglob("*.yml") if fired.intersection(path.read_text().split())]
    rules = ruleset.load(paths).rules
    found = blindness.look(rules, DEFINITIONS["windows"]).whole
    assert fired <= {rules[number].meta.id for number in found.live}
