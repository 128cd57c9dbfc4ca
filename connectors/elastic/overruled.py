"""Templates of somebody else that take our indices: Elasticsearch applies only the one of the highest priority."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from elasticsearch import Elasticsearch

from connectors.elastic.client import reaching

MONTH: Final = "2026.01.01"  # of the index that stands for all of a template
KIND: Final = "_index_template/"


def overruled(client: Elasticsearch, bodies: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return by the names of our index templates (in `bodies`, by path) what overrules them, in words."""
    ours = {path.removeprefix(KIND): body for path, body in bodies.items() if path.startswith(KIND)}
    with reaching("list the index templates"):
        every = {
            each["name"]: each["index_template"] for each in client.indices.get_index_template()["index_templates"]
        }
    found = {}
    for name, body in ours.items():
        index = body["index_patterns"][0].replace("*", MONTH)
        above = [
            f"{other} (priority {theirs['priority']})"
            for other, theirs in sorted(every.items())
            if other not in ours
            and theirs.get("priority", 0) > body["priority"]
            and any(fnmatchcase(index, pattern) for pattern in theirs["index_patterns"])
        ]
        if above:
            found[name] = ", ".join(above)
    return found
