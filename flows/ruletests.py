"""The tests that stand inside a rule's own file, or a correlation's.

tests:
  - name: what it shows
    match: true              # every event below must match; false: none may (a correlation: whether it raises an alert)
    events: [{field: value}] # events as the rule sees them (with their `@timestamp` for correlations), or
    lines: ["raw log line"]  # raw lines of a source, read by its definition
    source: auth
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from connectors.parser import DefinedParser
from detectors.contracts import Batch, Block, Dialect
from detectors.correlation.correlator import Correlator
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.correlation.rule import Correlation
from detectors.errors import Place, RuleError
from detectors.schema import RECORD, TIME
from detectors.sigma.document import Document, documents
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows import correlationtests
from flows.assembly import Parts
from flows.correlating import columns_of, kept


class Case(BaseModel):
    """One test."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    match: bool
    events: list[dict[str, Any]] = []
    lines: list[str] = []
    source: str = ""

    @model_validator(mode="after")
    def _has_input(self) -> Case:
        if bool(self.events) == bool(self.lines):
            raise ValueError("give either `events` or `lines`")
        if self.lines and not self.source:
            raise ValueError("`lines` need the `source` whose definition reads them")
        return self


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not come out as it says."""

    place: Place
    message: str

    def __str__(self) -> str:
        """Return `place: message`."""
        return f"{self.place}: {self.message}"


def run(parts: Parts) -> list[Failure]:
    """Run the tests of every rule and correlation; one without a positive and a negative test fails."""
    rules = [failure for rule in parts.rules.rules for failure in _rule(rule, parts)]
    return rules + [failure for linked in parts.rules.correlations for failure in _correlation(linked, parts)]


def cases(document: Document) -> Iterator[tuple[Place, Case | RuleError]]:
    """Yield the tests of a rule's document, each with its place."""
    written = document.data.get("tests") or []
    for index, body in enumerate(written if isinstance(written, list) else [written]):
        place = document.place("tests", index)
        try:
            yield place, Case.model_validate(body)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"]))
            yield (
                place,
                RuleError(f"tests: {where}: {fault['msg']}" if where else f"tests: {fault['msg']}", place=place),
            )


def _rule(rule: Rule, parts: Parts) -> Iterator[Failure]:
    document = _document(rule)
    if document is None:
        return
    engine = Engine([rule])
    kinds = set()
    for place, case in cases(document):
        if isinstance(case, RuleError):
            yield Failure(place, case.message)
            continue
        kinds.add(case.match)
        yield from _case(rule, engine, place, case, parts)
    if kinds != {True, False}:
        yield Failure(document.place("tests"), f"`{rule.meta.title}` needs a test that matches and one that doesn't")


def _correlation(linked: Linked, parts: Parts) -> Iterator[Failure]:
    document = _document(linked.rule)
    if document is None:
        return
    kinds = set()
    for place, case in cases(document):
        if isinstance(case, RuleError):
            yield Failure(place, case.message)
            continue
        kinds.add(case.match)
        yield from _correlation_case(linked, place, case, parts)
    if kinds != {True, False}:
        yield Failure(
            document.place("tests"), f"`{linked.rule.meta.title}` needs a test that matches and one that doesn't"
        )


def _correlation_case(linked: Linked, place: Place, case: Case, parts: Parts) -> Iterator[Failure]:
    if case.source and case.source not in parts.definitions:
        yield Failure(place, f"no source is called {case.source!r}")
        return
    fields = Correlator([linked], Held()).fields
    blocks = [_matches(rule, case, parts, fields[rule.id]) for rule in parts.rules.rules if rule.id in fields]
    if correlationtests.alerts(linked, blocks) != case.match:
        yield Failure(place, f"`{case.name}`: {'no alert' if case.match else 'an alert, and there should be none'}")
    elif way := correlationtests.unsteady(linked, blocks):
        yield Failure(place, f"`{case.name}`: other findings when the events come {way}")


def _matches(rule: Rule, case: Case, parts: Parts, fields: Sequence[str]) -> Block:
    """Return the matches of a rule that a correlation puts together."""
    dialect, events = _events(rule, case, parts)
    rows = Engine([rule]).detect(dialect, events).row
    hit = events[rows].with_columns(pl.Series("event.id", map(str, rows)), pl.lit(case.source).alias("soc.source"))
    return Block(rule.id, kept(hit, columns_of(rule, fields, dialect)))


def _document(rule: Rule | Correlation) -> Document | None:
    text = Path(rule.place.file).read_text("utf-8-sig")
    found = (each for each in documents(text, rule.place.file) if isinstance(each, Document))
    return next((each for each in found if str(each.data.get("id")).lower() == rule.meta.id), None)


def _case(rule: Rule, engine: Engine, place: Place, case: Case, parts: Parts) -> Iterator[Failure]:
    if case.source and case.source not in parts.definitions:
        yield Failure(place, f"no source is called {case.source!r}")
        return
    dialect, events = _events(rule, case, parts)
    count = len(case.events or case.lines)
    if events.height != count:
        yield Failure(place, f"`{case.name}`: {count - events.height} of its lines can't be read as {case.source}")
        return
    matched = np.zeros(count, np.bool_)
    matched[engine.detect(dialect, events).row] = True
    for index in np.flatnonzero(matched != case.match).tolist():
        verb = "matches, and should not" if matched[index] else "does not match"
        yield Failure(place, f"`{case.name}`: number {index + 1} {verb}")


def _events(rule: Rule, case: Case, parts: Parts) -> tuple[Dialect, pl.DataFrame]:
    if case.events:
        # an event as the rule sees it comes from a source that is just the rule's own log source
        return Dialect("test", rule.logsource, {}, structured=True), frame(case.events)
    parser = DefinedParser(parts.definitions[case.source])
    records = _records(case.lines)
    return parser.dialect, parser.parse(Batch(case.source, "test", case.name, records), None).events


def frame(events: list[dict[str, Any]]) -> pl.DataFrame:
    """Return events as a frame, their values as a parser would give them."""
    records = _records([orjson.dumps(event, default=str).decode() for event in events])
    records = records.with_columns(
        pl.Series("@timestamp", [_moment(event.get("@timestamp")) for event in events], TIME)
    )
    names = dict.fromkeys(name for event in events for name in event if name not in records.columns)
    return records.with_columns([_column(name, [event.get(name) for event in events]) for name in names])


def _records(lines: list[str]) -> pl.DataFrame:
    columns = {"event.original": lines, "log.offset": range(len(lines)), "soc.index": [0] * len(lines)}
    return pl.DataFrame(columns, schema=RECORD)


def _column(name: str, values: list[Any]) -> pl.Series:
    if any(isinstance(value, list) for value in values):
        lists = [None if value is None else value if isinstance(value, list) else [value] for value in values]
        return pl.Series(name, [None if each is None else [_text(one) for one in each] for each in lists])
    return pl.Series(name, [_text(value) for value in values], pl.String)


def _moment(value: object) -> datetime | None:
    """Read a time; one that names no zone is UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
