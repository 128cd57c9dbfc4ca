"""The tests that stand inside a rule's own file, or a correlation's (`rulecases`), run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from connectors.definition import Definition
from connectors.enrichment import Enrichment
from connectors.parser import DefinedParser
from detectors.contracts import Batch, Block, Dialect
from detectors.correlation.correlator import Correlator
from detectors.correlation.link import Linked
from detectors.correlation.memory import Held
from detectors.correlation.rule import Correlation
from detectors.errors import Place, RuleError
from detectors.findings import joined
from detectors.nearest import nearest
from detectors.schema import RECORD, TIME
from detectors.sigma.document import Document, documents
from detectors.sigma.engine import Engine
from detectors.sigma.rule import Rule
from flows import correlationtests
from flows.assembly import Parts, detection
from flows.correlating import columns_of, kept
from flows.correlationtests import Verdict
from flows.gathering import findings_of
from flows.rulecases import COUNT, Case, cases

MOST: Final = 64  # tests whose events are kept


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
    rules = [failure for rule in parts.rules.tested for failure in of_rule(rule, parts)]
    return rules + [failure for linked in parts.rules.correlations for failure in of_correlation(linked, parts)]


def of_rule(rule: Rule, parts: Parts) -> Iterator[Failure]:
    """Run the tests of one rule."""
    engine = Engine([rule])
    return _tested(rule, lambda place, case: _case(rule, engine, place, case, parts))


def of_correlation(linked: Linked, parts: Parts) -> Iterator[Failure]:
    """Run the tests of one correlation."""
    document = document_of(linked.rule)
    right = [each for _, each in cases(document) if not isinstance(each, RuleError)] if document else []
    made = [_blocks(linked, case, parts) for case in right]
    verdicts = iter(correlationtests.judged(linked, [each for each in made if not isinstance(each, str)]))
    told = iter([each if isinstance(each, str) else next(verdicts) for each in made])
    return _tested(linked.rule, lambda place, case: _correlation_case(place, case, next(told)))


def runnable(rule: Rule, document: Document, parts: Parts) -> Iterator[tuple[Case, Given]]:
    """Yield the tests of a rule that can be run, with their events."""
    for _, case in cases(document):
        if not isinstance(case, RuleError) and isinstance(made := given(rule, case, parts), Given):
            yield case, made


def correlated(linked: Linked, document: Document, parts: Parts) -> Iterator[tuple[Case, list[Block]]]:
    """Yield the tests of a correlation that can be run, with the matches that it puts together."""
    for _, case in cases(document):
        if not isinstance(case, RuleError) and not isinstance(made := _blocks(linked, case, parts), str):
            yield case, made


def _blocks(linked: Linked, case: Case, parts: Parts) -> list[Block] | str:
    """Return the matches of a test's events, or why there are none."""
    fields = Correlator([linked], Held()).fields
    asked = [(rule, given(rule, case, parts)) for rule in parts.rules.rules if rule.id in fields]
    if told := next((made for _, made in asked if isinstance(made, str)), None):
        return told
    return [_matches(rule, made, fields[rule.id]) for rule, made in asked if isinstance(made, Given)]


def counted(linked: Linked, made: Given, rows: Sequence[int], *, rule: Rule) -> Block:
    """Return the block that a correlation would get if these events of a test were the rule's matches."""
    return _block(rule, made, Correlator([linked], Held()).fields[rule.id], rows)


def _tested(rule: Rule | Correlation, run: Callable[[Place, Case], Iterator[Failure]]) -> Iterator[Failure]:
    """Run each of the tests that stand with a rule; there must be some that match, and some that don't."""
    document = document_of(rule)
    if document is None:
        return
    kinds = set()
    for place, case in cases(document):
        if isinstance(case, RuleError):
            told = f"{case.message}; {case.fix}" if case.fix else case.message
            yield Failure(case.place or place, told)
            continue
        kinds.add(case.match)
        yield from run(place, case)
    if kinds != {True, False}:
        yield Failure(document.place("tests"), f"`{rule.meta.title}` needs a test that matches and one that doesn't")


def _correlation_case(place: Place, case: Case, verdict: Verdict | str) -> Iterator[Failure]:
    if isinstance(verdict, str):
        yield Failure(place, verdict)
    elif verdict.alert != case.match:
        yield Failure(place, f"`{case.name}`: {'no alert' if case.match else 'an alert, and there should be none'}")
    elif verdict.unsteady:
        yield Failure(place, f"`{case.name}`: other findings when the events come {verdict.unsteady}")


def _matches(rule: Rule, made: Given, fields: Sequence[str]) -> Block:
    """Return the matches of a rule that a correlation puts together."""
    return _block(rule, made, fields, Engine([rule]).detect(made.dialect, made.events).row.tolist())


def _block(rule: Rule, made: Given, fields: Sequence[str], rows: Sequence[int]) -> Block:
    source = pl.lit(made.batch.source).alias("soc.source")
    hit = made.events[list(rows)].with_columns(pl.Series("event.id", map(str, rows)), source)
    return Block(rule.id, kept(hit, columns_of(rule, fields, made.dialect)))


def document_of(rule: Rule | Correlation) -> Document | None:
    """Return the document that a rule was read from; None where its file has changed since."""
    text = Path(rule.place.file).read_text("utf-8-sig")
    found = (each for each in documents(text, rule.place.file) if isinstance(each, Document))
    return next((each for each in found if each.place() == rule.place), None)


@dataclass(frozen=True, slots=True)
class Given:
    """The events of a test, and what they came from; `parser` is None for events as the rule sees them."""

    batch: Batch
    parser: DefinedParser | None
    dialect: Dialect
    events: pl.DataFrame


class _Read:
    """Events that were read last: several rules look at those of a test, and several questions are asked about them."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], tuple[DefinedParser, pl.DataFrame]] = {}

    def events(
        self, definition: Definition, enrichment: Enrichment | None, batch: Batch
    ) -> tuple[DefinedParser, pl.DataFrame]:
        """Return the events of a batch, and what read them; that keeps the definition, so its place stays its own."""
        key = (id(definition), id(enrichment), *batch.records["event.original"])
        if key not in self._known:
            parser = DefinedParser(definition, enrichment=enrichment)
            self._known[key] = parser, parser.parse(batch, None).events
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]
        return self._known[key]


_READ: Final = _Read()


def given(rule: Rule, case: Case, parts: Parts) -> Given | str:
    """Return the events of a test, or why there are none."""
    records = _records(case.lines or [orjson.dumps(event, default=str).decode() for event in case.events])
    batch = Batch(case.source or "test", "test", case.name, records)
    if not case.source:
        # an event as the rule sees it comes from a source that is just the rule's own log source
        dialect = Dialect("test", rule.logsource, {}, structured=True)
        return Given(batch, None, dialect, frame(case.events))
    definition = parts.definitions.get(case.source)
    if definition is None:
        return f"no source is called {case.source!r}; {nearest(case.source, parts.definitions)}"
    if case.events and not definition.dialect.structured:
        return f"`{case.name}`: {case.source} does not write JSON; give `lines`"
    parser, events = _READ.events(definition, parts.enrichment, batch)
    if events.height != records.height:
        return f"`{case.name}`: {records.height - events.height} of its lines can't be read as {case.source}"
    return Given(batch, parser, parser.dialect, events)


def _case(rule: Rule, engine: Engine, place: Place, case: Case, parts: Parts) -> Iterator[Failure]:
    made = given(rule, case, parts)
    if isinstance(made, str):
        yield Failure(place, made)
        return
    hits = engine.detect(made.dialect, made.events)
    matched = np.zeros(made.events.height, np.bool_)
    matched[hits.row] = True
    for index in np.flatnonzero(matched != case.match).tolist():
        verb = "matches, and should not" if matched[index] else "does not match"
        yield Failure(place, f"`{case.name}`: number {index + 1} {verb}")
    if case.asserts and made.parser is not None:
        found = joined(findings_of(made.batch, made.parser, made.events, hits, [detection(rule)])).findings
        for difference in _differences(case.asserts, found):
            yield Failure(place, f"`{case.name}`: {difference}")


def _differences(asserts: dict[str, set[Any]], found: pl.DataFrame) -> Iterator[str]:
    for column, wanted in asserts.items():
        told = {found.height} if column == COUNT else set(found[column].to_list())
        if told != wanted:
            yield f"{column} is {_shown(told)}, not {_shown(wanted)}"


def _shown(values: set[Any]) -> str:
    return ", ".join(f"`{value}`" for value in sorted(values)) or "nothing"


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
