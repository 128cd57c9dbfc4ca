"""The scanner reads nothing beyond its data, whatever stands there."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import orjson
import polars as pl
import pytest

from connectors.formats import json_lines, windows
from connectors.formats.cells import scanned
from connectors.formats.json_lines import Lines
from connectors.formats.scanner import ODD
from connectors.formats.trees import mapped
from connectors.formats.windows import Windows
from connectors.windows_event import pick
from tests.connectors.formats.json_texts import exactly

CHECKOUT = Path(__file__).parents[3]
LINES = [
    r'{"EventID":1,"Image":"C:\\a.exe","Data":["a",1.50,null],"Level":-0}',
    r'{"Event":{"System":{"EventID":{"#attributes":{"Qualifiers":0},"#text":7}},"EventData":{"Image":"\u00e9","Data":{"#text":["x"]}}}}',
    r'{"winlog":{"event_id":"1","event_data":{"Image":"a","param1":"b"}},"process":{"executable":"é"},"log":{"level":"x"}}',
]
NAMES = frozenset({"EventID", "Image", "Data", "Level"})


def test_no_byte_beyond_an_array_is_touched(tmp_path: Path) -> None:
    """Compiled code that checks every access reads what the other tests read."""
    tests = [f"{Path(__file__).parent / name}" for name in ("test_json_lines.py", "test_clock.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("line", LINES)
def test_a_cut_or_changed_line_is_read_as_the_exact_reader_does(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "FEW", 0)
    monkeypatch.setattr(json_lines, "COLD", 0)
    dice = random.Random(line)  # noqa: S311 - the same lines each time
    sample = [line[:end] for end in range(len(line))]
    for _ in range(2_000):
        at, other = dice.randrange(len(line)), dice.choice('{}[]",:\\ \x000123456789eE.+-tfnu#')
        sample.append(line[:at] + other + line[at + dice.randrange(3) :])
    assert Windows().parse(pl.Series(sample), NAMES).to_dicts() == exactly(pick, sample, NAMES)


def test_a_line_ends_where_it_is_said_to_whatever_follows() -> None:
    known = mapped(windows.layout, NAMES)
    data = b'{"EventID":12345'
    cells = scanned(memoryview(data + b"}"), np.array([0]), np.array([len(data)]), known)
    assert cells.status.tolist() == [ODD]
    text = b'{"Image":"' + b"x" * 100
    cells = scanned(memoryview(text + b'"}'), np.array([0]), np.array([len(text)]), known)
    assert cells.status.tolist() == [ODD]


def test_values_that_hash_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long values are hashed by their ends only: thousands that differ in the middle fill every place they may take."""
    monkeypatch.setattr(json_lines, "FEW", 0)
    monkeypatch.setattr(json_lines, "COLD", 0)
    ends = "x" * 100
    rows: list[dict[str, object]] = [{"EventID": 1, "Image": f"{ends}{number:06}{ends}"} for number in range(3_000)] * 2
    lines = pl.Series([orjson.dumps(row).decode() for row in rows])
    found = Windows().read(Lines(lines), NAMES).frame(["Image"])["Image"]
    assert found.to_list() == [row["Image"] for row in rows]
