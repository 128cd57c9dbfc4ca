"""Damaged lines of every source: no crash, and every line is found again, in an event or in a dead letter."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.definitions import load_definitions
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.schema import RECORD

SAMPLES = Path(__file__).parents[1] / "samples"
DEFINITIONS = load_definitions()
LINES = {
    source: [json.loads(path.read_text("utf-8"))["input"] for path in sorted((SAMPLES / source).glob("*.json"))]
    for source in DEFINITIONS
}
PIECES = [
    "",
    " ",
    '"',
    "\\",
    "[",
    "]",
    "<",
    "=",
    ",",
    "\t",
    "\x00",
    "\x1b[31m",
    "ễ",
    "\ufffd",
    "9" * 18,
    "-",
    "%s",
    "'",
]


@st.composite
def damaged(draw: st.DrawFn, lines: list[str]) -> str:
    """Return a line of which a stretch is cut out, or replaced by something that parsers trip over."""
    line = draw(st.sampled_from(lines))
    first = draw(st.integers(0, len(line)))
    last = draw(st.integers(first, len(line)) | st.just(len(line)))
    return line[:first] + draw(st.sampled_from(PIECES) | st.text(max_size=8)) + line[last:]


@st.composite
def batches(draw: st.DrawFn) -> tuple[str, list[str]]:
    """Return a source and some lines for it, damaged and whole, of its own and of others."""
    source = draw(st.sampled_from([name for name, lines in LINES.items() if lines]))
    other = draw(st.sampled_from([name for name, lines in LINES.items() if lines]))
    line = st.one_of(damaged(LINES[source]), st.sampled_from(LINES[source]), damaged(LINES[other]))
    return source, draw(st.lists(line, min_size=1, max_size=5))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches(), st.booleans())
def test_no_line_is_lost(given_lines: tuple[str, list[str]], everything: bool) -> None:
    source, lines = given_lines
    records = pl.DataFrame([(line, place, 0) for place, line in enumerate(lines)], schema=RECORD, orient="row")
    wanted = None if everything else ["message", "source.ip", "user.name", "event.outcome"]
    parsed = DefinedParser(DEFINITIONS[source], year=2026).parse(Batch(source, "file:x", "x", records), wanted)
    found = Counter(
        line for frame in (parsed.events, parsed.dead) for text in frame["event.original"] for line in text.split("\n")
    )
    assert found == Counter(line for text in lines for line in text.split("\n"))
    assert parsed.dead["error.message"].null_count() == 0
