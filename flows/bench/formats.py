"""How many events a second each source's parser makes on one core, of lines like those of its samples.

Aims are of lines; an event may have several. Beside each stands how long the machine took for ten million additions
just then; speeds are told as measured, and as they would be at a pace of `GOOD` seconds.

A sample is repeated with other addresses and times of day, so that no two lines are equal: parsers work on the distinct
values of columns, and equal lines would be read once.
"""

from __future__ import annotations

import cProfile
import pstats
import random
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from connectors.lines import records
from connectors.parser import DefinedParser
from connectors.simulator.write import write
from detectors.contracts import Batch
from detectors.errors import UsageError
from flows.bench.clock import least, reference
from flows.bench.table import Cell, table
from flows.bench.work import Work
from flows.commands.simulate import START

VARIED: Final = re.compile(r"\b(?:192\.0\.2|198\.51\.100|203\.0\.113|10\.\d+\.\d+)\.\d+\b|\b\d\d:\d\d:\d\d\b")
EVENTS: Final = 20_000
GOOD: Final = 0.5  # seconds of ten million additions on a machine at its usual pace
STAGES: Final = {  # module and function that do it
    "read": ("parser.py", "_read"),
    "steps": ("extraction.py", "filled"),
    "times": ("parser.py", "_times"),
    "columns": ("parser.py", "_columns"),
    "derived": ("derive.py", "derived"),
}
AIMS: Final = {True: 150_000, False: 300_000}  # lines a second of JSON, of text


@dataclass(frozen=True, slots=True)
class Speed:
    """Events a second and core of a source: of the columns that rules ask for, and of all."""

    source: str
    format: str
    structured: bool
    lines: float  # of an event, on average
    rules: int  # events a second, of the columns that rules ask for
    whole: int  # of all columns
    reference: float  # seconds of ten million additions, measured just before
    stages: Mapping[str, float]  # parts of the time for the columns of rules; only where sources are named

    @property
    def even(self) -> int:
        """Events a second of the columns that rules ask for, at the pace of a good day."""
        return round(self.rules * self.reference / GOOD)


def formats(work: Work, samples: Path, folder: Path, sources: Collection[str] = ()) -> list[Speed]:
    """Measure sources there are lines of, those named or all, on one thread.

    Lines are those of samples below a folder, or (`.`) simulated ones.

    Raises:
        UsageError: there are no lines of a source that is named.
    """
    parts = work.parts()
    found = _simulated(folder) if samples == Path() else _samples(samples)
    if unknown := sorted(set(sources) - (found.keys() & parts.definitions.keys())):
        known = ", ".join(sorted(found.keys() & parts.definitions.keys()))
        raise UsageError(f"no lines of {', '.join(unknown)}", fix=f"name some of {known}")
    measured = []
    for source, lines in sorted(found.items()):
        if source not in parts.definitions or not lines or (sources and source not in sources):
            continue
        parser = DefinedParser(parts.definitions[source], year=2026)
        every = varied(lines, EVENTS)
        batch = Batch(source, "file:bench", "bench", records(every, range(len(every))))
        wanted = parts.engine.wanted(parser.dialect)
        pace = reference()
        # the first round loads machine code, the second is given memory that the third one has
        rules, whole = (least(partial(parser.parse, batch, asked), 3) for asked in (wanted, None))
        one = parser.definition
        stages = _stages(partial(parser.parse, batch, wanted)) if sources else {}
        joined = sum(line.count("\n") + 1 for line in every) / len(every)
        figures = (round(EVENTS / rules), round(EVENTS / whole), pace, stages)
        measured.append(Speed(source, one.format, one.reader.structured, joined, *figures))
    return measured


def _stages(parse: Callable[[], object]) -> dict[str, float]:
    """Return what part of the time each stage of a parser takes; the rest is moving columns."""
    profile = cProfile.Profile(time.process_time)
    profile.runcall(parse)
    stats = pstats.Stats(profile)
    spent = {key: row[3] for key, row in stats.stats.items()}  # type: ignore[attr-defined] # pstats' own, and old
    found = {stage: sum(each for (file, _, name), each in spent.items() if _is(stage, file, name)) for stage in STAGES}
    return {stage: each / stats.total_tt for stage, each in found.items()}  # type: ignore[attr-defined]


def _is(stage: str, file: str, name: str) -> bool:
    module, function = STAGES[stage]
    return name == function and file.endswith(module)


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
    head = ("source", "format", "events/s, for rules", "all columns", "10 M additions", f"for rules at {GOOD} s", "aim")
    staged = [*STAGES] if any(one.stages for one in every) else []
    rows = [(*_row(one), *(f"{one.stages[stage]:.0%}" for stage in staged)) for one in every]
    now, even = sum(_fast(one.rules, one) for one in every), sum(_fast(one.even, one) for one in every)
    aims = f"{AIMS[False]:,} (text) or {AIMS[True]:,} (JSON)"
    return f"{table((*head, *staged), rows)}\n{now} of {len(every)} reach {aims}; {even} at the pace of {GOOD} s"


def _row(one: Speed) -> tuple[Cell, ...]:
    aim = "" if _fast(one.rules, one) else "below"
    return one.source, one.format, one.rules, one.whole, one.reference, one.even, aim


def _fast(events: int, one: Speed) -> bool:
    return events * one.lines >= AIMS[one.structured]
