"""Exceptions see columns that the parser hands over as numbers, and that rules did not ask for."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import polars as pl
import pytest

from connectors.definitions import load_definitions
from connectors.formats import json_lines
from connectors.parser import DefinedParser
from detectors.content import contents
from detectors.contracts import Batch
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.exceptions import Exceptions
from detectors.sigma.filters import Filter
from detectors.sigma.rule import Rule
from flows.assembly import detection
from flows.sifting import Sifted, sift

RULE = """title: A tool
id: 00000000-0000-4000-8000-000000000001
logsource: {product: windows, service: sysmon}
detection: {sel: {Image|endswith: 'tool.exe'}, condition: sel}
"""
FILTER = """title: Known
logsource: {product: windows}
filter: {rules: any, sel: {SELECTION}, condition: not sel}
"""


def lines(count: int) -> Iterator[str]:
    for number in range(count):
        data = {"Image": f"C:\\{number % 7}\\tool.exe", "ParentCommandLine": f"job {number % 3}", "User": "HQ\\lan"}
        system = {"Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Computer": "pc1"}
        created = {"TimeCreated": {"#attributes": {"SystemTime": "2026-03-09T08:00:00Z"}}}
        yield orjson.dumps({"Event": {"System": system | created, "EventData": data}}).decode()


def sifted(selection: str, count: int) -> Sifted:
    (rule,) = contents(RULE, "r.yml")
    (known,) = contents(FILTER.replace("SELECTION", selection), "f.yml")
    assert isinstance(rule, Rule)
    assert isinstance(known, Filter)
    engine, parser = Engine([rule]), DefinedParser(load_definitions()["windows"])
    rows = [(line, number, 0) for number, line in enumerate(lines(count))]
    batch = Batch("windows", "kafka:soc.raw.windows:0", "x", pl.DataFrame(rows, schema=RECORD, orient="row"))
    parsed = parser.parse(batch, engine.wanted(parser.dialect))
    hits = engine.detect(parser.dialect, parsed.events, parsed.encoded)
    assert hits.row.size == count
    return sift(batch, parser, parsed.events, hits, Exceptions([known], [rule]), detections=[detection(rule)])


@pytest.mark.parametrize("count", [9, 300])
@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        ("ParentCommandLine: job 1", [1]),  # a column that no rule looks at
        (r"'Image|startswith': 'C:\2\'", [2]),  # the one that the rule looks at
    ],
)
def test_exceptions_see_every_column(
    selection: str, taken: list[int], count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_lines, "FEW", 0)  # as with many lines: columns come as numbers
    monkeypatch.setattr(json_lines, "COLD", 0)
    found = sifted(selection, count)
    every = 3 if "Parent" in selection else 7
    expected = [row for row in range(count) if row % every in taken]
    assert found.suppressed.height == len(expected)
    assert sorted(found.hits.row.tolist()) == [row for row in range(count) if row not in expected]
