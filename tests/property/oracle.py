"""pySigma's SQLite backend as a second opinion: Sigma rules as SQL, asked of events in an SQLite table.

Events that agree in every field a rule names are one event to it, so only distinct ones are asked.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import FieldMappingTransformation, ValueListPlaceholderTransformation

from detectors.sigma.parse import rules
from detectors.sigma.predicates import REFERENCE_OPS, predicates
from detectors.sigma.rule import Rule

EVERYTHING: Final = "everything"  # the column of the texts of whole events

Flags = npt.NDArray[np.bool_]
Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """A rule as written, as the engine has it, and as the oracle; and the fields it names."""

    text: str
    rule: Rule
    sql: str
    fields: frozenset[str]


class Oracle:
    """Answers rules of SigmaHQ. `lists` fills their placeholders."""

    def __init__(self, texts: Iterable[str], lists: Lists) -> None:
        made = [(text, _rule(text, lists)) for text in texts]
        names = sorted({name for _, rule in made for name in _fields(rule)})
        # SQLite takes `A` and `a` for one column, so they are numbered
        self._columns = {name: name if name == EVERYTHING else f"c{number}" for number, name in enumerate(names)}
        backend = _backend(self._columns, lists)
        self.questions = [Question(text, rule, _sql(backend, text), _fields(rule)) for text, rule in made]
        self._connection = sqlite3.connect(":memory:")
        self._connection.create_function("regexp", 2, search, deterministic=True)
        self._of_nothing: dict[int, Flags] = {}

    def ask(self, numbers: Iterable[int], events: pl.DataFrame) -> Iterator[tuple[int, Flags]]:
        """Yield the number of each question asked and for which events the rule is true.

        The events' columns are texts and have the names that rules use.
        """
        present = {column.name for column in events if column.null_count() < len(column)}
        groups: dict[frozenset[str], list[int]] = defaultdict(list)
        for number in numbers:
            groups[self.questions[number].fields & present].append(number)
        for number in groups.pop(frozenset(), ()):
            yield number, np.repeat(self._without_fields(number), events.height)
        for named, asked in groups.items():
            distinct, codes = _distinct(events.select(sorted(named)))
            self._fill(asked, distinct)
            for number in asked:
                yield number, self._answer(number, distinct.height)[codes]

    def _without_fields(self, number: int) -> Flags:
        if number not in self._of_nothing:
            self._fill([number], pl.DataFrame({EVERYTHING: [None]}, {EVERYTHING: pl.String}))
            self._of_nothing[number] = self._answer(number, 1)
        return self._of_nothing[number]

    def _fill(self, asked: Iterable[int], events: pl.DataFrame) -> None:
        """Make the table anew: of these events, with all columns that the questions need."""
        needed = frozenset[str]().union(*(self.questions[number].fields for number in asked))
        names = [*events.columns, *(needed - {*events.columns})]
        columns = [f"{self._columns.get(name, name)} TEXT COLLATE NOCASE" for name in names]
        values = ", ".join(["?"] * events.width + ["NULL"] * (len(names) - events.width))
        with self._connection as connection:
            connection.execute("DROP TABLE IF EXISTS logs")
            connection.execute(f"CREATE TABLE logs ({', '.join(columns)})")
            connection.executemany(f"INSERT INTO logs VALUES ({values})", events.iter_rows())  # noqa: S608  # of `?` only

    def _answer(self, number: int, height: int) -> Flags:
        flags = np.zeros(height, np.bool_)
        rows = [row - 1 for (row,) in self._connection.execute(self.questions[number].sql)]
        flags[rows] = True
        return flags


def _rule(text: str, lists: Lists) -> Rule:
    (rule,) = rules(text, "rule.yml", lists)
    assert isinstance(rule, Rule), str(rule)
    assert not rule.waits_for, f"{rule.meta.title} waits for {rule.waits_for}"
    return rule


def _fields(rule: Rule) -> frozenset[str]:
    asked = predicates(rule.condition)
    names = {EVERYTHING if predicate.field is None else predicate.field for predicate in asked}
    return frozenset(names.union(*(predicate.values for predicate in asked if predicate.op in REFERENCE_OPS)))


def _backend(columns: Mapping[str, str], lists: Lists) -> sqliteBackend:
    rename = FieldMappingTransformation(dict(columns.items()))
    steps = [ProcessingItem(ValueListPlaceholderTransformation()), ProcessingItem(rename)]
    pipeline = ProcessingPipeline(steps, vars=dict(lists))
    return sqliteBackend(pipeline, fulltext_field=EVERYTHING)  # type: ignore[no-untyped-call]  # as it ships


def _sql(backend: sqliteBackend, text: str) -> str:
    """Return the query for the numbers of rows; the backend's own asks for whole rows."""
    (query,) = backend.convert(SigmaCollection.from_dicts([yaml.load(text, yaml.CSafeLoader)]))
    return str(query).replace("SELECT *", "SELECT rowid", 1)


def search(pattern: str, text: str | None) -> bool:
    """Do for SQLite's REGEXP what the backend's documentation asks for."""
    return text is not None and re.search(pattern, text) is not None


def _distinct(events: pl.DataFrame) -> tuple[pl.DataFrame, npt.NDArray[np.int64]]:
    """Return the distinct rows, and for each row of the frame which of them it is."""
    groups = events.with_row_index("row").group_by(events.columns).agg("row")
    lengths = groups["row"].list.len().to_numpy()
    codes = np.empty(events.height, np.int64)
    codes[groups["row"].explode().to_numpy()] = np.repeat(np.arange(groups.height), lengths)
    return groups.drop("row"), codes
