"""How many events a second each source's parser makes on one core, of lines like those of its samples.

A sample is repeated with other addresses and times of day, so that no two lines are equal: parsers work on the distinct
values of columns, and equal lines would be read once.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from connectors.lines import records
from connectors.parser import DefinedParser
from connectors.simulator.write import write
from detectors.contracts import Batch
from flows.bench.clock import least
from flows.bench.table import table
from flows.bench.work import Work
from flows.commands.simulate import START

VARIED: Final = re.compile(r"\b(?:192\.0\.2|198\.51\.100|203\.0\.113|10\.\d+\.\d+)\.\d+\b|\b\d\d:\d\d:\d\d\b")
EVENTS: Final = 20_000
AIMS: Final = {True: 150_000, False: 300_000}  # events a second of JSON, of text


@dataclass(frozen=True, slots=True)
class Speed:
    """Events a second and core of a source: of the columns that rules ask for, and of all."""

    source: str
    format: str
    structured: bool
    rules: int  # events a second, of the columns that rules ask for
    whole: int  # of all columns


def formats(work: Work, samples: Path, folder: Path) -> list[Speed]:
    """Measure every source there are lines of, with samples below a folder or (`.`) simulated ones, on one thread."""
    parts = work.parts()
    found = _simulated(folder) if samples == Path() else _samples(samples)
    measured = []
    for source, lines in sorted(found.items()):
        if source not in parts.definitions or not lines:
            continue
        parser = DefinedParser(parts.definitions[source], year=2026)
        every = varied(lines, EVENTS)
        batch = Batch(source, "file:bench", "bench", records(every, range(len(every))))
        wanted = parts.engine.wanted(parser.dialect)
        rules, whole = (least(partial(parser.parse, batch, asked), 2) for asked in (wanted, None))
        one = parser.definition
        measured.append(Speed(source, one.format, one.reader.structured, round(EVENTS / rules), round(EVENTS / whole)))
    return measured


def varied(lines: Sequence[str], count: int) -> list[str]:
    """Return so many lines like these, with other addresses and times of day."""
    chance = random.Random(23)  # noqa: S311 - the same lines each time
    return [VARIED.sub(lambda found: _other(found[0], chance), lines[place % len(lines)]) for place in range(count)]


def _other(text: str, chance: random.Random) -> str:
    if ":" in text:
        return f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
    return f"10.{chance.randrange(4)}.{chance.randrange(256)}.{chance.randrange(1, 255)}"


def _samples(folder: Path) -> Mapping[str, list[str]]:
    """Read samples as tests keep them: <source>/*.json with an `input`."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*/*.json")):
        found.setdefault(path.parent.name, []).append(orjson.loads(path.read_bytes())["input"])
    return found


def _simulated(folder: Path) -> Mapping[str, list[str]]:
    """Take lines of each source of a simulated day, where they stand: <source>/<file>."""
    logs = write(folder / "logs", 1, START, 1).folder
    return {path.parent.name: list(_head(path)) for path in sorted(logs.glob("*/*"))}


def _head(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line.rstrip("\n") for line, _ in zip(file, range(2_000), strict=False))


def shown(speeds: Iterable[Speed]) -> str:
    """Return the table, and how many sources are as fast as they should be."""
    every = sorted(speeds, key=lambda one: -one.rules)
    rows = [(one.source, one.format, one.rules, one.whole, "" if _fast(one) else "below") for one in every]
    text = table(("source", "format", "events/s, for rules", "events/s, all columns", "aim"), rows)
    return f"{text}\n{sum(map(_fast, every))} of {len(every)} reach {AIMS[False]:,} (text) or {AIMS[True]:,} (JSON)"


def _fast(one: Speed) -> bool:
    return one.rules >= AIMS[one.structured]
