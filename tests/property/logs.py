"""Reference logs as flat events under the names that Sigma rules use."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

# 83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /a?b HTTP/1.1" 200 203023 "http://…" "Mozilla/5.0 …"
_ACCESS = re.compile(r'(\S+) \S+ \S+ \[[^\]]*\] "(\S+) ([^ ?"]*)(?:\?([^ "]*))?[^"]*" (\d+) (\S+) "([^"]*)" "([^"]*)"')
_NAMES = ("c-ip", "cs-method", "cs-uri-stem", "cs-uri-query", "sc-status", "sc-bytes", "cs-referer", "cs-user-agent")


def events(folder: Path) -> list[dict[str, str]]:
    """Return all events of the regression sets, of the OTRF sets, and every tenth line of the web log."""
    found: list[dict[str, str]] = []
    for path in sorted(folder.glob("evtx/sigma-regression/**/*.json")):
        found += [flat(record) for record in _documents(path.read_text("utf-8"))]
    for path in sorted(folder.glob("otrf/**/*.zip")):
        found += [flat(record) for record in _records(path)]
    lines = (folder / "web/apache_logs_10k").read_text("utf-8", "replace").splitlines()
    found += [
        dict(zip(_NAMES, match.groups(""), strict=True)) for line in lines[::10] if (match := _ACCESS.match(line))
    ]
    return found


def flat(record: dict[str, Any]) -> dict[str, str]:
    """Return a record's scalars as texts, nested ones under dotted names, a Windows event's data under its own."""
    if "Event" in record:
        system = record["Event"]["System"]
        data = record["Event"].get("EventData") or {}
        provider = system["Provider"]["#attributes"]["Name"]
        record = {**system, **data, "Provider_Name": provider, "Provider": None}
    return dict(_scalars("", record))


def _scalars(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _scalars(f"{prefix}.{key}" if prefix else key, inner)
    elif isinstance(value, bool):
        yield prefix, str(value).lower()
    elif isinstance(value, str | int | float):
        yield prefix, str(value)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents of a text that holds one after the other."""
    decoder, text = json.JSONDecoder(), text.strip()
    while text:
        document, end = decoder.raw_decode(text)
        yield document
        text = text[end:].lstrip()


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            for line in io.BytesIO(archive.read(name)):
                if line.startswith(b"{"):
                    yield orjson.loads(line)
