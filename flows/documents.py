"""Files of JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from detectors.errors import UnavailableError


def write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON document a line."""
    with path.open("wb") as file:
        for document in documents:
            file.write(orjson.dumps(document, default=_text) + b"\n")


def write_text(path: Path, text: str) -> None:
    """Write a text of ours.

    Raises:
        UnavailableError: the file can't be written.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UnavailableError(f"{path} can't be written: {error.strerror}", fix="name another file") from error


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
