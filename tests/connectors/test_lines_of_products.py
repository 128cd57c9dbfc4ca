"""Lines as products document them, in the forms of several versions: who, where from, when, what and how it ended.

`tests/lines/<source>.yml` names of each line the columns that count; what isn't named may be anything.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from connectors.lines import records
from connectors.parser import DefinedParser
from connectors.recognise import recognise
from detectors.contracts import Batch
from tests.connectors.test_parser import DEFINITIONS

LINES: Final = Path(__file__).parents[1] / "lines"
SOURCES: Final = sorted(path.stem for path in LINES.glob("*.yml"))
# devices and programs whose lines are also syslog of anybody
AMONG: Final = (
    "checkpoint", "cisco_ios", "huawei", "junos", "mail", "mikrotik", "panos", "pfsense", "qnap", "radius", "snare",
    "snort", "symantec_endpoint", "synology", "vmware",
)  # fmt: skip


@cache
def told(source: str) -> list[dict[str, Any]]:
    found = yaml.load((LINES / f"{source}.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_lines_tell_what_they_say(source: str) -> None:
    cases = told(source)
    lines = records([case["line"] for case in cases], list(range(len(cases))))
    named = {name for case in cases for name in case["is"]}
    parsed = DefinedParser(DEFINITIONS[source], year=2026).parse(Batch(source, "file:test", "test", lines), named)
    assert parsed.dead.height == 0
    rows = parsed.frame().rows(named=True)
    assert len(rows) == len(cases)
    for case, row in zip(cases, rows, strict=True):
        assert {name: _plain(row.get(name)) for name in case["is"]} == case["is"], case["line"]


@pytest.mark.parametrize("source", AMONG)
def test_lines_are_recognised(source: str) -> None:
    found = recognise([case["line"] for case in told(source)], DEFINITIONS)
    assert found is not None
    assert found.source == source


def _plain(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
