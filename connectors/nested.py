"""Rows of frames as the nested documents that Elasticsearch and files hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

JSON: Final = frozenset({"soc.evidence", "soc.anomaly", "soc.decisions"})  # texts that are objects in documents


def nest(row: Mapping[str, object]) -> dict[str, Any]:
    """Turn dotted names into nested objects and leave out what is missing: {"rule.id": "x"} → {"rule": {"id": "x"}}."""
    tree: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or value == []:
            continue
        *parents, leaf = name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = _parsed(value) if name in JSON else value
    return tree


def _parsed(evidence: object) -> object:
    """Return evidence as the JSON it is, or as text if it isn't or is nested deeper than a document may be."""
    try:
        return orjson.Fragment(orjson.dumps(orjson.loads(str(evidence))))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return evidence
