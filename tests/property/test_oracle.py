"""SigmaHQ's rules over real events: the engine finds what pySigma's SQLite backend finds.

Log sources are left aside: every rule is asked of every event. `SIGMA_SHARE=1` asks all rules, else every eighth.
"""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldMappingTransformation

from detectors.contracts import LogSource
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.predicates import REFERENCE_OPS, predicates
from detectors.sigma.rule import Rule
from tests.detectors.sigma.asking import DIALECT, frame
from tests.property import logs

SHARE = int(os.environ.get("SIGMA_SHARE", "8"))
EXPLAINED: dict[str, str] = {}  # rule id → why the oracle is wrong there


def compiled(folder: Path) -> list[tuple[Rule, str]]:
    """Return the rules of the sample with their text; rules that wait for a list run in neither engine."""
    texts = [path.read_text("utf-8") for path in sorted((folder / "rules").rglob("*.yml"))[::SHARE]]
    made = [(rule, text) for text in texts for rule in rules(text, "rule.yml") if isinstance(rule, Rule)]
    assert len(made) == len(texts)
    return [(replace(rule, logsource=LogSource("test")), text) for rule, text in made if not rule.waits_for]


def fields(made: list[Rule]) -> list[str]:
    """Return every field that any rule names."""
    asked = [predicate for rule in made for predicate in predicates(rule.condition)]
    names = {predicate.field for predicate in asked if predicate.field is not None}
    return sorted(names | {name for predicate in asked if predicate.op in REFERENCE_OPS for name in predicate.values})


def search(pattern: str, text: str | None) -> bool:
    """Do for SQLite's REGEXP what its backend's documentation asks for."""
    return text is not None and re.search(pattern, text) is not None


def database(events: list[dict[str, str]], columns: dict[str, str]) -> sqlite3.Connection:
    """Return a table of the events as the oracle wants it, its columns numbered: SQLite takes `A` and `a` for one."""
    connection = sqlite3.connect(":memory:")
    connection.create_function("regexp", 2, search, deterministic=True)
    names = [*columns.values(), "everything"]
    connection.execute(f"CREATE TABLE logs ({', '.join(f'{name} TEXT COLLATE NOCASE' for name in names)})")
    rows = [[*map(event.get, columns), "\n".join(event.values())] for event in events]
    connection.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * len(names))})", rows)  # noqa: S608  # of `?` only
    return connection


@pytest.mark.reference
def test_the_engine_finds_what_the_sqlite_backend_finds(reference: Path) -> None:
    events = logs.events(reference)
    sample = compiled(reference)
    made = [rule for rule, _ in sample]
    columns = {name: f"c{number}" for number, name in enumerate(fields(made))}
    connection = database(events, columns)
    mapping: dict[str | None, str | list[str]] = {name: f"c{number}" for number, name in enumerate(columns)}
    pipeline = ProcessingPipeline([ProcessingItem(FieldMappingTransformation(mapping))])
    backend = sqliteBackend(pipeline, fulltext_field="everything")  # type: ignore[no-untyped-call]  # as it ships

    hits = Engine(made).detect(DIALECT, frame(events))
    found: dict[int, set[int]] = {number: set() for number in range(len(made))}
    for number, row in zip(hits.rule.tolist(), hits.row.tolist(), strict=True):
        found[number].add(row)
    differences = {}
    for number, (rule, text) in enumerate(sample):
        (query,) = backend.convert(SigmaCollection.from_yaml(text))
        expected = {row - 1 for (row,) in connection.execute(query.replace("SELECT *", "SELECT rowid", 1))}
        if found[number] != expected and rule.meta.id not in EXPLAINED:
            differences[rule.meta.title] = (sorted(found[number] - expected)[:3], sorted(expected - found[number])[:3])
    assert len(hits.row) > 100, "the sample is too small to say anything"
    assert differences == {}
