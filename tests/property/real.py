"""Real rules and real events: SigmaHQ's rules, and Windows events of the reference logs."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path

import polars as pl

from connectors.definitions import BUILT_IN, load_definitions
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.schema import RECORD
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows import ruleset
from tests.connectors.reading import scan


@cache
def rules(folder: Path) -> tuple[Rule, ...]:
    """Return all rules of the reference set; those that wait for a list run nowhere."""
    loaded = ruleset.load([folder / "rules"])
    assert loaded.faults == ()
    return tuple(loaded.rules)


@cache
def engine(folder: Path) -> Engine:
    """Return an engine of these rules."""
    return Engine(rules(folder))


@cache
def windows() -> DefinedParser:
    """Return the parser of Windows events."""
    return DefinedParser(load_definitions([BUILT_IN])["windows"])


@cache
def evtx(folder: Path) -> dict[str, list[str]]:
    """Return the records of the attack samples and regression sets by the name of their log file."""
    paths = [*folder.glob("evtx/attack-samples/**/*.evtx"), *folder.glob("evtx/sigma-regression/**/*.evtx")]
    return {str(path.relative_to(folder)): scan(path, source="windows").texts for path in sorted(paths)}


@cache
def records(folder: Path) -> tuple[str, ...]:
    """Return Windows events in several shapes: those of event logs, and the lines of OTRF's Windows sets."""
    found = [line for lines in evtx(folder).values() for line in lines]
    for path in sorted(folder.glob("otrf/atomic/windows/**/*.zip")):
        with zipfile.ZipFile(path) as archive:
            found += [line for name in archive.namelist() for line in archive.read(name).decode().splitlines()]
    return tuple(found)


def parsed(lines: Sequence[str], wanted: Collection[str] | None) -> pl.DataFrame:
    """Return the events of some records, none of which may be refused."""
    frame = pl.DataFrame(
        {"event.original": lines, "log.offset": range(len(lines)), "soc.index": [0] * len(lines)}, schema=RECORD
    )
    result = windows().parse(Batch("windows", "test:0", "test", frame), wanted)
    assert result.dead.is_empty(), result.dead.head(3)
    return result.frame()
