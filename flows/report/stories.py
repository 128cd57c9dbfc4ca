"""The story of an attack: what was found of it, in the order of time, over all systems it went through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from detectors.schema import LEVELS
from flows.report.cards import Card, Cut, cut
from flows.report.words import Clock, Moment

STEPS = 40  # of one story
ENTITIES = 3  # named in one step
UNITS = {"en": ("s", "min", "h", "d"), "vi": ("giây", "phút", "giờ", "ngày")}


@dataclass(frozen=True, slots=True)
class Told:
    """An attack that is known beforehand: its name in every language, and its findings in the order of time."""

    names: Mapping[str, str]
    start: datetime
    delay: timedelta | None  # from its first line to the first that was found; None: it was missed
    findings: Sequence[tuple[str, datetime]]


@dataclass(frozen=True, slots=True)
class Step:
    """One finding of a story."""

    id: str
    moment: Moment | None
    after: str  # how long after the attack began
    level: str
    title: str
    source: str
    entities: tuple[str, ...]
    here: bool  # whether the page has its card


@dataclass(frozen=True, slots=True)
class Story:
    """An attack as the page shows it."""

    name: Cut
    start: Moment | None
    found: bool
    delay: str
    systems: tuple[str, ...]  # in the order in which it came to them
    steps: tuple[Step, ...]
    more: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of findings, by their ids; `cards` are those that the page shows."""

    cards: Mapping[str, Card]
    sources: Mapping[str, str]
    words: Mapping[str, tuple[str | None, str | None]]  # level and title
    clock: Clock
    lang: str


def stories(
    attacks: Sequence[Told], findings: pl.DataFrame, cards: Sequence[Card], clock: Clock, lang: str
) -> list[Story]:
    """Put the findings of attacks into the order of time; `findings` has those that are left out of the page too."""
    columns = ("event.id", "soc.source", "soc.level", "rule.name")
    rows = [*findings.select(columns).iter_rows()] if attacks else []
    sources = {name: source or "" for name, source, _, _ in rows}
    told = {name: (level, title) for name, _, level, title in rows}
    known = _Known({card.id: card for card in cards}, sources, told, clock, lang)
    return [_story(attack, known) for attack in attacks]


def _story(attack: Told, known: _Known) -> Story:
    lang = known.lang
    there = [(name, time) for name, time in attack.findings if name in known.sources]
    systems = dict.fromkeys(part for name, _ in there for part in known.sources[name].split(", ") if part)
    return Story(
        name=cut(attack.names.get(lang) or attack.names["en"], 200),
        start=known.clock.moment(attack.start),
        found=attack.delay is not None,
        delay=lasting(attack.delay, lang) if attack.delay is not None else "",
        systems=tuple(cut(name, 60).text for name in systems),
        steps=tuple(_step(name, time, time - attack.start, known) for name, time in there[:STEPS]),
        more=max(len(there) - STEPS, 0),
    )


def _step(name: str, time: datetime, after: timedelta, known: _Known) -> Step:
    card, (level, title) = known.cards.get(name), known.words[name]
    entities = [value.text for _, values in (*card.who, *card.where) for value in values] if card else []
    plain = [text for text in dict.fromkeys(entities) if "=" not in text]  # the group says it all again
    return Step(
        id=cut(name, 100).text,
        moment=known.clock.moment(time),
        after=lasting(after, known.lang),
        level=card.level if card else level if level in LEVELS else "informational",
        title=cut(title or "", 200).text,
        source=cut(known.sources[name], 60).text,
        entities=tuple(plain[:ENTITIES]),
        here=card is not None,
    )


def lasting(span: timedelta, lang: str) -> str:
    """Return a length of time as people read it: 12 s, 4 min, 3 h 20 min, 2 d 4 h (the signs are those of SI)."""
    second, minute, hour, day = UNITS[lang]
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} {second}"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} {minute}"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} {hour} {rest} {minute}" if rest else f"{hours} {hour}"
    return f"{hours // 24} {day} {hours % 24} {hour}"
