"""The engine against pySigma's SQLite backend: the same rules of the same events, matches compared, times divided.

Timed is finding the matches and nothing else, when all else stands ready in memory: for the engine one `detect` of a
parsed frame that it sees for the first time, its needles compiled before; for SQLite the backend's query of each rule,
over a table of the same columns (`TEXT COLLATE NOCASE`). Left out on both sides: reading and converting rules, parsing
logs, filling the table. Every rule is asked of every event, whatever its log source. Both have one thread; seconds are
processor time.

    python -m tests.performance.against_sqlite LOGS RULES [EVENTS]
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from detectors.contracts import Dialect, LogSource
from detectors.sigma.engine import Engine
from detectors.sigma.keywords import leaves
from flows import ruleset
from flows.bench.clock import least, spent
from flows.bench.fresh import on_one_core
from flows.bench.twin import Twin
from flows.bench.work import Work, parsers
from tests.property.oracle import EVERYTHING, Oracle

EVENTS = 20_000
ANYWHERE = Dialect("anywhere", LogSource("anywhere"), aliases={}, structured=True)


@dataclass(frozen=True, slots=True)
class Race:
    """What both found, and what it took them."""

    rules: int
    events: int
    matches: int
    differing: list[str]  # titles of rules that the two disagree about
    engine: float  # seconds
    sqlite: float

    def __str__(self) -> str:
        """Return the result in one paragraph."""
        agreed = "the same matches" if not self.differing else f"{len(self.differing)} rules differ: {self.differing}"
        return (
            f"{self.rules:,} rules of {self.events:,} events, {self.matches:,} matches, {agreed}\n"
            f"engine {self.engine:.3f} s, SQLite {self.sqlite:.3f} s: {self.sqlite / self.engine:,.0f} times as fast"
        )


def race(logs: Path, rules: Sequence[Path], events: int = EVENTS) -> Race:
    """Ask both, in a process with one thread."""
    return on_one_core(_race, logs, rules, events)


def _race(logs: Path, files: Sequence[Path], most: int) -> Race:
    texts = [text for path in files if "|expand" not in (text := path.read_text("utf-8"))]  # it waits for lists
    oracle = Oracle(texts, {})
    engine = Engine([replace(question.rule, logsource=ANYWHERE.logsource) for question in oracle.questions])
    events = _events(logs, engine, most)
    connection = _database(events, oracle._columns)
    queries = [question.sql for question in oracle.questions]

    begin = spent()
    answers = [connection.execute(query).fetchall() for query in queries]
    sqlite = spent() - begin
    hits = engine.detect(ANYWHERE, events)
    found = defaultdict[int, set[int]](set)
    for number, row in zip(hits.rule.tolist(), hits.row.tolist(), strict=True):
        found[number].add(row)
    return Race(
        rules=len(engine.rules),
        events=events.height,
        matches=hits.row.size,
        differing=[
            question.rule.meta.title
            for number, question in enumerate(oracle.questions)
            if found[number] != {row - 1 for (row,) in answers[number]}
        ],
        engine=least(lambda: Twin(engine).detect(ANYWHERE, events)),
        sqlite=sqlite,
    )


def _events(logs: Path, engine: Engine, most: int) -> pl.DataFrame:
    """Parse the first events of the logs; only columns of plain text are kept, which both read alike."""
    work = Work((logs,), (ruleset.own_rules(),))
    parts = work.parts()
    known, frames, height = parsers(parts), list[pl.DataFrame](), 0
    for batch in work.batches(parts):
        frame = known[batch.source].parse(batch, engine.wanted(ANYWHERE)).frame()
        frames.append(frame.head(most - height).select(pl.col(pl.String)))
        height += frames[-1].height
        if height == most:
            break
    return pl.concat(frames, how="diagonal")


def _database(events: pl.DataFrame, columns: dict[str, str]) -> sqlite3.Connection:
    """Return a table of the events. `columns` says what queries call a field; those no event has stand last."""
    present = [name for name in columns if name in events.columns]
    absent = [name for name in columns if name not in events.columns and name != EVERYTHING]
    whole = pl.Series(EVERYTHING, map(leaves, events["event.original"]), pl.String)
    names = [*(columns[name] for name in present), EVERYTHING, *(columns[name] for name in absent)]
    values = ", ".join(["?"] * (len(present) + 1) + ["NULL"] * len(absent))
    connection = sqlite3.connect(":memory:")
    connection.create_function("regexp", 2, _search, deterministic=True)
    connection.execute(f"CREATE TABLE logs ({', '.join(f'{name} TEXT COLLATE NOCASE' for name in names)})")
    rows = events.select(present).with_columns(whole).iter_rows()
    connection.executemany(f"INSERT INTO logs VALUES ({values})", rows)  # noqa: S608  # of `?` only
    return connection


def _search(pattern: str, text: str | None) -> bool:
    """Do for SQLite's REGEXP what the backend's documentation asks for."""
    return text is not None and re.search(pattern, text) is not None


def main() -> None:
    """Race over what the command line names."""
    logs, rules, *more = sys.argv[1:]
    print(race(Path(logs), [*map(Path, ruleset.rule_files([Path(rules)]))], *map(int, more)))


if __name__ == "__main__":
    main()
