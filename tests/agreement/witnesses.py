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
    r'^results\["s0[12]-[^"]*"\]\["[^"]*"\]\[(\d+)\]\.(Success|Evt\.(?:Meta|Enriched|Parsed)\["(\w+)"\]) == (.*)$'
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
            yield Case(f"crowdsec/{path.parent.name}", log, _asserted(path, len(lines)), lines)
    for path in sorted((reference / "fail2ban").iterdir()):
        yield _banned(path)


def _asserted(path: Path, lines: int) -> list[Document | None]:
    found: dict[int, Document] = defaultdict(dict)
    for line in path.read_text("utf-8").splitlines():
        if not (match := ASSERTION.match(line)):
            continue
        place, _, name, value = match.groups()
        text = value.strip().strip('"')
        if name in NAMES and text not in {"", "-"}:
            found[int(place)].setdefault(NAMES[name], text)
        if name == "log_type" and FAILED.search(text):
            found[int(place)]["event.outcome"] = "failure"
    return [found.get(place) for place in range(lines)]


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
