from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from dashboards import templates
from detectors.schema import COVERAGE, FINDING, MATCH, MEMORY, RISK, SUPPRESSED
from flows.triage.reckoning import entity_documents
from flows.triage.returning import VERDICT

# Types of the core of Elasticsearch, which every distribution has.
CORE = {"alias", "binary", "boolean", "date", "double", "float", "integer", "ip", "keyword", "long", "object", "text"}


@pytest.fixture(scope="module")
def bodies() -> dict[str, dict[str, Any]]:
    return templates.bodies(templates.read())


def mappings(bodies: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    found: dict[str, Any] = bodies[f"_component_template/{name}@mappings"]["template"]["mappings"]
    return found


def leaves(tree: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Return every mapped field by its dotted name."""
    found: dict[str, dict[str, Any]] = {}
    for name, node in tree["properties"].items():
        found |= leaves(node, f"{path}{name}.") if "properties" in node else {path + name: node}
    return found


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("soc-findings", FINDING),
        ("soc-matches", MATCH),
        ("soc-suppressed", SUPPRESSED),
        ("soc-memory", MEMORY),
        ("soc-coverage", COVERAGE),
    ],
)
def test_every_column_is_mapped(bodies: dict[str, dict[str, Any]], name: str, schema: dict[str, Any]) -> None:
    fields = leaves(mappings(bodies, name))
    assert schema.keys() - fields.keys() == set()
    alias = {"soc.finding.id"} if name == "soc-findings" else set()
    assert fields.keys() - schema.keys() == alias | ({"event.ingested"} if name != "soc-memory" else set())
    assert {kind["type"] for kind in fields.values()} <= CORE


@pytest.mark.parametrize("name", ["soc-entity-risk", "soc-verdicts"])
def test_what_has_no_columns_here_is_mapped_by_its_own_fields(bodies: dict[str, dict[str, Any]], name: str) -> None:
    fields = leaves(mappings(bodies, name))
    assert {"@timestamp", "event.ingested"} <= fields.keys()
    assert "organization.id" in fields
    assert {kind["type"] for kind in fields.values()} <= CORE


def test_documents_of_risk_and_verdicts_have_the_fields_of_their_templates(bodies: dict[str, dict[str, Any]]) -> None:
    rows = [("address", "192.0.2.1"), ("host", "web01"), ("organisation", "H21.09")]
    named = [dict.fromkeys(RISK) | {"kind": kind, "name": name, "organisation": "H21.09"} for kind, name in rows]
    risks = entity_documents(pl.DataFrame(named, schema=RISK), datetime(2026, 3, 1, tzinfo=UTC), {"H21.09": "Sở Y tế"})
    assert risks["organization.name"].to_list() == ["Sở Y tế"] * 3
    assert risks["source.ip"].to_list() == ["192.0.2.1", None, None]
    assert risks["host.name"].to_list() == [None, "web01", None]
    for name, columns in {"soc-entity-risk": risks.columns, "soc-verdicts": VERDICT.names()}.items():
        fields = {field for field, kind in leaves(mappings(bodies, name)).items() if kind["type"] != "alias"}
        assert fields - {"event.ingested"} <= {*columns}


def test_types_follow_the_schema_and_the_exceptions(bodies: dict[str, dict[str, Any]]) -> None:
    fields = leaves(mappings(bodies, "soc-findings"))
    assert fields["@timestamp"] == {"type": "date"}
    assert fields["event.severity"] == {"type": "long"}
    assert fields["rule.author"] == {"type": "keyword", "ignore_above": 8191}
    assert fields["source.ip"]["type"] == "ip"
    assert fields["soc.evidence"] == {"type": "object", "enabled": False}


def test_a_template_takes_only_its_own_months_and_is_made_of_components_that_come_before(
    bodies: dict[str, dict[str, Any]],
) -> None:
    before: set[str] = set()
    for path, body in bodies.items():
        kind, name = path.split("/")
        if kind == "_component_template":
            assert not name.endswith("@mappings") or body["template"]["mappings"]["dynamic"] is False
            before.add(name)
            continue
        assert body["index_patterns"] == [f"{name}-*"]
        assert body["template"]["aliases"] == {name: {}}
        assert {*body["composed_of"]} - {*body["ignore_missing_component_templates"]} <= before
        assert f"{name}@mappings" in body["composed_of"]


def test_the_fingerprint_follows_the_content() -> None:
    definition = templates.read()
    changed = definition.model_copy(update={"settings": {"number_of_shards": 2}})
    assert templates.bodies(definition) == templates.bodies(definition)
    ours, other = templates.bodies(definition), templates.bodies(changed)
    assert [path for path in ours if ours[path]["_meta"] != other[path]["_meta"]] == [
        "_component_template/soc@settings"
    ]


def test_an_unknown_key_is_a_fault(tmp_path: Path) -> None:
    wrong = tmp_path / "templates.yml"
    wrong.write_text(templates.DEFINITION.read_text("utf-8").replace("fields:", "feilds:", 1), "utf-8")
    with pytest.raises(ValidationError, match="feilds"):
        templates.read(wrong)
