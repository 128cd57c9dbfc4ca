"""The Elasticsearch index templates and their components, built from `templates.yml` and the schemas."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field

from detectors import schema

DEFINITION = Path(__file__).with_name("templates.yml")
SCHEMAS = {
    "FINDING": schema.FINDING,
    "MATCH": schema.MATCH,
    "SUPPRESSED": schema.SUPPRESSED,
    "MEMORY": schema.MEMORY,
    "COVERAGE": schema.COVERAGE,
}

Body = dict[str, Any]  # JSON


class Template(BaseModel):
    """One kind of index."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: str | None = Field(None, alias="schema", description="the name of a schema in detectors/schema.py")
    fields: dict[str, Body] = {}


class Definition(BaseModel):
    """The whole of templates.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    settings: Body
    types: dict[str, Body]
    templates: dict[str, Template]


def read(path: Path = DEFINITION) -> Definition:
    """Read the definition."""
    return Definition.model_validate(yaml.safe_load(path.read_text("utf-8")))


def bodies(definition: Definition) -> dict[str, Body]:
    """Return what to put into Elasticsearch, by path and in order: components before the templates made of them.

    `_meta.fingerprint` is a hash of the rest, so an installed template can be compared with ours although
    Elasticsearch gives it back in another form.
    """
    settings = {"template": {"settings": {"index": definition.settings}}}
    mappings = {
        f"_component_template/{name}@mappings": _signed(_mappings(template, definition))
        for name, template in definition.templates.items()
    }
    made = {f"_index_template/{name}": _signed(_body(name)) for name in definition.templates}
    return {"_component_template/soc@settings": _signed(settings), **mappings, **made}


def fields(definition: Definition) -> dict[str, dict[str, str]]:
    """Return the type of every field of every kind of index: {"soc-findings": {"rule.id": "keyword"}}."""
    return {name: _types(_fields(template, definition)) for name, template in definition.templates.items()}


def _types(found: Mapping[str, Body]) -> dict[str, str]:
    """Return the type of each field; an alias has that of what it stands for."""
    return {
        field: str(found[kind["path"]]["type"] if "path" in kind else kind["type"]) for field, kind in found.items()
    }


def _fields(template: Template, definition: Definition) -> dict[str, Body]:
    columns = SCHEMAS[template.columns] if template.columns else pl.Schema()
    return {column: mapping(kind, definition.types) for column, kind in columns.items()} | template.fields


# Components that others may add, the later over the earlier: Elastic's types for fields beyond ours, a lifecycle, and
# whatever an operator wants otherwise.
OTHERS = ("ecs@mappings", "soc@lifecycle", "soc@custom")


def _mappings(template: Template, definition: Definition) -> Body:
    # Only what is mapped here is indexed: no log line can add fields until the mapping explodes.
    return {"template": {"mappings": {"dynamic": False, **nested(_fields(template, definition))}}}


def _body(name: str) -> Body:
    ecs, *later = OTHERS
    return {
        "index_patterns": [f"{name}-*"],
        "priority": 500,  # above the templates Elasticsearch brings along (100 to 200)
        "composed_of": [ecs, "soc@settings", f"{name}@mappings", *later],
        "ignore_missing_component_templates": list(OTHERS),
        "template": {"aliases": {name: {}}},
    }


def mapping(kind: pl.DataType, types: Mapping[str, Body]) -> Body:
    """Return the mapping of a column type; Elasticsearch maps a list like its elements."""
    inner = kind.inner if isinstance(kind, pl.List) else kind
    return types[inner.base_type().__name__]


def nested(fields: Mapping[str, Body]) -> Body:
    """Turn dotted names into the tree of `properties` Elasticsearch wants."""
    tree: Body = {"properties": {}}
    for name, kind in sorted(fields.items()):
        *parents, leaf = name.split(".")
        node = tree
        for parent in parents:
            node = node["properties"].setdefault(parent, {"properties": {}})
        node["properties"][leaf] = kind
    return tree


def _signed(body: Body) -> Body:
    text = json.dumps(body, sort_keys=True)
    return {**body, "_meta": {"fingerprint": hashlib.sha256(text.encode()).hexdigest()}}
