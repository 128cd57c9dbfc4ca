"""Events made to do harm slow themselves only, and hide no other event."""

from __future__ import annotations

import time

import polars as pl
import pytest

from detectors.sigma.engine import Engine
from tests.detectors.sigma.asking import DIALECT, Event, compiled, frame

MEGABYTES = 10
SIZE = MEGABYTES * 1_000_000
SECONDS = 20  # of processor time; the slowest takes 3
RULES = [
    "f|contains: [needle, pin]",
    "f|contains|all: [needle, eye]",
    "f|startswith: 'the needle'",
    "f|endswith: ' eye'",
    "f: 'the*needle?*eye'",
    "f|contains: '*?*?*?needle'",
    "f|re: 'n[e-]{2}dle.*eye$'",
    "f|re|i: '(THE|A) +needle'",
    "f|cased|contains: needle",
    "f|windash|contains: ' -eye'",
    "f|neq: x",
    "- needle",
    "f|cidr: 10.0.0.0/8",
    "f: 5",
    "f|gt: 5",
    "f|hour: 5",
    "f|fieldref|contains: g",
]
PLAIN = "the needle has an eye"  # true of all but those that ask for a dash, a network, a number or a time
FITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 16]


def texts(size: int) -> dict[str, str]:
    """Return texts of this many characters (or bytes), each bad for some way to search."""
    return {
        "one letter": "a" * size,
        "beginnings of what is looked for": "needl" * (size // 5),
        "what is looked for, over and over": "the needle " * (size // 11),
        "backslashes": "\\" * size,
        "letters outside of ASCII": "Đắk " * (size // 7),
        "letters that fold oddly": "İΣ\u212a" * (size // 6),
        "line feeds": "\n" * size,
        "digits": "5" * size,
        "colons": "::1" * (size // 3),
        "nul": "\0" * size,
    }


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine([compiled(item) for item in RULES])


@pytest.mark.parametrize("kind", texts(0))
def test_a_huge_field_costs_seconds_and_hides_nothing(engine: Engine, kind: str) -> None:
    hostile = texts(SIZE)[kind]
    begin = time.process_time()
    hits = engine.detect(DIALECT, frame([{"f": PLAIN, "g": "eye"}, {"f": hostile, "g": "eye"}, {"f": "x"}]))
    assert time.process_time() - begin < SECONDS
    assert engine.failures == {}
    assert hits.rule[hits.row == 0].tolist() == FITS
    assert hits.rule[hits.row == 2].tolist() == []


def test_as_many_values_as_events() -> None:
    height = 200_000
    events = frame([{}] * height).with_columns(
        f=pl.concat_str(pl.lit("needle "), pl.int_range(height).cast(pl.String), pl.lit(" eye")),
    )
    engine = Engine([compiled("f|contains: ' 199999 '"), compiled("f: 'needle*77777?eye'"), compiled("f|neq|re: eye")])
    begin = time.process_time()
    hits = engine.detect(DIALECT, events)
    assert list(zip(hits.rule.tolist(), hits.row.tolist(), strict=True)) == [(0, 199_999), (1, 77_777), (1, 177_777)]
    assert time.process_time() - begin < SECONDS


def test_lists_of_thousands(engine: Engine) -> None:
    long: list[str | None] = [f"value {number}" for number in range(20_000)]
    events: list[Event] = [{"f": [*long, PLAIN], "g": "eye"}, {"f": long}, {"f": [PLAIN], "g": "eye"}]
    begin = time.process_time()
    hits = engine.detect(DIALECT, frame(events))
    assert hits.rule[hits.row == 0].tolist() == hits.rule[hits.row == 2].tolist() == FITS
    assert hits.rule[hits.row == 1].tolist() == [10]  # neq
    assert time.process_time() - begin < SECONDS


def test_ten_thousand_columns(engine: Engine) -> None:
    wide: dict[str, str] = {f"column{number}": "needle" for number in range(10_000)}
    begin = time.process_time()
    hits = engine.detect(DIALECT, frame([{**wide, "f": PLAIN, "g": "eye"}, {"f": "x"}]))
    assert hits.rule.tolist() == FITS
    assert time.process_time() - begin < SECONDS
