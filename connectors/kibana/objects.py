"""Saved objects in and out, by Kibana's import and export APIs.

Kibana answers 200 to an import of which nothing went well: what it did stands in the body.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import httpx

from connectors.kibana.client import Kibana
from detectors.errors import UnavailableError

Json = dict[str, Any]
FIXES: Final = {
    "conflict": "another object has this id; `soc dashboards diff` shows it",
    "ambiguous_conflict": "several objects in other spaces come from it: remove those that nobody needs",
    "missing_references": "import the data views as well",
    "unsupported_type": "this Kibana doesn't know that kind of object: is it version 9?",
}

# What Kibana adds or moves up by itself, so that it says nothing of who changed what.
OWN: Final = frozenset({
    "created_at", "created_by", "updated_at", "updated_by", "version", "managed", "coreMigrationVersion",
    "typeMigrationVersion", "migrationVersion", "namespaces", "originId", "accessControl",
})  # fmt: skip


def put(kibana: Kibana, lines: bytes) -> int:
    """Import saved objects over those that stand there; return how many.

    Raises:
        UnavailableError: some were not taken; it names each with the reason. The others are in.
    """
    files = {"file": ("soc.ndjson", lines, "application/ndjson")}
    answer = kibana.ask("POST", "/api/saved_objects/_import", params={"overwrite": "true"}, files=files)
    body = kibana.json(answer)
    if body.get("success") is not True:
        faults = [_fault(each) for each in body.get("errors", [])]
        raise UnavailableError(
            f"Kibana took {body.get('successCount', 0)} objects and refused {len(faults)}: {'; '.join(faults[:10])}",
            fix="mend what is named and push again",
        )
    return int(body.get("successCount", 0))


def _fault(each: Json) -> str:
    error = each.get("error", {})
    missing = ", ".join(f"{one.get('type')} {one.get('id')}" for one in error.get("references", []))
    kind = str(error.get("type", "unknown"))
    why = missing or error.get("message") or FIXES.get(kind, "")
    return f"{each.get('type')} {each.get('id')}: {kind}{f' ({why})' if why else ''}"


def get(kibana: Kibana, names: Iterable[tuple[str, str]]) -> list[Json]:
    """Export objects by type and id; those that aren't there are left out."""
    wanted = sorted(set(names))
    while wanted:
        answer = _export(kibana, {"objects": [{"type": kind, "id": name} for kind, name in wanted]})
        if answer.status_code == 200:
            return _lines(answer)
        lost = {(each["type"], each["id"]) for each in kibana.json(answer).get("attributes", {}).get("objects", [])}
        if not lost & set(wanted):
            raise UnavailableError(f"Kibana can't export: {kibana.json(answer).get('message', '')}", fix="see its log")
        wanted = [each for each in wanted if each not in lost]
    return []


def tagged(kibana: Kibana, tag: str) -> list[Json]:
    """Export all dashboards and searches that carry a tag, with what they need: those that people made, too."""
    asked = {
        "type": ["dashboard", "search", "lens", "visualization", "links"],
        "hasReference": [{"type": "tag", "id": tag}],
        "includeReferencesDeep": True,
    }
    answer = _export(kibana, asked)
    if answer.status_code != 200:
        raise UnavailableError(f"Kibana can't export: {kibana.json(answer).get('message', '')}",
                               fix="push the dashboards first: soc dashboards push")  # fmt: skip
    return _lines(answer)


def _export(kibana: Kibana, asked: Json) -> httpx.Response:
    wanted = {**asked, "excludeExportDetails": True}
    return kibana.ask("POST", "/api/saved_objects/_export", json=wanted, allow=frozenset({400}))


def _lines(answer: httpx.Response) -> list[Json]:
    found = [json.loads(line) for line in answer.text.split("\n") if line.strip()]
    return [each for each in found if "exportedCount" not in each]


def told_apart(objects: Sequence[Json]) -> dict[tuple[str, str], Json]:
    """Return objects by type and id, without what Kibana adds by itself; JSON within texts is read."""
    return {(each["type"], each["id"]): _plain({k: v for k, v in each.items() if k not in OWN}) for each in objects}


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return _plain(json.loads(value))
        except ValueError:
            return value
    return value
