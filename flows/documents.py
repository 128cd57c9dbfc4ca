"""Rows of frames as JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

_JSON = ("soc.evidence",)  # columns that hold JSON text


def nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a nested document: dotted names become objects; nulls and empty lists are left out."""
    document: dict[str, Any] = {}
    for name, value in row.items():
        if value is None or value == []:
            continue
        *parents, last = name.split(".")
        place = document
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = orjson.loads(value) if name in _JSON else value
    return document


def write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON document a line."""
    with path.open("wb") as file:
        for document in documents:
            file.write(orjson.dumps(document, default=_text) + b"\n")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
