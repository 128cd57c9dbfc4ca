"""Value lists of the settings as Kibana's own, so that exceptions in the Security app use the same words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.kibana.client import Kibana
from detectors.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a list: how many entries came new, and how many went."""

    added: int
    removed: int


def put(kibana: Kibana, name: str, entries: Iterable[str], *, kind: str = "keyword") -> Kept:
    """Make a list hold just these entries; `kind` is `keyword` or `ip_range`."""
    wanted = set(entries)
    kibana.ask("POST", "/api/lists/index", allow=frozenset({409}))  # 409: it stands there
    described = {"id": name, "name": name, "type": kind, "description": "kept by `soc dashboards push`"}
    kibana.ask("POST", "/api/lists", json=described, allow=frozenset({409}))
    known = _known(kibana, name)
    if new := sorted(wanted - known):
        text = "".join(f"{entry}\n" for entry in new)
        asked = {"list_id": name, "type": kind}
        answer = kibana.ask(
            "POST", "/api/lists/items/_import", params=asked, files={"file": (f"{name}.txt", text, "text/plain")}
        )
        if kibana.json(answer).get("id") != name:
            raise UnavailableError(f"Kibana didn't take the entries of the list {name}", fix="see its log")
    for entry in sorted(known - wanted):
        kibana.ask("DELETE", "/api/lists/items", params={"list_id": name, "value": entry}, allow=frozenset({404}))
    return Kept(len(wanted - known), len(known - wanted))


def _known(kibana: Kibana, name: str) -> set[str]:
    answer = kibana.ask("POST", "/api/lists/items/_export", params={"list_id": name}, allow=frozenset({404}))
    return set(answer.text.splitlines()) if answer.status_code == 200 else set()
