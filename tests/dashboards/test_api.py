"""The bodies of the dashboards API, against the schema that Kibana's makers publish (beside this checkout)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from dashboards import savedobjects

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "tools" / "dashboard-openapi.json"
Json = dict[str, Any]


@pytest.fixture(scope="module")
def validator() -> jsonschema_rs.Draft202012Validator:
    """Return what judges a body, with two faults of the published schema mended.

    It calls properties required that are but references (Kibana's own examples leave them out), and it lost which
    metric of a metric chart is the primary one.
    """
    if not SCHEMA.is_file():
        pytest.skip(f"{SCHEMA} is missing")
    whole: Json = json.loads(SCHEMA.read_text("utf-8"))
    mended(whole["components"]["schemas"])
    return jsonschema_rs.Draft202012Validator({"$ref": "#/components/schemas/kbn-dashboard-data", **whole})


def mended(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            mended(each)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("required"), list) and isinstance(node.get("properties"), dict):
        node["required"] = [name for name in node["required"] if "$ref" not in node["properties"].get(name, {})]
    for each in node.values():
        mended(each)


@pytest.mark.parametrize("name", savedobjects.ORDER)
def test_a_body_is_as_the_schema_wants_it(validator: jsonschema_rs.Draft202012Validator, name: str) -> None:
    body = savedobjects.bodies()[name]
    for panel in body["panels"]:
        if panel["type"] == "vis" and panel["config"]["type"] == "metric":
            assert [metric.pop("type") for metric in panel["config"]["metrics"]] == ["primary"]
    assert [f"{fault.instance_path}: {fault.message:.300}" for fault in validator.iter_errors(body)] == []


def test_both_forms_have_the_same_panels() -> None:
    bodies = savedobjects.bodies()
    for each in savedobjects.build():
        if each["type"] == "dashboard":
            panels = json.loads(each["attributes"]["panelsJSON"])
            titles = [panel["embeddableConfig"]["title"] for panel in panels if panel["type"] != "links"]
            assert titles == [panel["config"]["title"] for panel in bodies[each["id"].removeprefix("soc-")]["panels"]]


def test_the_schema_judges(validator: jsonschema_rs.Draft202012Validator) -> None:
    body = savedobjects.bodies()["shift"]
    chart = next(panel["config"] for panel in body["panels"] if panel["config"].get("type") == "xy")
    chart["layers"][0]["x"]["operation"] = "term"
    assert not validator.is_valid(body)
