"""Value lists of the settings as Kibana's own, so that exceptions in the Security app use the same words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from connectors.kibana.client import Kibana
from detectors.errors import UnavailableError

LARGEST: Final = 8_000_000  # bytes of one file; Kibana takes 9,000,000 (xpack.lists.maxImportPayloadBytes)


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
    for text in _pieces(sorted(wanted - known)):
        asked = {"list_id": name, "type": kind}
        answer = kibana.ask(
            "POST", "/api/lists/items/_import", params=asked, files={"file": (f"{name}.txt", text, "text/plain")}
        )
        if kibana.json(answer).get("id") != name:
            raise UnavailableError(f"Kibana didn't take the entries of the list {name}", fix="see its log")
    for entry in sorted(known - wanted):
        kibana.ask("DELETE", "/api/lists/items", params={"list_id": name, "value": entry}, allow=frozenset({404}))
    return Kept(len(wanted - known), len(known - wanted))


def _pieces(entries: Iterable[str]) -> Iterator[bytes]:
    """Yield entries a line each, in files of a size that Kibana takes."""
    piece = bytearray()
    for entry in entries:
        line = f"{entry}\n".encode()
        if piece and len(piece) + len(line) > LARGEST:
            yield bytes(piece)
            piece.clear()
        piece += line
    if piece:
        yield bytes(piece)


def _known(kibana: Kibana, name: str) -> set[str]:
    answer = kibana.ask("POST", "/api/lists/items/_export", params={"list_id": name}, allow=frozenset({404}))
    return set(answer.text.splitlines()) if answer.status_code == 200 else set()
