"""Files of JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson


def write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON document a line."""
    with path.open("wb") as file:
        for document in documents:
            file.write(orjson.dumps(document, default=_text) + b"\n")


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
