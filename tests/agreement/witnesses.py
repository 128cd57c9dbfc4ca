"""What CrowdSec and fail2ban find in single lines: who, from where, when, with what outcome."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from tests.agreement.cases import Case, Document

ASSERTION: Final = re.compile(
    r'^results\["s0[12]-[^"]*"\]\["([^"]*)"\]\[(\d+)\]\.Evt\.(?:Meta|Enriched|Parsed)\["(\w+)"\] == (.*)$'
)
NAMES: Final = {
    "source_ip": "source.ip",
    "user": "user.name",
    "username": "user.name",
    "target_user": "user.name",
    "MarshaledTime": "@timestamp",
}
FAILED: Final = re.compile(r"fail|LOGIN_ERROR|denied|bad_")


def witnesses(reference: Path) -> Iterator[Case]:
    """Yield a case per file; its records are its lines."""
    for path in sorted((reference / "crowdsec").glob("*/parser.assert")):
        config = yaml.safe_load(path.with_name("config.yaml").read_text("utf-8"))
        log = path.with_name(config["log_file"])
        if log.is_file():
            lines = [line for line in log.read_text("utf-8", "backslashreplace").split("\n") if line.strip()]
            yield Case(f"crowdsec/{path.parent.name}", log, _asserted(path, lines), lines)
    for path in sorted((reference / "fail2ban").iterdir()):
        yield _banned(path)


def _asserted(path: Path, lines: list[str]) -> list[Document | None]:
    """Return what is asserted of each line; a parser counts only the lines it was given, so their texts tell which."""
    results: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for line in path.read_text("utf-8").splitlines():
        if match := ASSERTION.match(line):
            parser, place, name, value = match.groups()
            results[parser, place][name] = _unquoted(value)
    found: dict[int, Document] = defaultdict(dict)
    taken: set[tuple[str, int]] = set()
    for (parser, place), values in results.items():
        message = values.get("message", "")
        fits = (at for at, line in enumerate(lines) if message and message in line and (parser, at) not in taken)
        number = next(fits, int(place))
        taken.add((parser, number))
        for name, value in values.items():
            if name in NAMES and value not in {"", "-"}:
                found[number].setdefault(NAMES[name], value)
        if FAILED.search(values.get("log_type", "")):
            found[number]["event.outcome"] = "failure"
    return [found.get(place) for place in range(len(lines))]


def _unquoted(value: str) -> str:
    try:
        return str(json.loads(value))
    except ValueError:
        return value.strip().strip('"')


def _banned(path: Path) -> Case:
    lines: list[str] = []
    expected: list[Document | None] = []
    told: Document = {}
    for line in path.read_text("utf-8", "backslashreplace").splitlines():
        if line.startswith("# failJSON:"):
            told = json.loads(line.partition(":")[2])
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
            expected.append(_failure(told) if told.get("match") else None)
            told = {}
    return Case(f"fail2ban/{path.name}", path, expected, lines)


def _failure(told: Document) -> Document:
    names = {"host": "source.ip", "user": "user.name"}
    return {names[name]: value for name, value in told.items() if name in names}
