"""Findings for other programs: JSON with all that was said, CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, TextIO

import orjson

from connectors.nested import nest
from connectors.store import Store
from connectors.store_wanted import Wanted
from detectors.schema import FINDING
from flows.terminal import visible

CELL: Final = 32_000  # characters of a cell; spreadsheets refuse more than 32,767
PAGE: Final = 1_000  # findings in memory at once
# What makes a cell a formula, in any width, also behind spaces or quotes; see OWASP "CSV Injection".
FORMULA: Final = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
_LONG: Final = frozenset({"soc.evidence", "soc.anomaly"})  # JSON; in the other formats only
COLUMNS: Final = (
    *(name for name in FINDING if name not in _LONG),
    "soc.matches",
    "soc.triage.status",
    "soc.triage.owner",
    "soc.triage.reason",
)


def rows(store: Store, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield all findings that are wanted, newest first, a page in memory at a time."""
    offset = 0
    while True:
        page = store.select(wanted, limit=PAGE, offset=offset)
        yield from page.iter_rows(named=True)
        offset += page.height
        if page.height < PAGE:
            return


def documents(store: Store, found: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield findings as nested documents, each with all that was said of it."""
    for row in found:
        said = [asdict(each) for each in store.history(row["event.id"])]
        yield {**nest(row), "audit": said}


def write_json(found: Iterable[Mapping[str, Any]], file: TextIO, *, lines: bool) -> int:
    """Write documents as one JSON list, or one document a line; return how many."""
    count = 0
    for count, document in enumerate(found, 1):
        text = inert(orjson.dumps(document, default=_text, option=orjson.OPT_UTC_Z).decode())
        file.write(text + "\n" if lines else ("[\n" if count == 1 else ",\n") + text)
    if not lines:
        file.write("\n]\n" if count else "[]\n")
    return count


def write_csv(found: Iterable[Mapping[str, Any]], file: TextIO, columns: Iterable[str] = COLUMNS) -> int:
    """Write rows as CSV with a header; return how many. Every cell is inert: see `cell`."""
    names, count = list(columns), 0
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(names)
    for row in found:
        writer.writerow([cell(row.get(name)) for name in names])
        count += 1
    return count


def cell(value: object) -> str:
    r"""Return a value as one harmless line: what steers is shown as an escape, what would be a formula is quoted.

    >>> cell('=cmd|"/c calc"!A1'), cell("a\x1b[2J"), cell(["x", "y"])
    ('\'=cmd|"/c calc"!A1', 'a\\x1b[2J', 'x; y')
    """
    if value is None:
        return ""
    if isinstance(value, list):
        value = "; ".join(str(each) for each in value if each is not None)
    if not isinstance(value, str):
        return _text(value)
    cut = value if len(value) <= CELL else f"{value[:CELL]}… ({len(value)} characters)"
    text = visible(cut)
    return f"'{text}" if text.lstrip(" \"'").startswith(FORMULA) else text


def inert(text: str) -> str:
    """Write what has no picture as JSON's escapes: the same values, and nothing that steers a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
