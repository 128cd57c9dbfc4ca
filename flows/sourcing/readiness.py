"""What a source sees: rules that can come true there, and the fields that others wait for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from connectors.definition import Definition
from connectors.parser import DefinedParser
from detectors.contracts import Batch
from detectors.schema import LEVELS
from detectors.sigma.blind import Names, Survey, survey
from detectors.sigma.logsources import Route
from detectors.sigma.rule import Rule
from flows import blindness

TITLES: Final = 3  # of rules, shown per missing field


@dataclass(frozen=True, slots=True)
class Lack:
    """A field that events don't have, and the rules that are blind for want of it."""

    field: str
    rules: tuple[Rule, ...]  # the most severe first
    switch: str  # what to switch on, in Vietnamese

    @property
    def levels(self) -> dict[str, int]:
        """Return how many of the rules have which level, the most severe first."""
        found = [rule.meta.level for rule in self.rules]
        return {level: found.count(level) for level in reversed(LEVELS) if level in found}

    @property
    def titles(self) -> tuple[str, ...]:
        return tuple(rule.meta.title for rule in self.rules[:TITLES])


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which rules are live and blind on a source; `waiting` ones look at events that the sample has none of."""

    definition: Definition
    live: tuple[Rule, ...]
    blind: tuple[Rule, ...]
    lacks: tuple[Lack, ...]
    waiting: tuple[Rule, ...] = ()
    events: int = 0  # of the sample; 0: judged by the definition alone
    open: bool = False  # the definition doesn't say which columns there are, so nothing is known to be missing
    never: tuple[str, ...] = ()  # columns of the definition that no event of the sample has

    @property
    def levels(self) -> dict[str, int]:
        """Return how many live rules have which level, the most severe first."""
        found = [rule.meta.level for rule in self.live]
        return {level: found.count(level) for level in reversed(LEVELS) if level in found}


def judge(rules: Sequence[Rule], definition: Definition, batches: Sequence[Batch] = ()) -> Readiness:
    """Say what a source sees by its definition, or by what its events hold where there are some."""
    by_definition = blindness.look(rules, definition)
    if not batches:
        known = any(blindness.columns(definition, route) is not None for route, _ in by_definition.routes)
        return _readiness(rules, definition, by_definition, open_=not known)
    events = _events(definition, batches)
    seen = survey(rules, definition.dialect, lambda route: _having(events, route))
    waiting = by_definition.whole.live - seen.whole.live - seen.whole.blind.keys()
    having = set(_having(events, None) or ())
    never = sorted(name for name in definition.fields if name not in having)
    return _readiness(rules, definition, seen, waiting=waiting, events=events.height, never=never)


def _readiness(
    rules: Sequence[Rule],
    definition: Definition,
    seen: Survey,
    *,
    waiting: set[int] = frozenset(),  # type: ignore[assignment] # never changed
    events: int = 0,
    open_: bool = False,
    never: Sequence[str] = (),
) -> Readiness:
    missing: dict[str, set[int]] = defaultdict(set)
    for sight in (seen.whole, *(part for _, part in seen.routes)):
        for number, names in sight.blind.items():
            if number in seen.whole.blind:
                for name in names:
                    missing[name].add(number)
    lacks = [Lack(name, _ranked(rules, numbers), switch(definition, name)) for name, numbers in missing.items()]
    lacks.sort(key=lambda each: (-sum(_weight(rule) for rule in each.rules), each.field))
    return Readiness(
        definition,
        _ranked(rules, seen.whole.live),
        _ranked(rules, set(seen.whole.blind)),
        tuple(lacks),
        _ranked(rules, waiting),
        events,
        open_,
        tuple(never),
    )


def _ranked(rules: Sequence[Rule], numbers: set[int]) -> tuple[Rule, ...]:
    chosen = (rules[number] for number in numbers)
    return tuple(sorted(chosen, key=lambda rule: (-LEVELS.index(rule.meta.level), rule.meta.title)))


def _weight(rule: Rule) -> int:
    return int(4 ** LEVELS.index(rule.meta.level))


def _events(definition: Definition, batches: Sequence[Batch]) -> pl.DataFrame:
    parser = DefinedParser(definition)
    frames = [parser.parse(batch, None).frame() for batch in batches]
    return pl.concat(frames, how="diagonal_relaxed")


def _having(events: pl.DataFrame, route: Route | None) -> Names:
    """Return the columns that any event of a route has a value in."""
    for name, values in (route.where if route else {}).items():
        if name not in events.columns:
            return frozenset()
        wanted = [value.lower() for value in values]
        events = events.filter(pl.col(name).cast(pl.String).str.to_lowercase().is_in(wanted))
    return frozenset(column.name for column in events if column.null_count() < events.height)


def switch(definition: Definition, name: str) -> str:
    """Return what the owner of a source switches on to get a field, in Vietnamese."""
    service = definition.logsource
    words = {definition.name, definition.format, service.category, service.product, service.service}
    return next(
        each.told
        for each in _switches()
        if (not each.of or words & each.of) and any(re.fullmatch(pattern, name) for pattern in each.fields)
    )


@dataclass(frozen=True, slots=True)
class _Switch:
    told: str
    fields: tuple[str, ...]
    of: frozenset[str | None] = field(default_factory=frozenset)


@cache
def _switches() -> tuple[_Switch, ...]:
    table: list[Mapping[str, Any]] = yaml.safe_load(Path(__file__).with_name("switches.yml").read_text("utf-8"))
    return tuple(_Switch(each["vi"], tuple(each["fields"]), frozenset(each.get("of", ()))) for each in table)
