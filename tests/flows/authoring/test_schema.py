"""The JSON schema of rule files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from flows.ruleset import own_rules
from tests.flows.authoring.conftest import RULE, Soc


def read(text: str) -> Any:
    return yaml.load(text, Loader)  # noqa: S506 - a safe one


class Loader(yaml.SafeLoader):
    """YAML as editors read it: a date is a text."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@pytest.fixture
def schema(soc: Soc) -> dict[str, Any]:
    soc("rules", "schema", "--out", "schema.json")
    made: dict[str, Any] = json.loads(Path("schema.json").read_text())
    return made


def test_our_own_rules_correlations_and_exceptions_are_valid_by_it(schema: dict[str, Any]) -> None:
    jsonschema_rs.meta.validate(schema)
    validator = jsonschema_rs.Draft7Validator(schema)
    for path in own_rules().rglob("*.yml"):
        for document in yaml.load_all(path.read_text(), Loader):
            assert [error.message for error in validator.iter_errors(document)] == [], path


@pytest.mark.parametrize(
    ("old", "new"),
    [("level: high", "level: hihg"), ("status: experimental", "status: done"), ("match: true", "match: perhaps"),
     ("    condition: accepted and not inside\n", ""), ("findings: 1", "findngs: 1")],
)  # fmt: skip
def test_faults_are_marked(schema: dict[str, Any], old: str, new: str) -> None:
    validator = jsonschema_rs.Draft7Validator(schema)
    assert validator.is_valid(read(RULE))
    assert not validator.is_valid(read(RULE.replace(old, new)))


COUNT = {"type": "event_count", "rules": "a", "timespan": "5m", "condition": {"gte": 5}}
EXCEPTION = {"rules": "any", "sel": {"Image": "x"}, "condition": "not sel"}
LINUX = {"product": "linux"}


@pytest.mark.parametrize(("document", "valid"), [
    ({"correlation": COUNT}, True),
    ({"correlation": COUNT | {"condition": "a and not b", "group-by": ["x"]}}, True),
    ({"correlation": COUNT | {"type": "count"}}, False),
    ({"correlation": COUNT | {"timespan": "soon"}}, False),
    ({"correlation": COUNT | {"groupby": "x"}}, False),
    ({"correlation": COUNT | {"condition": {"ge": 5}}}, False),
    ({"filter": EXCEPTION, "logsource": LINUX, "soc": {"owner": "SOC", "valid_to": "2026-12-31"}}, True),
    ({"filter": EXCEPTION, "logsource": LINUX, "soc": {"intent": "wide"}}, False),
    ({"filter": EXCEPTION}, False),
    ({"filter": {"sel": {}, "condition": "not sel"}, "logsource": LINUX}, False),
    ({"logsource": LINUX}, False),
])  # fmt: skip
def test_correlations_and_exceptions_are_told_right_from_wrong(
    schema: dict[str, Any], document: dict[str, Any], *, valid: bool
) -> None:
    assert jsonschema_rs.Draft7Validator(schema).is_valid({"title": "t", **document}) is valid


def test_fields_log_sources_and_techniques_are_completed(schema: dict[str, Any]) -> None:
    told = json.dumps(schema)
    for word in (
        "cs-uri-stem|contains",
        "CommandLine",
        "process_creation",
        "hotline_1022",
        "attack.t1059.001",
        "PowerShell",
    ):
        assert word in told


def offered(schema: dict[str, Any], logsource: dict[str, str]) -> set[str]:
    """Return the fields that an editor offers in a rule of this log source."""
    document = {"title": "t", "logsource": logsource, "detection": {"sel": {}, "condition": "sel"}}
    names: set[str] = set()
    for case in schema["allOf"]:
        if jsonschema_rs.Draft7Validator(case["if"]).is_valid(document):
            part = case["then"]["properties"]["detection"]["additionalProperties"]["anyOf"][0]["$ref"]
            names.update(schema["definitions"][part.rpartition("/")[2]]["properties"])
    return names


def test_fields_are_those_of_the_log_source(schema: dict[str, Any]) -> None:
    processes = offered(schema, {"product": "windows", "category": "process_creation"})
    assert {"CommandLine", "CommandLine|contains", "ParentImage|endswith"} <= processes
    assert "cs-uri-stem" not in processes
    requests = offered(schema, {"category": "webserver"})
    assert "cs-uri-stem" in requests
    assert "CommandLine" not in requests
    calls = offered(schema, {"product": "gialai", "category": "application", "service": "hotline_1022"})
    assert "action" in calls
    assert "CommandLine" not in calls
    assert {"CommandLine", "cs-uri-stem", "action"} <= offered(schema, {"product": "nobody knows"})
