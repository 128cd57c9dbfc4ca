"""`soc rules new`: a rule file that passes check and test from its first minute."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import polars as pl
import yaml

from connectors.definition import Definition
from detectors.contracts import LogSource
from detectors.errors import UsageError
from flows.authoring.events import FIELDS, Events
from flows.authoring.house import RUNBOOK, slug
from flows.authoring.lint.unfinished import BLANK, DESCRIPTION, WANTED
from flows.authoring.proposal import Item, propose

EVENTS = 5  # of each kind that become tests
OTHER = "something else"


@dataclass(frozen=True, slots=True)
class Words:
    """What only the author can say."""

    title: str
    level: str
    author: str
    tags: Sequence[str]
    day: date


def template(words: Words, logsource: LogSource, field: str) -> dict[str, Any]:
    """Return a rule to be filled in, with tests that show how."""
    items = (Item(field, "contains", (WANTED,)),)
    event = {field: f"begins … {items[0].values[0]} … ends"}
    tests = [
        {"name": "the attack", "match": True, "events": [event]},
        {"name": "an ordinary day", "match": False, "events": [{field: OTHER}]},
    ]
    return _document(words, logsource, items, tests)


def from_events(
    words: Words,
    events: Events,
    rows: Sequence[int],
    others: Events | None,
    definition: Definition,
    *,
    siblings: Iterable[LogSource],
) -> tuple[dict[str, Any], int]:
    """Return a rule that tells the events of these rows from the rest and from others; and how many it does not tell.

    `siblings` are the log sources of all sources: a category that several of them have is meant as a whole.

    Raises:
        UsageError: the events have nothing in common.
    """
    wanted = events.frame[list(rows)]
    rest = events.frame[[row for row in range(events.frame.height) if row not in set(rows)]]
    against = pl.concat([rest, others.frame], how="diagonal_relaxed") if others else rest
    made = propose(definition, wanted, against, siblings)
    tests: list[dict[str, Any]] = [_case("the events it was made from", wanted, events.source, match=True)]
    if against.height and not made.remaining:
        tests.append(_case("ordinary events", against, events.source, match=False))
    seen = {item.key: item.values[0] for item in made.items}
    near = [{**_event(made.items, seen), item.field: OTHER} for item in made.items]
    tests.append({"name": "all but one of what it asks for", "match": False, "events": near})
    return _document(words, made.logsource, made.items, tests), made.remaining


def write(document: dict[str, Any], folder: Path) -> Path:
    """Write a rule into a folder, named after its title; return its place."""
    path = folder / f"{slug(document['title'])}.yml"
    if path.exists():
        raise UsageError(f"{path} is there already", fix="give the rule another title")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text(document), "utf-8")
    return path


def text(document: dict[str, Any]) -> str:
    """Return a rule as YAML: several lines as they are, everything else as short as it can be."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, indent=2)


def _document(
    words: Words, logsource: LogSource, items: Sequence[Item], tests: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    asked = {
        item.key: [*map(_escaped, item.values)] if len(item.values) > 1 else _escaped(item.values[0]) for item in items
    }
    named = {"category": logsource.category, "product": logsource.product, "service": logsource.service}
    runbook = {language: "".join(f"{head}: {BLANK}\n" for head in heads) for language, heads in RUNBOOK.items()}
    given: dict[str, Any] = {
        "title": words.title,
        "id": str(uuid4()),
        "status": "experimental",
        "description": DESCRIPTION,
        "author": words.author,
        "date": words.day,
        "tags": [*words.tags],
        "logsource": {key: value for key, value in named.items() if value},
        "detection": {"selection": asked, "condition": "selection"},
        "falsepositives": ["Unknown"],
        "level": words.level,
        "runbook": runbook,
        "tests": [*tests],
    }
    return {key: value for key, value in given.items() if value}


def _case(name: str, frame: pl.DataFrame, source: str, *, match: bool) -> dict[str, Any]:
    originals = frame["event.original"].unique(maintain_order=True).head(EVENTS).to_list()
    if source == FIELDS:
        return {"name": name, "match": match, "events": [yaml.safe_load(line) for line in originals]}
    return {"name": name, "match": match, "source": source, "lines": originals}


def _event(items: Sequence[Item], seen: dict[str, str]) -> dict[str, str]:
    return {item.field: seen[item.key] for item in items}


def _escaped(value: str) -> str:
    """Return a value as a rule writes it: wildcards are plain characters here."""
    return re.sub(r"(\\*)([*?])", lambda found: found[1] * 2 + "\\" + found[2], value)


class _Dumper(yaml.SafeDumper):
    """Lists stand deeper than their keys, and texts of several lines are written as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML calls it so
        super().increase_indent(flow, False)


def _represented(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _represented)
