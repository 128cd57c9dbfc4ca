"""Ask the engine what a piece of a rule says of a few events."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import orjson
import polars as pl

from detectors.contracts import Dialect, LogSource
from detectors.errors import RuleError
from detectors.sigma.engine import Engine
from detectors.sigma.parse import rules
from detectors.sigma.rule import Rule

Event = Mapping[str, str | list[str | None] | None]
DIALECT = Dialect("test", LogSource(category="test"), aliases={}, structured=True)


def document(detection: str) -> str:
    """Return a whole rule around a detection; without a condition it is `condition: sel` over the text as `sel`."""
    text = textwrap.dedent(detection).strip("\n")
    if "condition:" not in text:
        text = "sel:\n" + textwrap.indent(text, "  ") + "\ncondition: sel"
    body = textwrap.indent(text, "  ")
    return (
        f"title: A test\nid: 8b7b8f5f-2a35-4d6c-9d5f-0d1f6b6f2a11\nlogsource: {{category: test}}\ndetection:\n{body}\n"
    )


def compiled(detection: str, lists: Mapping[str, Sequence[str]] | None = None) -> Rule:
    """Return the rule around a detection, which must be right."""
    (found,) = rules(document(detection), "test.yml", lists)
    assert isinstance(found, Rule), str(found)
    return found


def faults(detection: str, lists: Mapping[str, Sequence[str]] | None = None) -> list[str]:
    """Return the faults of the rule around a detection, as an author reads them."""
    found = list(rules(document(detection), "test.yml", lists))
    assert all(isinstance(each, RuleError) for each in found), "the rule was accepted"
    return [str(each) for each in found]


def frame(events: Sequence[Event]) -> pl.DataFrame:
    """Return events as the engine gets them: a column is a list where any event has one there."""
    columns: dict[str, pl.Series] = {
        "event.original": pl.Series([original(event) for event in events], dtype=pl.String)
    }
    for name in dict.fromkeys(name for event in events for name in event if name != "event.original"):
        values = [event.get(name) for event in events]
        if any(isinstance(value, list) for value in values):
            lists = [value if isinstance(value, list) or value is None else [value] for value in values]
            columns[name] = pl.Series(name, lists, dtype=pl.List(pl.String))
        else:
            columns[name] = pl.Series(name, values, dtype=pl.String)
    return pl.DataFrame(columns)


def original(event: Event) -> str:
    """Return the raw record of an event: its own, or its fields as JSON."""
    raw = event.get("event.original")
    return raw if isinstance(raw, str) else orjson.dumps(event).decode()


def which(rule: Rule, events: Sequence[Event], dialect: Dialect = DIALECT) -> list[int]:
    """Return the numbers of the events that match a rule."""
    return [int(row) for row in Engine([rule]).detect(dialect, frame(events)).row]


def matching(detection: str, *events: Event, lists: Mapping[str, Sequence[str]] | None = None) -> list[int]:
    """Return the numbers of the events that match a detection."""
    return which(compiled(detection, lists), events)


def texts(detection: str, *values: str | list[str | None] | None) -> list[str | list[str | None] | None]:
    """Return those values of the field `f` that match a detection."""
    return [values[row] for row in matching(detection, *({"f": value} for value in values))]
